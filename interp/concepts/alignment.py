"""How well features agree with concepts: correlation, exact ROC AUC and sensitivity of every pair (paper section 4.2).

Axes: n rows (one user at one step), f features or neurons, c concepts. Activations are a sparse [n, f] array
of non-negative features, or a dense one of neurons with any sign.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from interp.concepts import non_constant_columns
from recmodels import moments
from recmodels.errors import InputError

Activations: TypeAlias = Any  # sparse.csc_array | np.ndarray, of which mypy knows too little

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
    values = activations.data if sparse.issparse(activations) else activations
    if not np.isfinite(values).all():
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
    return moments.correlation(moments.Levelled.of(activations), moments.Levelled.of(labels))


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
    n = len(labels)
    positives = labels.sum(axis=0)
    if sparse.issparse(activations):
        zeros = n - np.diff(activations.indptr)
        zero_rank = (zeros + 1) / 2
        ranks = activations.astype(np.float64)
        for feature in range(ranks.shape[1]):
            part = slice(ranks.indptr[feature], ranks.indptr[feature + 1])
            above = zeros[feature] + scipy.stats.rankdata(ranks.data[part])
            ranks.data[part] = above - zero_rank[feature]
        rank_sums = ranks.T @ labels.astype(np.float64) + np.outer(zero_rank, positives)
    else:
        rank_sums = scipy.stats.rankdata(activations, axis=0).T @ labels.astype(np.float64)
    return (rank_sums - positives * (positives + 1) / 2) / (positives * (n - positives))


def sensitivity(activations: Activations, labels: np.ndarray) -> np.ndarray:
    """Share of the rows with a label where the activation is above 0: float64 [f, c]."""
    active = (activations > 0).astype(np.float64)
    return (active.T @ labels.astype(np.float64)) / labels.sum(axis=0)
