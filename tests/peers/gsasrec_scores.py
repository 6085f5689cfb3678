"""Trains small models with gSASRec-pytorch and writes its tensors, and what its own `get_predictions` scores.

    python gsasrec_scores.py CHECKOUT FOLDER [NAME …]

CHECKOUT is the folder of its gsasrec.py: no package index has it. NAME is "untied" or "tied"; FOLDER gets
gsasrec_NAME.safetensors and gsasrec_NAME.json, with the expected scores by item.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

ITEMS, LENGTH, STEPS = 20, 6, 60
LENGTHS = (1, 2, 3, LENGTH - 1, LENGTH, LENGTH + 1, LENGTH + 5)


def padded(items: list[int], length: int) -> list[int]:
    """The last items as `SequenceDataset` in dataset_utils.py lays them out."""
    recent = items[-length:]
    return [ITEMS + 1] * (length - len(recent)) + recent


def some_items(n: int) -> list[int]:
    """N different items."""
    return (torch.randperm(ITEMS)[:n] + 1).tolist()


def train(model: torch.nn.Module) -> None:
    """As in train_gsasrec.py, but on random sequences and with the cross-entropy."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(STEPS):
        rows = torch.tensor([padded(some_items(int(torch.randint(2, LENGTH + 2, ()))), LENGTH + 1) for _ in range(16)])
        hidden, _ = model(rows[:, :-1])
        real = rows[:, 1:] <= ITEMS
        logits = hidden[real] @ model.get_output_embeddings().weight.T
        loss = torch.nn.functional.cross_entropy(logits, rows[:, 1:][real])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def record(folder: Path, name: str) -> None:
    """Train a model and write it and its scores."""
    from gsasrec import GSASRec

    torch.manual_seed(0)
    model = GSASRec(
        ITEMS,
        sequence_length=LENGTH,
        embedding_dim=8,
        num_heads=2,
        num_blocks=2,
        dropout_rate=0.2,
        reuse_item_embeddings=name == "tied",
    )
    train(model)
    model.eval()
    expected = []
    for n in LENGTHS:
        history = some_items(n)
        items, scores = model.get_predictions(torch.tensor([padded(history, LENGTH)]), ITEMS)
        expected.append({"history": history, "items": items[0].tolist(), "scores": scores[0].tolist()})
    save_file(
        {key: value.contiguous() for key, value in model.state_dict().items()}, folder / f"gsasrec_{name}.safetensors"
    )
    (folder / f"gsasrec_{name}.json").write_text(json.dumps({"expected": expected}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.path.insert(0, sys.argv[1])
    for each in sys.argv[3:] or ("untied", "tied"):
        record(Path(sys.argv[2]), each)
