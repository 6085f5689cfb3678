"""A comparison made by hand, of two hand-made studies with hostile names: which features match is known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from pages import CONCEPTS, DEAD, N, handmade_study

from interp.control.receipts import receipt
from interp.features.matching import matches
from interp.study.compare import QUALITY, Comparison
from interp.study.matches import Matches

MERGED, WENT = 4, 6  # old features: 4 is closest to new 3, as old 3 is; nothing is like 6
SHIFT = 1  # old feature f is new feature f + 1, but for these; the last is the first


def handmade_comparison(folder) -> Comparison:
    """Old feature f correlates by 0.9 with new feature f + 1, by chance 0.2; 3 and 4 share new feature 4."""
    old, new = (handmade_study(folder / name) for name in ("march", "april"))
    for study, digits in ((old, "aa"), (new, "bb")):
        vars(study)["sae"] = SimpleNamespace(fingerprint=digits, config=SimpleNamespace(name=f"top_k-{digits}"))
    score = np.full((N, N), 0.1)
    score[np.arange(N), (np.arange(N) + SHIFT) % N] = 0.9
    score[MERGED] = 0.1
    score[MERGED, (3 + SHIFT)] = 0.8  # which new feature is closer to old 3
    score[WENT] = 0.05
    chance = np.full((99, N), 0.2), np.full((99, N), 0.2)
    alive = np.arange(N) != DEAD
    table = matches(score, chance, [alive, np.ones(N, dtype=bool)])
    beside = {"written": 0.6, "written_percentile": 0.95, "held": 0.5, "held_percentile": 0.9}
    table = table.assign(**beside, density=0.1, p99=1.0, std=1.0, label="", match_label="")
    read = {"users": 30, "items": range(50), "left_out": 2, "inputs": [SimpleNamespace(offsets=[0, 400])]}
    histories = SimpleNamespace(studies=(old, new), are_test_users=True, seen_by=[], **read)
    similarity = {"score": score, "written": score * 0.5, "held": score * 0.25}
    own = Matches(histories, table, similarity, (chance[0].mean(axis=0), chance[1].mean(axis=0)))
    concepts = pd.DataFrame(
        {"concept": CONCEPTS, "feature_old": [1, 2, WENT], "feature_new": [2, 9, 5], "match": [2, 3, -1]}
    )
    concepts["same"] = [True, False, False]
    for side in ("old", "new"):
        bounds = {f"unseen_items_{side}": 0.4, f"unseen_items_low_{side}": 0.3, f"unseen_items_high_{side}": 0.5}
        concepts = concepts.assign(**bounds)
        concepts[f"passes_{side}"] = [True, False, False]
    rng = np.random.default_rng(0)
    labels = rng.random((50, len(CONCEPTS))) < 0.3
    lists = [rng.permuted(np.tile(np.arange(50), (30, 1)), axis=1)[:, :10] for _ in range(2)]
    changed = receipt(lists[0], lists[1], labels, CONCEPTS, np.arange(50.0), np.arange(30) % 50, ids=old.items.index)
    quality = pd.DataFrame({"measure": QUALITY, "old": 0.25, "new": [45, 12.0, 0.5, 0.1, np.nan]})
    quality = quality.assign(old_low=[np.nan] * 3 + [0.2] * 2, old_high=0.3, new_low=np.nan, new_high=np.nan)
    return Comparison(old, new, own, concepts, changed, quality)
