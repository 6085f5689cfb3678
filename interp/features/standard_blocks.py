"""Products of standardised features, block of rows by block of rows, so that no dense matrix of all rows is made.

Standardised, a column has mean 0 and standard deviation 1, so that products of columns do not lose their digits in the
level of a feature that is always active.

Axes: n rows, f and g columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from recmodels.moments import Levelled

_BLOCK = 8192  # rows that are dense at once
_SPARSE = 0.005  # share of all products of two entries that are not 0, below which sparse products are faster

Columns: TypeAlias = Any  # sparse.sparray | np.ndarray [n, f], of which mypy knows too little


@dataclass(frozen=True)
class Standard:
    """How columns are standardised.

    Attributes:
        mean: float64 [f].
        std: float64 [f]; 1 for a constant column, which becomes 0.
    """

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, columns: Columns) -> "Standard":
        """By the mean and the standard deviation of columns [n, f]."""
        std = np.sqrt(Levelled.of(columns).scatter() / columns.shape[0])
        return cls(np.asarray(columns.mean(axis=0)).ravel().astype(np.float64), np.where(std > 0, std, 1))

    def blocks(self, columns: Columns) -> Iterator[np.ndarray]:
        """The rows of these columns in order, standardised: float32 [≤ 8192, f]."""
        rows = sparse.csr_array(columns) if sparse.issparse(columns) else columns
        for start in range(0, rows.shape[0], _BLOCK):
            block = rows[start : start + _BLOCK]
            dense = block.toarray() if sparse.issparse(block) else np.asarray(block)
            yield ((dense - self.mean) / self.std).astype(np.float32)


def correlations(x: Columns, y: Columns) -> np.ndarray:
    """Pearson correlation of every column of x [n, f] with every column of y [n, g]: float64 [f, g], 0 for constants.

    In float32, which is exact to about 1e-6; `recmodels.moments.correlation` is exact and slower. Where few entries of
    sparse columns meet, only those are multiplied, in float64.
    """
    if sparse.issparse(x) and sparse.issparse(y) and x.nnz * y.nnz < _SPARSE * np.prod(x.shape) * np.prod(y.shape):
        of_x, of_y = Standard.of(x), Standard.of(y)
        joint = (sparse.csr_array(x, dtype=float).T @ sparse.csr_array(y, dtype=float)).toarray() / x.shape[0]
        return ((joint - np.outer(of_x.mean, of_y.mean)) / np.outer(of_x.std, of_y.std)).clip(-1, 1)
    total = np.zeros((x.shape[1], y.shape[1]))
    for left, right in zip(Standard.of(x).blocks(x), Standard.of(y).blocks(y), strict=True):
        total += left.T @ right
    return (total / x.shape[0]).clip(-1, 1)
