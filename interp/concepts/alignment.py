"""How well features agree with concepts: correlation, exact ROC AUC and sensitivity of every pair (paper section 4.2).

Axes: n rows (one user at one step), f features or neurons, c concepts. Activations are a sparse [n, f] array
of non-negative features, or a dense one of neurons with any sign.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from interp.concepts import non_constant_columns
from recmodels import moments
from recmodels.errors import InputError

Activations: TypeAlias = Any  # sparse.csc_array | np.ndarray, of which mypy knows too little

ENTRIES = 2**23  # of the columns that are worked on at once: scores take a few copies of them in double precision
UNALIGNED = 0.2  # a feature whose best correlation is below this is not aligned with any concept


@dataclass(frozen=True)
class Alignment:
    """Agreement of every feature with every concept.

    Attributes:
        concepts: names of the columns.
        correlation: float [f, c], Pearson.
        auc: float [f, c], area under the ROC curve.
        sensitivity: float [f, c], share of the concept's rows where the feature is active.
        popularity: float [c], share of rows with the concept.
    """

    concepts: list[str]
    correlation: np.ndarray
    auc: np.ndarray
    sensitivity: np.ndarray
    popularity: np.ndarray

    def table(self) -> pd.DataFrame:
        """Long form: feature, concept, correlation, auc, sensitivity."""
        f, c = self.correlation.shape
        return pd.DataFrame(
            {
                "feature": np.repeat(np.arange(f), c),
                "concept": np.tile(self.concepts, f),
                "correlation": self.correlation.ravel(),
                "auc": self.auc.ravel(),
                "sensitivity": self.sensitivity.ravel(),
            }
        )

    def top(self) -> pd.DataFrame:
        """Each concept's top feature, the one with the largest signed correlation (paper Table 2).

        Returns:
            concept, popularity, feature, correlation, auc, sensitivity, and the feature with the largest
            correlation of either sign (abs_feature, abs_correlation); best aligned first.
        """
        best = self.correlation.argmax(axis=0)
        strongest = np.abs(self.correlation).argmax(axis=0)
        c = np.arange(len(self.concepts))
        return pd.DataFrame(
            {
                "concept": self.concepts,
                "popularity": self.popularity,
                "feature": best,
                "correlation": self.correlation[best, c],
                "auc": self.auc[best, c],
                "sensitivity": self.sensitivity[best, c],
                "abs_feature": strongest,
                "abs_correlation": self.correlation[strongest, c],
            }
        ).sort_values("correlation", ascending=False, ignore_index=True)

    @property
    def mean_top_correlation(self) -> float:
        """The paper's overall metric: mean over concepts of the top feature's correlation."""
        return float(self.correlation.max(axis=0).mean()) if self.concepts else float("nan")


def align(activations: Activations, labels: np.ndarray, concepts: list[str]) -> Alignment:
    """Score every feature against every concept that some but not all rows have.

    Args:
        activations: [n, f].
        labels: bool [n, c].
        concepts: names of the columns of `labels`.

    Raises:
        InputError: the row counts differ, an activation is not finite, or all rows have every concept or lack it.
    """
    if activations.shape[0] != len(labels):
        raise InputError(
            f"{activations.shape[0]} rows of activations but {len(labels)} of labels: "
            f"take the labels of the store's own rows"
        )
    if not all(np.isfinite(_values(activations[:, block])).all() for block in column_blocks(activations)):
        raise InputError("activations hold NaN or infinity: collect them again, or train the dictionary again")
    columns = non_constant_columns(labels)
    if labels.shape[1] and not len(columns):
        raise InputError("every concept is on all rows or on none: choose another attribute")
    labels = labels[:, columns]
    return Alignment(
        [concepts[column] for column in columns],
        correlation(activations, labels),
        auc(activations, labels),
        sensitivity(activations, labels),
        labels.mean(axis=0),
    )


def correlation(activations: Activations, labels: np.ndarray) -> np.ndarray:
    """Pearson correlation of activation and label; 0 where either is constant (`recmodels.moments`).

    Args:
        activations: [n, f].
        labels: bool [n, c].

    Returns:
        float64 [f, c].
    """
    result = np.zeros((activations.shape[1], labels.shape[1]))
    y = moments.Levelled.of(sparse.csc_array(labels))
    for block in column_blocks(activations):
        result[block] = moments.correlation(moments.Levelled.of(activations[:, block]), y)
    return result


def auc(activations: Activations, labels: np.ndarray) -> np.ndarray:
    """Exact area under the ROC curve of activation as a score for the label, ties counted half.

    The rank-sum identity gives AUC = (R − p(p + 1)/2) / (p q), with R the sum of the mid-ranks of the p positives
    among p + q rows. All zeros of a sparse column share one mid-rank, so only the active rows are sorted.

    Args:
        activations: [n, f]; a sparse array must not be negative anywhere.
        labels: bool [n, c], each column with both values.

    Returns:
        float64 [f, c].
    """
    n, positives, has = len(labels), labels.sum(axis=0), sparse.csc_array(labels, dtype=np.float64)
    rank_sums = np.zeros((activations.shape[1], labels.shape[1]))
    for block in column_blocks(activations):
        ranks, zero_rank = mid_ranks(activations[:, block])
        rank_sums[block] = _dense(ranks.T @ has) + np.outer(zero_rank, positives)
    return (rank_sums - positives * (positives + 1) / 2) / (positives * (n - positives))


def mid_ranks(activations: Activations) -> tuple[Activations, np.ndarray]:
    """Ranks of the rows in each column from 1, ties at their mean.

    Args:
        activations: [n, f]; a sparse array must not be negative anywhere.

    Returns:
        The rank of every stored entry less that of the zeros, float64 [n, f] as sparse as the activations; and the rank
        that the zeros share, float64 [f]. Of a dense array, plain ranks and 0.
    """
    if not sparse.issparse(activations):
        return scipy.stats.rankdata(activations, axis=0), np.zeros(activations.shape[1])
    ranks = sparse.csc_array(activations, dtype=np.float64, copy=True)
    ranks.eliminate_zeros()
    zeros = ranks.shape[0] - np.diff(ranks.indptr)
    zero_rank = (zeros + 1) / 2
    for feature, (start, end) in enumerate(pairwise(ranks.indptr)):
        ranks.data[start:end] = zeros[feature] + scipy.stats.rankdata(ranks.data[start:end]) - zero_rank[feature]
    return ranks, zero_rank


def sensitivity(activations: Activations, labels: np.ndarray) -> np.ndarray:
    """Share of the rows with a label where the activation is above 0: float64 [f, c]."""
    has = sparse.csc_array(labels, dtype=np.float64)
    result = np.zeros((activations.shape[1], labels.shape[1]))
    for block in column_blocks(activations):
        result[block] = _dense((activations[:, block] > 0).astype(np.float64).T @ has)
    return result / labels.sum(axis=0)


def column_blocks(columns: Activations, rows: int = 0) -> Iterator[slice]:
    """Columns [n, f] a few at a time, in order: at most `ENTRIES` stored entries, or one column that has more.

    Args:
        columns: sparse or dense.
        rows: of a dense array that is made of the columns; it has at most `ENTRIES` as well.
    """
    n, f = columns.shape
    ends = columns.indptr if sparse.issparse(columns) and columns.format == "csc" else np.arange(f + 1) * n
    widest = max(ENTRIES // rows, 1) if rows else f
    start = 0
    while start < f:
        stop = int(np.searchsorted(ends, int(ends[start]) + ENTRIES, "right")) - 1
        stop = min(max(stop, start + 1), start + widest, f)
        yield slice(start, stop)
        start = stop


def _values(columns: Activations) -> np.ndarray:
    return columns.data if sparse.issparse(columns) else columns


def _dense(values: Activations) -> np.ndarray:
    return values.toarray() if sparse.issparse(values) else np.asarray(values)
