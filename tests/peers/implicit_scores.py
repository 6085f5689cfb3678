"""Trains small factorisations with implicit and writes their files, and what its own `recommend` scores.

    python implicit_scores.py FOLDER

Runs in the environment "rectools" (environments.py), which has implicit. FOLDER gets, for each model, NAME.npz as
`model.save` wrote it and NAME.json with the ids and the expected scores.
"""

import json
import sys
from pathlib import Path

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from scipy.sparse import csr_matrix

MODELS = {"bpr": BayesianPersonalizedRanking, "als": AlternatingLeastSquares}


def record(name: str, folder: Path) -> None:
    """Train a model, save it, and write its scores."""
    rng = np.random.default_rng(0)
    counts = csr_matrix((rng.random((15, 20)) < 0.3).astype(np.float32))
    model = MODELS[name](factors=8, iterations=5, num_threads=1, random_state=0)
    model.fit(counts, show_progress=False)
    model.save(str(folder / f"{name}.npz"))
    users, items = [f"u{row}" for row in range(15)], [100 + 7 * code for code in range(20)]
    expected = []
    for row in (0, 3, 14):
        codes, scores = model.recommend(row, counts[row], N=20, filter_already_liked_items=False)
        history = [items[code] for code in counts[row].indices]
        case = {"user": users[row], "history": history, "items": [items[code] for code in codes]}
        expected.append(case | {"scores": [round(float(score), 7) for score in scores]})
    with (folder / f"{name}.json").open("w", encoding="utf-8") as file:
        json.dump({"users": users, "items": items, "expected": expected}, file)


if __name__ == "__main__":
    for each in MODELS:
        record(each, Path(sys.argv[1]))
