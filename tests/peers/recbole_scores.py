"""Trains small models with RecBole and writes their checkpoints, and what its own `full_sort_predict` scores.

    python recbole_scores.py FOLDER [MODEL ...]

Runs in the environment "recbole" (environments.py), or in "recbole-1.1" for an older release, whose names end in it.
FOLDER gets the atomic files of a small shop, in `shop`; recbole_MODEL.pth as RecBole's trainer saves it;
recbole_MODEL.safetensors and .json, which hold the same in a small form that the tests keep: tensors, and settings with
RecBole's order of items and users and the expected scores by their tokens; and `recbole_numbers.json`, with its order
under several filters.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before RecBole looks for one

import numpy as np
import recbole
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.interaction import Interaction
from recbole.utils import get_model, get_trainer, init_seed
from safetensors.torch import save_file

LONGEST = 6
SHARED = {
    "data_path": ".",
    "use_gpu": False,
    "show_progress": False,
    "epochs": 25,
    "train_batch_size": 64,
    "learning_rate": 0.02,
    "MAX_ITEM_LIST_LENGTH": LONGEST,
    "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
    "state": "ERROR",
}
ALL = {"inter": ["user_id", "item_id", "rating", "timestamp"], "item": ["item_id", "class"], "user": ["user_id", "age"]}
FILTERS = {  # of the models
    "load_col": {"inter": ALL["inter"], "item": ALL["item"]},
    "val_interval": {"rating": "[2,inf)"},
    "user_inter_num_interval": "[4,inf)",
    "item_inter_num_interval": "[2,inf)",
}
NUMBERINGS = (
    {"load_col": {"inter": ALL["inter"]}},
    {"load_col": ALL},
    {"load_col": None},
    {"load_col": ALL, "val_interval": {"age": "[20,30];(40,inf)", "class": ["red"]}},
    {"load_col": ALL, "filter_inter_by_user_or_item": False, "item_inter_num_interval": "[5,9)"},
    {"load_col": {"inter": ALL["inter"]}, "user_inter_num_interval": "[7,inf)", "item_inter_num_interval": "[6,inf)"},
    {"load_col": {"inter": ALL["inter"]}, "rm_dup_inter": "first"},
    {"load_col": {"inter": ALL["inter"]}, "rm_dup_inter": "last"},
)
NUMBERING = ("dataset", "_FIELD", "_separator", "_col", "filter", "interval", "rm_dup", "alias", "benchmark", "seq_len")
TRANSFORMER = {"hidden_size": 8, "inner_size": 12, "n_layers": 2, "n_heads": 2, "train_neg_sample_args": None}
MODELS = {
    "SASRec": TRANSFORMER,
    "GRU4Rec": {"embedding_size": 8, "hidden_size": 6, "num_layers": 2, "train_neg_sample_args": None},
    "BERT4Rec": TRANSFORMER | {"n_layers": 1, "hidden_act": "relu", "mask_ratio": 0.5},
    "BPR": {"embedding_size": 8},
}


def write_shop(folder: Path) -> None:
    """A shop of 24 users and 20 items. Ids are text; an item and a user have few rows, one item has none.

    Some rows come twice, with another time; one id is "NA", which pandas reads as missing, and one has quotes.
    """
    random = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    rows = ["u0\trare\t5\t1", "u1\tNA\t5\t2", 'u2\t"i 20"\t5\t3', 'u3\t"i 20"\t4\t4', "seldom\ti1\t5\t5"]
    for user in range(24):
        items = random.permutation(19)[: random.integers(3, 14)].tolist()
        for place, item in enumerate([*items, *items[:1]]):
            rows.append(f"u{user}\ti{item}\t{random.integers(1, 6)}\t{1000 * (24 - user) + place}")
    random.shuffle(rows)
    write(folder / "shop.inter", ["user_id:token\titem_id:token\trating:float\ttimestamp:float", *rows])
    items = [*(f"i{n}" for n in range(20)), "rare", "NA", '"i 20"']
    write(
        folder / "shop.item",
        ["item_id:token\tclass:token", *(f"{i}\t{'red' if n % 3 else 'blue'}" for n, i in enumerate(items))],
    )
    write(folder / "shop.user", ["user_id:token\tage:float", *(f"u{n}\t{20 + n}" for n in range(24))])


def write(path: Path, lines: list[str]) -> None:
    """Write lines of text."""
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def prepared(model: str, options: dict) -> tuple:
    """A configuration and the data that RecBole makes under it."""
    config = Config(model=model, dataset="shop", config_dict=SHARED | options)
    init_seed(config["seed"], True)
    return config, create_dataset(config)


def order(data) -> dict:
    """RecBole's order of items and users, without padding."""
    return {
        side: data.field2id_token[field].tolist()[1:]
        for side, field in (("items", data.iid_field), ("users", data.uid_field))
    }


@torch.no_grad()
def scores_of_histories(network, data, histories: list) -> torch.Tensor:
    """[history, item] `full_sort_predict` of histories of tokens, cut and padded as RecBole's dataset does."""
    rows = torch.zeros(len(histories), LONGEST, dtype=torch.int64)
    for row, history in zip(rows, histories, strict=True):
        recent = data.token2id(data.iid_field, np.array(history[-LONGEST:]))
        row[: len(recent)] = torch.from_numpy(recent)
    inputs = Interaction({network.ITEM_SEQ: rows, network.ITEM_SEQ_LEN: (rows > 0).sum(dim=1)})
    return network.full_sort_predict(inputs).view(len(histories), -1)[:, 1:]


@torch.no_grad()
def scores_of_users(network, data, users: list) -> torch.Tensor:
    """[user, item] `full_sort_predict` of users."""
    inputs = Interaction({data.uid_field: torch.from_numpy(data.token2id(data.uid_field, np.array(users)))})
    return network.full_sort_predict(inputs).view(len(users), -1)[:, 1:]


def record(model: str, folder: Path) -> None:
    """Train a model, save it without the optimizer's state, and write its scores for some histories or users."""
    config, data = prepared(model, {"checkpoint_dir": "."} | FILTERS | MODELS[model])
    train, _, _ = data_preparation(config, data)
    network = get_model(model)(config, train._dataset)
    get_trainer(config["MODEL_TYPE"], model)(config, network).fit(train, saved=False, show_progress=False)
    release = "" if recbole.__version__ >= "1.2" else "_1.1"
    path = folder / f"recbole_{model.lower()}{release}.pth"
    get_trainer(config["MODEL_TYPE"], model)(config, network)._save_checkpoint(
        0, verbose=False, saved_model_file=str(path)
    )
    network.eval()
    random, tokens = np.random.default_rng(1), order(data)
    lengths = (1, 2, 3, LONGEST - 1, LONGEST, LONGEST + 1, LONGEST + 5)
    histories = [random.permutation(tokens["items"])[:n].tolist() for n in lengths]
    if model == "BPR":
        cases = [
            {"user": user, "history": history} for user, history in zip(tokens["users"][::3], histories, strict=False)
        ]
        scores = scores_of_users(network, data, [case["user"] for case in cases])
    else:
        cases = [{"history": history} for history in histories]
        scores = scores_of_histories(network, data, histories)
    expected = [
        case | {"items": tokens["items"], "scores": np.round(row.double().numpy(), 7).tolist()}
        for case, row in zip(cases, scores, strict=True)
    ]
    settings = json.loads(json.dumps(config.final_config_dict, default=str))
    save_file(
        {name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path.with_suffix(".safetensors")
    )
    write(path.with_suffix(".json"), [json.dumps({"config": settings, **tokens, "expected": expected})])


def record_numbers(folder: Path) -> None:
    """Write the order of items and users under several filters."""
    records = []
    for options in NUMBERINGS:
        config, data = prepared("BPR", options)
        settings = {
            key: value for key, value in config.final_config_dict.items() if any(part in key for part in NUMBERING)
        }
        records.append({"config": settings, **order(data)})
    write(folder / "recbole_numbers.json", [json.dumps(records)])


if __name__ == "__main__":
    torch.set_num_threads(1)
    target, models = Path(sys.argv[1]).resolve(), sys.argv[2:] or [*MODELS, "numbers"]
    write_shop(target / "shop")
    with tempfile.TemporaryDirectory() as place:
        os.symlink(target / "shop", Path(place) / "shop")
        os.chdir(place)  # RecBole writes logs where it runs; and no path of this machine gets into a checkpoint
        for name in models:
            record_numbers(target) if name == "numbers" else record(name, target)
