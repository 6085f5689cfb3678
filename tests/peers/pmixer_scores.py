"""Trains small models with pmixer's SASRec.pytorch and writes its tensors, and what its own `predict` scores.

    python pmixer_scores.py CHECKOUT FOLDER NAME

CHECKOUT is the folder of its model.py: no package index has it. NAME is the end of the files' names: with "pre-norm" in
it the model has --norm_first; "original" and "oldest" are of releases before May 2025 and before June 2024. FOLDER gets
pmixer_NAME.safetensors and pmixer_NAME.json, with args.txt as main.py writes it and the expected scores by item.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from safetensors.torch import save_file

ITEMS, MAXLEN, STEPS = 20, 6, 60
LENGTHS = (1, 2, 3, MAXLEN - 1, MAXLEN, MAXLEN + 1, MAXLEN + 5)


def padded(items: list[int]) -> np.ndarray:
    """[maxlen] the last items as `evaluate` in utils.py lays them out."""
    row = np.zeros(MAXLEN, dtype=np.int32)
    recent = items[-MAXLEN:]
    row[MAXLEN - len(recent) :] = recent
    return row


def train(model: torch.nn.Module, random: np.random.Generator) -> None:
    """As in main.py, but on random sequences."""
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.xavier_normal_(parameter.data)
    if len(model.pos_emb.weight) > MAXLEN:  # as in main.py since June 2024
        model.pos_emb.weight.data[0] = 0
        model.item_emb.weight.data[0] = 0
    optimizer, loss_of = torch.optim.Adam(model.parameters(), lr=0.02), torch.nn.BCEWithLogitsLoss()
    for _ in range(STEPS):
        full = [random.permutation(ITEMS)[: random.integers(2, MAXLEN + 2)] + 1 for _ in range(16)]
        rows, following = (
            np.stack([padded(x[:-1].tolist()) for x in full]),
            np.stack([padded(x[1:].tolist()) for x in full]),
        )
        wrong = random.integers(1, ITEMS + 1, rows.shape)
        right_logits, wrong_logits = model(np.arange(16), rows, following, wrong)
        real = np.where(following != 0)
        loss = loss_of(right_logits[real], torch.ones(len(real[0]))) + loss_of(
            wrong_logits[real], torch.zeros(len(real[0]))
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def record(folder: Path, name: str) -> None:
    """Train a model and write it and its scores."""
    from model import SASRec

    torch.manual_seed(0)
    random = np.random.default_rng(0)
    words = {
        "dataset": "shop",
        "maxlen": MAXLEN,
        "hidden_units": 8,
        "num_blocks": 2,
        "num_heads": 2,
        "dropout_rate": 0.2,
    }
    words["device"] = "cpu"
    if name in ("pre-norm", "post-norm"):
        words["norm_first"] = name == "pre-norm"
    model = SASRec(16, ITEMS, SimpleNamespace(**words))
    train(model, random)
    model.eval()
    expected = []
    for n in LENGTHS:
        history = (random.permutation(ITEMS)[:n] + 1).tolist()
        with torch.no_grad():
            scores = model.predict(np.array([1]), np.stack([padded(history)]), np.arange(1, ITEMS + 1))[0]
        expected.append({"history": history, "items": list(range(1, ITEMS + 1)), "scores": scores.tolist()})
    arguments = "\n".join(f"{key},{value}" for key, value in sorted(words.items()))
    save_file(
        {key: value.contiguous() for key, value in model.state_dict().items()}, folder / f"pmixer_{name}.safetensors"
    )
    text = json.dumps({"arguments": arguments, "expected": expected})
    (folder / f"pmixer_{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.path.insert(0, sys.argv[1])
    record(Path(sys.argv[2]), sys.argv[3])
