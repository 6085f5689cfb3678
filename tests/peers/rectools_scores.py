"""Trains small models with RecTools and writes their checkpoints, and what its own `recommend` scores.

    python rectools_scores.py FOLDER [NAME ...]

Runs in the environment "rectools" (environments.py). For each model FOLDER gets NAME.ckpt as Lightning saved it;
NAME.safetensors and NAME.json hold the same in a small form that the tests keep: tensors, and settings with the
expected scores by item id.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import BERT4RecModel, HSTUModel, SASRecModel
from rectools.models.nn.transformers.ligr import LiGRLayers
from safetensors.torch import save_file

SMALL = {"n_factors": 8, "n_heads": 2, "n_blocks": 2, "session_max_len": 6, "epochs": 2, "batch_size": 8}
MODELS = {
    "sasrec": (SASRecModel, {}),
    "sasrec_masked": (SASRecModel, {"use_key_padding_mask": True, "similarity_module_kwargs": {"distance": "cosine"}}),
    "ligr": (SASRecModel, {"transformer_layers_type": LiGRLayers, "use_key_padding_mask": True}),
    "bert4rec": (BERT4RecModel, {}),
    "hstu": (HSTUModel, {}),
    "hstu_untimed": (HSTUModel, {"relative_time_attention": False, "use_pos_emb": False}),
}
LENGTHS = (1, 2, 5, 6, 7, 11)  # of the histories whose scores are written
LATER = 5000  # seconds from a history's end to its request


def interactions() -> pd.DataFrame:
    """30 users, 20 items whose ids are neither sorted nor consecutive, with features."""
    rng = np.random.default_rng(0)
    ids = rng.permutation(np.arange(20) * 7 + 100)
    lengths = [*LENGTHS, *rng.integers(3, 12, 24)]
    rows = [(f"u{user}", int(ids[item])) for user, n in enumerate(lengths) for item in rng.integers(0, 20, n)]
    frame = pd.DataFrame(rows, columns=[Columns.User, Columns.Item])
    frame["time"] = 1_500_000_000 + np.cumsum(rng.integers(1, 30000, len(frame)))
    return frame


def dataset(frame: pd.DataFrame, has_features: bool) -> Dataset:
    """The interactions as RecTools reads them."""
    table = frame[[Columns.User, Columns.Item]].assign(
        **{Columns.Weight: 1.0, Columns.Datetime: pd.to_datetime(frame["time"], unit="s")}
    )
    if not has_features:
        return Dataset.construct(table)
    items = table[Columns.Item].unique()
    features = pd.DataFrame(
        [(item, kind, value) for item in items for kind, value in (("genre", item % 3), ("year", item % 2))][:-1],
        columns=["id", "feature", "value"],
    )
    return Dataset.construct(table, item_features_df=features, cat_item_features=["genre", "year"])


def record(name: str, folder: Path) -> None:
    """Train a model, save it, and write its scores for some histories."""
    kind, options = MODELS[name]
    pl.seed_everything(0)
    frame = interactions()
    model = kind(**SMALL, **options)
    data = dataset(frame, has_features=name == "sasrec_masked")
    model.fit(data)
    model.fit_trainer.save_checkpoint(folder / f"{name}.ckpt")
    users = [f"u{user}" for user in range(len(LENGTHS))]
    request = frame[frame[Columns.User].isin(users)].groupby(Columns.User)["time"].max() + LATER
    context = {}
    if getattr(model, "require_recommend_context", False):
        times = pd.to_datetime(request, unit="s")
        context["context"] = pd.DataFrame(
            {Columns.User: times.index, Columns.Datetime: times.to_numpy(), Columns.Weight: 1.0, Columns.Item: 0}
        )
    table = model.recommend(users=users, dataset=data, k=20, filter_viewed=False, **context)
    expected = []
    for user in users:
        history = frame[frame[Columns.User] == user]
        scores = table[table[Columns.User] == user].set_index(Columns.Item)[Columns.Score]
        expected.append(
            {
                "history": history[Columns.Item].tolist(),
                "columns": {"time": history["time"].tolist()},
                "request": int(request[user]),
                "items": scores.index.tolist(),
                "scores": scores.astype(float).round(7).tolist(),
            }
        )
    checkpoint = torch.load(folder / f"{name}.ckpt", weights_only=False)  # which this script has just written
    settings = checkpoint["hyper_parameters"] | {
        "item_external_ids": checkpoint["hyper_parameters"]["item_external_ids"].tolist()
    }
    save_file(
        {key: tensor.contiguous() for key, tensor in checkpoint["state_dict"].items()}, folder / f"{name}.safetensors"
    )
    with (folder / f"{name}.json").open("w", encoding="utf-8") as file:
        json.dump({"hyper_parameters": settings, "expected": expected}, file)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for each in sys.argv[2:] or MODELS:
        record(each, Path(sys.argv[1]))
