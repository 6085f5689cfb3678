"""Activations summed by item: all that correlations, AUC and sensitivity with any labels of items need.

Labels are functions of items, so Σ a·y over rows is Σ over items of y times the item's sum of a. New labels, such as
permuted ones, then cost one product of small matrices instead of a pass over all rows.

Axes: n rows (one user at one step), i items, f candidates (features, neurons or directions), c concepts.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from interp.concepts.alignment import Activations
from recmodels import moments
from recmodels.errors import InputError


@dataclass(frozen=True)
class ItemSums:
    """Standardised activations of rows, summed by item.

    Attributes:
        items: the items, each once.
        count: float64 [i], rows of each item.
        total: float64 [i, f], sums of the activations, each column first brought to mean 0 and standard deviation 1;
            0 for a constant column.
        square: float64 [i, f], sums of their squares.
    """

    items: pd.Index
    count: np.ndarray
    total: np.ndarray
    square: np.ndarray

    @cached_property
    def square_total(self) -> np.ndarray:
        """[f], sums of the squares over all rows: the number of rows, or 0 for a constant column."""
        return self.square.sum(axis=0)

    def single(self) -> "ItemSums":
        """The same in single precision, for permutations."""
        return ItemSums(self.items, *(array.astype(np.float32) for array in (self.count, self.total, self.square)))


def item_sums(activations: Activations, items: pd.Series | np.ndarray) -> ItemSums:
    """Sum the activations [n, f] of rows by the rows' items [n].

    Raises:
        InputError: the row counts differ.
    """
    indicator, names = item_indicator(activations, items)
    n = activations.shape[0]
    count = np.asarray(indicator.sum(axis=1)).ravel()
    values = activations.astype(np.float64)
    total, square = (_dense(indicator @ x) for x in (values, values * values))
    mean = total.sum(axis=0) / n
    std = np.sqrt(moments.scatter(activations) / n)
    scale = np.divide(1, std, out=np.zeros_like(std), where=std > 0)
    square = (square - 2 * mean * total + count[:, None] * mean**2) * scale**2
    return ItemSums(names, count, (total - count[:, None] * mean) * scale, square)


def rank_sums(activations: Activations, items: pd.Series | np.ndarray) -> np.ndarray:
    """Sums by item of the rows' mid-ranks less their mean (n + 1)/2: float64 [i, f].

    With these, AUC = 1/2 + Σ y·sums / (p q), for p rows with the label and q without (the rank-sum identity).
    """
    indicator, _ = item_indicator(activations, items)
    n = activations.shape[0]
    if not sparse.issparse(activations):
        return indicator @ (scipy.stats.rankdata(activations, axis=0) - (n + 1) / 2)
    ranks = sparse.csc_array(activations, dtype=np.float64, copy=True)
    ranks.eliminate_zeros()
    zeros = n - np.diff(ranks.indptr)
    for feature, (start, end) in enumerate(zip(ranks.indptr, ranks.indptr[1:], strict=False)):
        zero_rank = (zeros[feature] + 1) / 2
        ranks.data[start:end] = zeros[feature] + scipy.stats.rankdata(ranks.data[start:end]) - zero_rank
    count = np.asarray(indicator.sum(axis=1)).ravel()
    return _dense(indicator @ ranks) - np.outer(count, (n - zeros) / 2)


def active_sums(activations: Activations, items: pd.Series | np.ndarray) -> np.ndarray:
    """How many rows of each item every candidate is active on: float64 [i, f]."""
    indicator, _ = item_indicator(activations, items)
    return _dense(indicator @ (activations > 0).astype(np.float64))


def item_indicator(activations: Activations, items: pd.Series | np.ndarray) -> tuple[sparse.csr_array, pd.Index]:
    """Which row has which item: float64 [i, n], and the items.

    Raises:
        InputError: the row counts differ.
    """
    codes, names = pd.factorize(np.asarray(items))
    n = activations.shape[0]
    if n != len(codes):
        raise InputError(f"{n} rows of activations but items of {len(codes)}: give the items of the store's own rows")
    return sparse.csr_array((np.ones(n), (codes, np.arange(n))), (len(names), n)), pd.Index(names)


def _dense(values: Activations) -> np.ndarray:
    return values.toarray() if sparse.issparse(values) else np.asarray(values)
