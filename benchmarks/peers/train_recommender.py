"""Trains SASRec with another library, from the start for some epochs, whenever it is asked.

    python train_recommender.py LIBRARY SEQUENCES EPOCHS

SEQUENCES (.csv) has user, item (from 1) and time; everyone's last item is held out. It answers with the NDCG@10 of
the held-out items among those that are new to their users. Settings: benchmarks/recommender.py.
"""

import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from serve import serve  # first: it redirects what libraries print

torch.set_num_threads(1)
library, table, epochs = sys.argv[1], pd.read_csv(sys.argv[2]), int(sys.argv[3])
is_last = ~table.duplicated("user", keep="last")


def rectools():
    """Its `fit` and `recommend`."""
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    names = {"user": Columns.User, "item": Columns.Item, "time": Columns.Datetime}
    train = table[~is_last].rename(columns=names).assign(**{Columns.Weight: 1.0})
    train[Columns.Datetime] = pd.to_datetime(train[Columns.Datetime], unit="s")
    data = Dataset.construct(train)

    def work():
        model = SASRecModel(
            n_factors=64,
            n_blocks=2,
            n_heads=2,
            session_max_len=32,
            dropout_rate=0.1,
            loss="softmax",
            lr=0.001,
            batch_size=128,
            epochs=epochs,
            verbose=0,
        )
        model.fit(data)

        def check():
            lists = model.recommend(table["user"].unique(), data, k=10, filter_viewed=True)
            both = lists.merge(table[is_last], left_on=[Columns.User, Columns.Item], right_on=["user", "item"])
            return {"ndcg": float((1 / np.log2(both[Columns.Rank] + 1)).sum() / table["user"].nunique())}

        return check

    return work


def recbole():
    """Its trainer's `fit` and `evaluate`."""
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    home = Path(tempfile.mkdtemp())
    (home / "planted").mkdir()
    heads = {"user": "user_id:token", "item": "item_id:token", "time": "timestamp:float"}
    table.rename(columns=heads).to_csv(home / "planted" / "planted.inter", sep="\t", index=False)
    sys.argv = sys.argv[:1]  # RecBole reads the command line
    settings = {
        "data_path": str(home),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "eval_args": {"split": {"LS": "valid_only"}, "order": "TO", "group_by": "user", "mode": "full"},
        "metrics": ["NDCG"],
        "valid_metric": "NDCG@10",
        "topk": [10],
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "MAX_ITEM_LIST_LENGTH": 32,
        "hidden_size": 64,
        "inner_size": 256,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dropout_prob": 0.1,
        "attn_dropout_prob": 0.1,
        "learning_rate": 0.001,
        "train_batch_size": 128,
        "epochs": epochs,
        "use_gpu": False,
        "show_progress": False,
        "state": "ERROR",
        "checkpoint_dir": str(home / "saved"),
    }
    config = Config(model="SASRec", dataset="planted", config_dict=settings)
    init_seed(config["seed"], True)
    train, valid, _ = data_preparation(config, create_dataset(config))

    def work():
        trainer = get_trainer(config["MODEL_TYPE"], "SASRec")(config, get_model("SASRec")(config, train._dataset))
        trainer.fit(train, saved=False, show_progress=False)
        return lambda: {"ndcg": float(trainer.evaluate(valid, load_best_model=False)["ndcg@10"])}

    return work


if __name__ == "__main__":
    serve({"rectools": rectools, "recbole": recbole}[library]())
