"""Trains small models with RePlay and writes their checkpoints, and what its own prediction scores.

    python replay_scores.py FOLDER

Runs in the environment "replay" (environments.py). For each model FOLDER gets NAME.ckpt as Lightning saved it and the
tokenizer or label encoder NAME.replay; NAME.safetensors and NAME.json hold the same in a small form, which the tests
keep.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pandas as pd
import torch
from replay.data import Dataset, FeatureHint, FeatureInfo, FeatureSchema, FeatureSource, FeatureType
from replay.data.nn import SequenceTokenizer, TensorFeatureInfo, TensorFeatureSource, TensorSchema
from replay.models.nn.sequential import Bert4Rec
from replay.models.nn.sequential import SasRec as OldSasRec
from replay.models.nn.sequential.bert4rec import Bert4RecPredictionDataset, Bert4RecTrainingDataset
from replay.models.nn.sequential.sasrec import SasRecPredictionDataset, SasRecTrainingDataset
from replay.nn.lightning import LightningModule
from replay.nn.sequential import SasRec
from replay.preprocessing import LabelEncoder, LabelEncodingRule
from safetensors.torch import save_file
from torch.utils.data import DataLoader

LENGTHS = (1, 2, 5, 6, 7, 11)  # of the histories whose scores are written
LONGEST = 6
SIZES = {"block_count": 2, "head_count": 2, "hidden_size": 8, "max_seq_len": LONGEST}
OLD: dict[str, tuple[Any, dict[str, Any]]] = {
    "sasrec": (OldSasRec, {}),
    "bert4rec": (Bert4Rec, {}),
    "bert4rec_tied": (
        Bert4Rec,
        {
            "enable_embedding_tying": True,
            "enable_positional_embedding": False,
            "pass_per_transformer_block_count": 2,
        },
    ),
}


def interactions() -> pd.DataFrame:
    """30 users, 20 items whose ids are neither sorted nor consecutive."""
    rng = np.random.default_rng(0)
    ids = rng.permutation(np.arange(20) * 7 + 100)
    lengths = [*LENGTHS, *rng.integers(3, 12, 24)]
    rows = [(user, int(ids[item])) for user, n in enumerate(lengths) for item in rng.integers(0, 20, n)]
    return pd.DataFrame(rows, columns=["user_id", "item_id"]).assign(timestamp=np.arange(len(rows)))


def train(model: Any, batches: Any) -> lightning.Trainer:
    """Train for two epochs."""
    trainer = lightning.Trainer(
        max_epochs=2, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False
    )
    trainer.fit(model, batches)
    return trainer


def write(name: str, folder: Path, settings: dict[str, Any], ids: list[int], scores: torch.Tensor) -> None:
    """The small form of a checkpoint and its scores, which have a row per user and a column per code."""
    frame = interactions()
    expected = [
        {
            "history": frame.loc[frame["user_id"] == user, "item_id"].tolist(),
            "items": ids,
            "scores": [round(float(score), 7) for score in scores[user]],
        }
        for user in range(len(LENGTHS))
    ]
    checkpoint = torch.load(folder / f"{name}.ckpt", weights_only=False)  # which this script has just written
    tensors = {key: tensor.clone().contiguous() for key, tensor in checkpoint["state_dict"].items()}
    save_file(tensors, folder / f"{name}.safetensors")
    with (folder / f"{name}.json").open("w", encoding="utf-8") as file:
        json.dump(settings | {"expected": expected}, file)


def record_old(name: str, folder: Path) -> None:
    """Train, save and score a model of `replay.models.nn`."""
    lightning.seed_everything(0)
    kind, options = OLD[name]
    features = FeatureSchema(
        [
            FeatureInfo("user_id", FeatureType.CATEGORICAL, FeatureHint.QUERY_ID),
            FeatureInfo("item_id", FeatureType.CATEGORICAL, FeatureHint.ITEM_ID),
            FeatureInfo("timestamp", FeatureType.NUMERICAL, FeatureHint.TIMESTAMP),
        ]
    )
    data = Dataset(features, interactions())
    source = TensorFeatureSource(FeatureSource.INTERACTIONS, "item_id")
    schema = TensorSchema(
        TensorFeatureInfo(
            "item_id_seq",
            FeatureType.CATEGORICAL,
            is_seq=True,
            feature_hint=FeatureHint.ITEM_ID,
            feature_sources=[source],
            embedding_dim=8,
        )
    )
    tokenizer = SequenceTokenizer(schema, allow_collect_to_master=True)
    tokenizer.fit(data)
    sequences = tokenizer.transform(data)
    model = kind(tokenizer.tensor_schema, **SIZES, **options)
    is_bert = kind is Bert4Rec
    training, prediction = (
        (Bert4RecTrainingDataset, Bert4RecPredictionDataset)
        if is_bert
        else (SasRecTrainingDataset, SasRecPredictionDataset)
    )
    trainer = train(model, DataLoader(training(sequences, LONGEST), batch_size=8))
    trainer.save_checkpoint(folder / f"{name}.ckpt")
    tokenizer.save(str(folder / name))
    rows = DataLoader(prediction(sequences, LONGEST), batch_size=64)
    model.eval()
    with torch.no_grad():
        (batch,) = list(rows)
        scores = model.predict(batch)
    codes = batch["query_id"].flatten().tolist()
    users = [tokenizer.query_id_encoder.mapping["user_id"][user] for user in range(len(LENGTHS))]
    mapping = tokenizer.item_id_encoder.mapping["item_id"]
    stored = json.loads((folder / f"{name}.replay" / "init_args.json").read_text(encoding="utf-8"))
    plain = {key: value for key, value in model.hparams.items() if isinstance(value, (int, float, str))}
    write(
        name,
        folder,
        {"hyper_parameters": plain, "tokenizer": stored},
        sorted(mapping, key=mapping.get),
        scores[[codes.index(user) for user in users]],
    )


def record_new(name: str, folder: Path) -> None:
    """Train, save and score a model of `replay.nn`."""
    lightning.seed_everything(0)
    encoder = LabelEncoder([LabelEncodingRule("user_id"), LabelEncodingRule("item_id")])
    frame = encoder.fit_transform(interactions())
    mapping = encoder.mapping["item_id"]
    n = len(mapping)
    schema = TensorSchema(
        TensorFeatureInfo(
            "item_id",
            FeatureType.CATEGORICAL,
            is_seq=True,
            feature_hint=FeatureHint.ITEM_ID,
            padding_value=n,
            cardinality=n,
            embedding_dim=8,
        )
    )
    network = SasRec.from_params(schema, embedding_dim=8, num_heads=2, num_blocks=2, max_sequence_length=LONGEST)
    model = LightningModule(network)
    histories = [frame.loc[frame["user_id"] == code, "item_id"].tolist() for code in range(30)]

    def padded(items: list[int], width: int) -> list[int]:
        items = items[-width:]
        return [n] * (width - len(items)) + items

    batches = []
    for start in range(0, len(histories), 8):
        rows = torch.tensor([padded(items, LONGEST + 1) for items in histories[start : start + 8]])
        inputs, labels = rows[:, :-1], rows[:, 1:]
        batches.append(
            {
                "feature_tensors": {"item_id": inputs},
                "padding_mask": inputs != n,
                "positive_labels": labels[..., None],
                "target_padding_mask": (labels != n)[..., None],
            }
        )
    trainer = train(model, DataLoader(batches, batch_size=None))
    trainer.save_checkpoint(folder / f"{name}.ckpt")
    encoder.save(str(folder / name))
    model.eval()
    with torch.no_grad():
        users = [encoder.mapping["user_id"][user] for user in range(len(LENGTHS))]
        inputs = torch.tensor([padded(histories[user], LONGEST) for user in users])
        batch = {"feature_tensors": {"item_id": inputs}, "padding_mask": inputs != n}
        scores = model.predict_step(batch, 0)["logits"]
    rule = folder / f"{name}.replay" / "rules" / "LabelEncodingRule_item_id.replay" / "init_args.json"
    settings = {"rule": json.loads(rule.read_text(encoding="utf-8")), "heads": 2}
    write(name, folder, settings, sorted(mapping, key=mapping.get), scores)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    target = Path(sys.argv[1])
    for each in OLD:
        record_old(each, target)
    record_new("sasrec_new", target)
