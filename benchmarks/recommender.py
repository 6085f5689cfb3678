"""How long a recommender trains until it lists as well as RecBole's and RecTools' SASRec, on the same sequences.

Sequences are planted: of each item, one of four others follows, with some noise. Everyone's last item is held out. Each
library trains from the start for 1, 2, 4, … epochs by its own `fit`, on one thread: 2 blocks of width 64 with 2 heads,
the last 32 steps, cross-entropy over all items, batches of 128, Adam at 0.001, dropout 0.1. NDCG@10 ranks the held-out
item among all that are new to its user. RecBole makes an example of every prefix of a sequence, the others predict all
steps of a sequence at once, so that an epoch is not the same work: compare the seconds to the same NDCG, which is what
the weakest reaches, less 2%. Ours also validates 200 users after each epoch, and keeps the best.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.peer import Missing, peer
from benchmarks.timing import Row, checked, compare, left_out
from recmodels.config import TrainingConfig
from recmodels.ranking import evaluate
from recmodels.recommender import Recommender
from recmodels.sequences import histories_of
from recmodels.training import fit

LIBRARIES = {"RecBole's SASRec": "recbole", "RecTools' SASRec": "rectools"}
EPOCHS = (1, 2, 4, 8, 16)
STEPS, NEXT = 32, 4
VALIDATED = 200  # users
ENOUGH = 0.98  # of the weakest library's best NDCG
CONFIG = TrainingConfig(num_hidden_layers=2, max_history=STEPS, validation_items=1)


def rows(small: bool = False, repeats: int = 5) -> list[Row]:
    """One row for each library and number of epochs, timed once whatever `repeats` is."""
    torch.set_num_threads(1)
    table = sequences(60, 40) if small else sequences(1_000, 1_000)
    result: list[Row] = []
    reached: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "sequences.csv"
        table.to_csv(path, index=False)
        for epochs in (1, 2) if small else EPOCHS:
            for row in trained(table, path, Path(name), epochs):
                result.append(row)
                if row.seconds:
                    reached.setdefault(row.name, []).append((row.checks["ndcg@10"], row.seconds[0]))
    goal = ENOUGH * min(max(ndcg for ndcg, _ in pairs) for pairs in reached.values())
    for name, pairs in reached.items():
        seconds = min(taken for ndcg, taken in pairs if ndcg >= goal)
        result.append(Row(f"first to NDCG@10 {goal:.3f}", name, (seconds,), ()))
    return result


def sequences(users: int, items: int) -> pd.DataFrame:
    """Planted interactions: user, item (from 1), time; 20 to 50 different items a user."""
    rng = np.random.default_rng(0)
    after = rng.integers(0, items, (items, NEXT))
    parts = []
    for user in range(users):
        codes = list(dict.fromkeys(_walk(after, int(rng.integers(20, 51)), rng)))
        parts.append(pd.DataFrame({"user": user, "item": np.array(codes) + 1, "time": range(len(codes))}))
    return pd.concat(parts, ignore_index=True)


def _walk(after: np.ndarray, length: int, rng: np.random.Generator) -> list[int]:
    steps = [int(rng.integers(len(after)))]
    while len(steps) < length:
        follows = rng.random() < 0.8
        steps.append(int(after[steps[-1], rng.integers(NEXT)] if follows else rng.integers(len(after))))
    return steps


def trained(table: pd.DataFrame, path: Path, folder: Path, epochs: int) -> list[Row]:
    """Ours and the others, from the start, for some epochs."""
    made: list[Recommender] = []
    is_last = ~table.duplicated("user", keep="last")
    some = table["user"] < VALIDATED

    def ours() -> None:
        config = replace(CONFIG, max_epochs=epochs, patience=epochs)
        made.append(fit(table[~is_last], table[some], config, folder / f"ours-{epochs}"))

    work, missing, result = f"{epochs} epochs", [], []
    with ExitStack() as stack:
        ways, peers = {"ours": ours}, {}
        for label, library in LIBRARIES.items():
            try:
                process = stack.enter_context(peer(library, "train_recommender.py", library, path, epochs))
                ways[label] = peers[label] = process
            except Missing as reason:
                missing.append(left_out(work, label, str(reason)))
        result = compare(work, ways, repeats=1, warm_up=0)
    histories = histories_of(table, made[0].vocabulary)
    scores = evaluate(made[0].score, histories, np.arange(len(made[0].vocabulary)))
    result = checked(result, "ours", 0 <= scores["ndcg@10"] <= 1, **{"ndcg@10": scores["ndcg@10"]})
    for label, process in peers.items():
        ndcg = process.answer["ndcg"]
        result = checked(result, label, 0 <= ndcg <= 1, **{"ndcg@10": ndcg})
    return [*result, *missing]
