"""Records what RecBole itself computes: tiny checkpoints that it trained, the atomic files, and its scores.

Run in an environment of RecBole's own (`make peers`), from anywhere:

    python tests/peers/record_recbole.py FOLDER [MODEL ...]

writes FOLDER/shop/shop.inter, FOLDER/shop/shop.item, and for each model FOLDER/MODEL.pth and FOLDER/MODEL.json: the items
by RecBole's number, histories, and `full_sort_predict` of each history, or of each user for BPR. Every id in the JSON is
a token of the atomic files. Nothing here uses this project's code.
"""

import json
import os
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # RecBole loads its own pickles

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.interaction import Interaction
from recbole.utils import get_model, get_trainer, init_seed

SHARED = {
    "use_gpu": False,
    "show_progress": False,
    "epochs": 25,
    "train_batch_size": 64,
    "learning_rate": 0.02,
    "MAX_ITEM_LIST_LENGTH": 6,
    "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
    # Filters that change RecBole's numbering: one item has too few interactions, some ratings are too low.
    "load_col": {"inter": ["user_id", "item_id", "rating", "timestamp"], "item": ["item_id", "class"]},
    "val_interval": {"rating": "[2,inf)"},
    "user_inter_num_interval": "[4,inf)",
    "item_inter_num_interval": "[2,inf)",
    "state": "ERROR",
}
TRANSFORMER = {"hidden_size": 8, "inner_size": 12, "n_layers": 2, "n_heads": 2}
SETTINGS = {
    "SASRec": TRANSFORMER | {"train_neg_sample_args": None},
    "GRU4Rec": {"embedding_size": 8, "hidden_size": 6, "num_layers": 2, "train_neg_sample_args": None},
    "BERT4Rec": TRANSFORMER | {"n_layers": 1, "hidden_act": "relu", "mask_ratio": 0.5, "train_neg_sample_args": None},
    "BPR": {"embedding_size": 8},
}


def write_shop(folder):
    """Atomic files of a small shop: 24 users, 20 items, ids that are text, ratings, and a time for each row."""
    random, folder = np.random.default_rng(0), folder / "shop"
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    for user in range(24):
        for time, item in enumerate(random.permutation(19)[: random.integers(3, 14)]):
            rows.append(f"u{user}\ti{item}\t{random.integers(1, 6)}\t{1000 * user + time}")
    random.shuffle(body := rows[1:])
    (folder / "shop.inter").write_text("\n".join([rows[0], *body, "u0\trare\t5\t1\n"]))
    items = [f"i{n}\t{'red' if n % 2 else 'blue'}" for n in range(20)]
    (folder / "shop.item").write_text("\n".join(["item_id:token\tclass:token_seq", *items, "rare\tred\n"]))


def train(model, settings, dataset, folder):
    """Train a model, save it by RecBole's own trainer without the optimizer's state, and return it with its data."""
    config = Config(model=model, dataset=dataset, config_dict=SHARED | {"data_path": ".", "checkpoint_dir": "."} | settings)
    init_seed(config["seed"], True)
    data = create_dataset(config)
    parts = data_preparation(config, data)
    network = get_model(model)(config, parts[0]._dataset)
    get_trainer(config["MODEL_TYPE"], model)(config, network).fit(parts[0], saved=False, show_progress=False)
    fresh = get_trainer(config["MODEL_TYPE"], model)(config, network)
    fresh._save_checkpoint(0, verbose=False, saved_model_file=str(folder / f"{model}.pth"))
    return network.eval(), data, config


@torch.no_grad()
def scores_of_histories(network, data, config, histories):
    """`full_sort_predict` of histories of tokens, which RecBole cuts and pads as its dataset does."""
    longest = config["MAX_ITEM_LIST_LENGTH"]
    rows = torch.zeros(len(histories), longest, dtype=torch.int64)
    lengths = torch.tensor([min(len(history), longest) for history in histories])
    for row, history in zip(rows, histories):
        recent = data.token2id(data.iid_field, np.array(history[-longest:]))
        row[: len(recent)] = torch.from_numpy(recent)
    inputs = Interaction({network.ITEM_SEQ: rows, network.ITEM_SEQ_LEN: lengths})
    return network.full_sort_predict(inputs).view(len(histories), -1)[:, 1:]


@torch.no_grad()
def scores_of_users(network, data, users):
    """`full_sort_predict` of users."""
    inputs = Interaction({data.uid_field: torch.from_numpy(data.token2id(data.uid_field, np.array(users)))})
    return network.full_sort_predict(inputs).view(len(users), -1)[:, 1:]


def record(network, data, config, histories, path):
    """Write the tokens of all items by number, and the scores of some histories or users."""
    tokens = {side: data.field2id_token[field].tolist()[1:] for side, field in
              (("items", data.iid_field), ("users", data.uid_field))}
    if config["model"] == "BPR":
        users = tokens["users"][::4]
        written = tokens | {"scored": users, "scores": scores_of_users(network, data, users).tolist()}
    else:
        scores = scores_of_histories(network, data, config, histories)
        written = tokens | {"histories": histories, "scores": scores.tolist()}
    path.write_text(json.dumps(written, indent=None) + "\n")


def some_histories(items, longest):
    """Of one item, shorter than the longest that the model reads, as long, and longer."""
    random = np.random.default_rng(1)
    return [random.permutation(items)[:n].tolist() for n in (1, 2, 3, longest - 1, longest, longest + 1, longest + 5)]


def main(folder, models):
    """Write the files for these models."""
    folder.mkdir(parents=True, exist_ok=True)
    write_shop(folder)
    os.chdir(folder)  # so that no path of this machine gets into a checkpoint
    for model in models:
        network, data, config = train(model, SETTINGS[model], "shop", Path("."))
        histories = some_histories(data.field2id_token[data.iid_field][1:], config["MAX_ITEM_LIST_LENGTH"])
        record(network, data, config, histories, Path(f"{model}.json"))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:] or list(SETTINGS))
