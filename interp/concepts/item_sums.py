"""Activations summed by item: all that correlations, AUC and sensitivity with any labels of items need.

Labels are functions of items, so Σ a·y over rows is Σ over items of y times the item's sum of a. New labels, such as
permuted ones, then cost one product of small matrices instead of a pass over all rows.

Axes: n rows (one user at one step), i items, f candidates (features, neurons or directions), c concepts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from interp.concepts.alignment import Activations, column_blocks, mid_ranks
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


def item_sums(
    activations: Activations,
    items: pd.Series | np.ndarray,
    dtype: type = np.float64,
    observe: Callable[[ItemSums], None] | None = None,
) -> ItemSums:
    """Sum the activations [n, f] of rows by the rows' items [n], some columns at a time.

    Args:
        activations: [n, f].
        items: [n].
        dtype: of what is returned; float32 takes half the memory and time, for permutations.
        observe: is called with the sums of each block of columns, in their order and in double precision.

    Raises:
        InputError: the row counts differ.
    """
    indicator, names = item_indicator(activations, items)
    n, f = activations.shape
    count = np.asarray(indicator.sum(axis=1)).ravel()
    result = ItemSums(names, count.astype(dtype), *(np.zeros((len(names), f), dtype) for _ in range(2)))
    for block in column_blocks(activations, len(names)):
        values = activations[:, block].astype(np.float64)
        sums, squares = (_dense(indicator @ x) for x in (values, values * values))
        mean = sums.sum(axis=0) / n
        std = np.sqrt(moments.scatter(values) / n)
        scale = np.divide(1, std, out=np.zeros_like(std), where=std > 0)
        squares = (squares - 2 * mean * sums + count[:, None] * mean**2) * scale**2
        sums = (sums - count[:, None] * mean) * scale
        result.square[:, block], result.total[:, block] = squares, sums
        if observe is not None:
            observe(ItemSums(names, count, sums, squares))
    return result


def rank_sums(activations: Activations, items: pd.Series | np.ndarray, dtype: type = np.float64) -> np.ndarray:
    """Sums by item of the rows' mid-ranks less their mean (n + 1)/2: [i, f], a column after the other in memory.

    With these, AUC = 1/2 + Σ y·sums / (p q), for p rows with the label and q without (the rank-sum identity).
    """
    indicator, names = item_indicator(activations, items)
    n, f = activations.shape
    count = np.asarray(indicator.sum(axis=1)).ravel()
    result = np.zeros((len(names), f), dtype, order="F")
    for block in column_blocks(activations, len(names)):
        ranks, zero_rank = mid_ranks(activations[:, block])
        # Dense ranks are centred first, as their sums are large beside what is left of them.
        centred = ranks if sparse.issparse(ranks) else ranks - (n + 1) / 2
        lift = zero_rank - (n + 1) / 2 if sparse.issparse(ranks) else zero_rank
        result[:, block] = _dense(indicator @ centred) + np.outer(count, lift)
    return result


def active_sums(activations: Activations, items: pd.Series | np.ndarray, dtype: type = np.float64) -> np.ndarray:
    """How many rows of each item every candidate is active on: [i, f], a column after the other in memory."""
    indicator, names = item_indicator(activations, items)
    result = np.zeros((len(names), activations.shape[1]), dtype, order="F")
    for block in column_blocks(activations, len(names)):
        result[:, block] = _dense(indicator @ (activations[:, block] > 0).astype(np.float64))
    return result


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
