"""All scores of features × concepts, ours, a loop of scikit-learn and NumPy, and products of matrices in SciPy.

A row of activations is a step of a user; labels belong to items. The work: Pearson correlation, exact AUC and
sensitivity of every feature and concept; the null of the largest correlation, of its AUC and sensitivity and of the
correlation on unseen items, over permutations of the items' labels; and the choice on halves of the items, five times.
The loop does the same with `sklearn.metrics.roc_auc_score` and `numpy.corrcoef` for each pair. It runs on a few pairs
and permutations, on which both must give the same numbers, and its time is scaled up to all. The products take all
pairs of a permutation at once, from sparse activations; ranks and sums of features are computed once. They are timed on
a few permutations. All times are processor times.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from benchmarks.timing import Row, checked, with_ratios
from interp.concepts import Concepts, evidence
from interp.concepts.alignment import align
from interp.concepts.cross_fit import ItemLabels
from interp.concepts.evidence import REPEATS, ItemTest, Rows, _fit, _null, _observed
from interp.concepts.item_sums import active_sums, rank_sums

TOLERANCE = 1e-5  # single precision on our side
PERMUTED = 5  # permutations that products of matrices are timed on


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
    start, products = time.process_time(), Products(h)
    whole_of_labels, areas = products.correlation(labels), products.auc(labels)
    of_halves = [products.half(labels, rows) for rows in test.halves[:, test.row]]
    first_time = time.process_time() - start
    start = time.process_time()
    for some in islice(test.orders, PERMUTED):
        y = test.labels[some][test.row]
        best = products.correlation(y).argmax(axis=0)
        products.auc(y, best)
        for rows in test.halves[:, test.row]:
            products.half(y, rows)
    each = (time.process_time() - start) / PERMUTED
    total = first_time + each * options.permutations
    matrices = Row("all scores", "products of matrices in SciPy, scaled up", (total,), (total,))
    worst = max(
        worst,
        float(np.nanmax(np.abs(whole_of_labels - alignment.correlation))),
        float(np.nanmax(np.abs(areas - alignment.auc))),
        float(np.abs(fit.halves[:, 0].swapaxes(1, 2) - of_halves[0]).max()),
    )
    fine = worst < TOLERANCE and all((p > 0).all() and (p <= 1).all() for p in null.p.values())
    return checked(with_ratios([ours, loop, matrices]), "ours", fine, largest_difference=worst)


class Products:
    """Scores of all features of sparse activations [n, f] and all columns of labels [n, c] at once."""

    def __init__(self, h: sparse.csc_array) -> None:
        self.h = h.astype(np.float64)
        self.n = h.shape[0]
        self.sums, self.squares = self.h.sum(axis=0), self.h.power(2).sum(axis=0)
        # Midranks of active rows, less that of the inactive ones, which all tie.
        self.ranks, self.inactive = self.h.copy(), self.n - np.diff(h.indptr)
        for j in range(h.shape[1]):
            part = slice(h.indptr[j], h.indptr[j + 1])
            self.ranks.data[part] = rankdata(self.h.data[part]) + self.inactive[j] - (self.inactive[j] + 1) / 2

    def correlation(self, y: np.ndarray) -> np.ndarray:
        """Pearson's, [f, c]."""
        return _pearson(self.h.T @ y.astype(np.float64), self.sums, self.squares, y.sum(axis=0), self.n)

    def auc(self, y: np.ndarray, features: np.ndarray | None = None) -> np.ndarray:
        """Of all pairs, [f, c], or of one feature for each column, [c]."""
        positives = y.sum(axis=0)
        if features is None:
            above = self.ranks.T @ y.astype(np.float64) + ((self.inactive + 1) / 2)[:, None] * positives
        else:
            chosen = self.ranks[:, features].toarray()
            above = (chosen * y).sum(axis=0) + (self.inactive[features] + 1) / 2 * positives
        return (above - positives * (positives + 1) / 2) / (positives * (self.n - positives))

    def half(self, y: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pearson's on the rows of one half of the items, and on the others: [f, c] each."""
        weight = rows.astype(np.float64)
        both, sums, squares = self.h.T @ (y * weight[:, None]), self.h.T @ weight, self.h.power(2).T @ weight
        one, n = y[rows].sum(axis=0), rows.sum()
        rest = self.h.T @ y.astype(np.float64) - both, self.sums - sums, self.squares - squares
        return _pearson(both, sums, squares, one, n), _pearson(*rest, y.sum(axis=0) - one, self.n - n)


def _pearson(xy: np.ndarray, x: np.ndarray, xx: np.ndarray, y: np.ndarray, n: int) -> np.ndarray:
    """Correlations [f, c] from sums over n rows: of products, of x, of its square, and of y, which is 0 or 1."""
    return (n * xy - np.outer(x, y)) / np.sqrt(np.outer(n * xx - x**2, n * y - y**2))


def _time(work: Callable[[], list]) -> tuple[float, list]:
    start = time.process_time()
    return (result := work()) and time.process_time() - start, result
