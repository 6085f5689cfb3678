"""All scores of features × concepts, ours and a loop of scikit-learn and NumPy, side by side on the same rows.

A row of activations is a step of a user; labels belong to items. The work: Pearson correlation, exact AUC and
sensitivity of every feature and concept; the null of the largest correlation, of its AUC and sensitivity and of the
correlation on unseen items, over permutations of the items' labels; and the choice on halves of the items, five times.
The loop does the same with `sklearn.metrics.roc_auc_score` and `numpy.corrcoef` for each pair. It runs on a few pairs
and permutations, on which both must give the same numbers, and its time is scaled up to all. All times are processor
times.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics import roc_auc_score

from benchmarks.timing import Row, checked, with_ratios
from interp.concepts import Concepts, evidence
from interp.concepts.alignment import align
from interp.concepts.cross_fit import ItemLabels
from interp.concepts.evidence import REPEATS, ItemTest, Rows, _fit, _null, _observed
from interp.concepts.item_sums import active_sums, rank_sums

TOLERANCE = 1e-5  # single precision on our side


@dataclass(frozen=True)
class Sizes:
    """How much work."""

    rows: int = 30_000
    features: int = 512
    concepts: int = 18
    items: int = 3_000
    permutations: int = 1_000
    pairs: int = 40
    """Pairs of feature and concept that the loop is timed on, at each of its steps."""


def activations(rows: int, features: int, rng: np.random.Generator) -> sparse.csc_array:
    """Sparse activations [n, f], three in a hundred above 0, with ties."""
    h = sparse.csc_array(sparse.random_array((rows, features), density=0.03, rng=rng), dtype=np.float32)
    h.data = h.data.round(2) + np.float32(0.01)
    return h


def rows(small: bool = False, repeats: int = 5) -> list[Row]:
    """Both ways, timed once each, whatever `repeats` is; the loop on some pairs, scaled up."""
    options = Sizes(2_000, 40, 5, 200, 20, 10) if small else Sizes()
    rng = np.random.default_rng(0)
    h, row_items = activations(options.rows, options.features, rng), rng.integers(0, options.items, options.rows)
    table = rng.random((options.items, options.concepts)) < 0.15
    concepts = Concepts([f"c{c}" for c in range(options.concepts)], pd.Index(np.arange(options.items)), table)
    cpu = time.process_time()
    test = ItemTest(concepts, row_items, row_items)
    evidence.PERMUTATIONS = options.permutations
    labels = table[row_items]
    alignment = align(h, labels, concepts.names)
    part = Rows(h, row_items, row_items)
    fit, sums = _fit(ItemLabels(test.labels, test.halves), part)
    ranks, active = (sum_up(h, row_items, np.float32) for sum_up in (rank_sums, active_sums))
    observed = _observed(test, part, fit) | {"unseen_items": fit.by_concept()[1]}
    null = _null(test, observed, fit.by_candidate()[1], sums, ranks, active, "features")
    cpu = time.process_time() - cpu
    ours = Row("all scores", "ours", (cpu,), (cpu,))
    dense, order = h.toarray(), next(test.orders)
    f, c = (rng.integers(0, n, options.pairs) for n in (options.features, options.concepts))
    columns = dense[:, f].astype(np.float64)
    permuted = test.labels[order][test.row]
    first_half = test.halves[0, test.row]

    def alone(i: int) -> tuple[float, float, float]:
        x, y = columns[:, i], labels[:, c[i]]
        return float(np.corrcoef(x, y)[0, 1]), float(roc_auc_score(y, x)), float((x > 0)[y].mean())

    def on_half(i: int, y: np.ndarray) -> float:
        return float(np.corrcoef(columns[first_half, i], y[first_half, c[i]])[0, 1])

    def of_permutation(i: int) -> float:
        return float(np.corrcoef(columns[:, i], permuted[:, c[i]])[0, 1])

    seconds, single = _time(lambda: [alone(i) for i in range(options.pairs)])
    of_half, halves = _time(lambda: [on_half(i, labels) for i in range(options.pairs)])
    of_null, whole = _time(lambda: [of_permutation(i) for i in range(options.pairs)])
    times, pairs = 2 * REPEATS, options.features * options.concepts / options.pairs
    # The AUC of a permutation is that of the best feature alone, as ours.
    top = seconds * options.concepts / options.pairs
    total = pairs * (seconds + times * of_half) + options.permutations * (pairs * (of_null + times * of_half) + top)
    loop = Row("all scores", "loop of scikit-learn and NumPy, scaled up", (total,), (total,))
    label = ItemLabels(test.labels, test.halves, np.float32).fit(sums, order)
    ours_single = np.stack([alignment.correlation[f, c], alignment.auc[f, c], alignment.sensitivity[f, c]], axis=1)
    worst = max(
        float(np.abs(ours_single - np.array(single)).max()),
        float(np.abs(fit.halves[0, 0, c, f] - halves).max()),
        float(np.abs(label.whole[c, f] - whole).max()),
    )
    fine = worst < TOLERANCE and all((p > 0).all() and (p <= 1).all() for p in null.p.values())
    return checked(with_ratios([ours, loop]), "ours", fine, largest_difference=worst)


def _time(work: Callable[[], list]) -> tuple[float, list]:
    start = time.process_time()
    return (result := work()) and time.process_time() - start, result
