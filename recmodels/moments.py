"""Means, scatters and covariances of columns, sparse or dense, without cancellation.

E[x²] − E[x]² loses all its digits where a column varies little around a large level. So every column is decomposed
first, x = level · stored + rest: the level is the mean of its stored entries, `stored` is 1 at those and 0 at the zeros
that a sparse array leaves out. The rest varies around 0, and the other terms are counts, which are exact (the shifted
and corrected two-pass algorithms of Chan, Golub and LeVeque, *The American Statistician* 37, 1983).

Axes: n rows, f and g columns.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

Columns: TypeAlias = Any  # sparse.sparray | np.ndarray, of which mypy knows too little


@dataclass(frozen=True)
class Levelled:
    """Decomposed columns: x = level · stored + rest.

    Attributes:
        level: float64 [f], the mean of each column's stored entries.
        stored: float64 [n, f], 1 at the stored entries.
        rest: float64 [n, f], 0 elsewhere.
        constant: bool [f], whether all rows of a column are equal.
    """

    level: np.ndarray
    stored: Columns
    rest: Columns
    constant: np.ndarray

    @classmethod
    def of(cls, x: Columns) -> "Levelled":
        """Decompose the columns [n, f]; of a dense array all entries are stored."""
        dense = not sparse.issparse(x)
        x = np.asarray(x, dtype=np.float64) if dense else sparse.csc_array(x, dtype=np.float64)
        stored = np.ones_like(x) if dense else _with_data(x, np.ones_like(x.data))
        lowest, highest = (np.asarray(ends if dense else ends.toarray()).ravel() for ends in _ends(x))
        constant = lowest == highest
        level = np.where(constant, lowest, _sums(x) / np.maximum(_sums(stored), 1))
        rest = x - level if dense else _with_data(x, x.data - np.repeat(level, np.diff(x.indptr)))
        return cls(level, stored, rest, constant)

    @property
    def rows(self) -> int:
        """n."""
        return self.rest.shape[0]

    def scatter(self) -> np.ndarray:
        """Σ (x − mean)² of each column: float64 [f], exactly 0 where all rows are equal."""
        count, rest_sum = _sums(self.stored), _sums(self.rest)
        around = _sums(self.rest * self.rest) - np.square(rest_sum) / np.maximum(count, 1)
        mean = self.level + rest_sum / np.maximum(count, 1)  # of the stored entries, corrected
        between = count * (self.rows - count) / self.rows * np.square(mean)
        return np.where(self.constant, 0, around.clip(0) + between)


def scatter(x: Columns) -> np.ndarray:
    """Σ (x − mean)² of each column [n, f]: float64 [f], exactly 0 where all rows are equal."""
    return Levelled.of(x).scatter()


def mean_difference(x: Levelled, y: Levelled) -> np.ndarray:
    """Means of the columns of x less those of y: float64 [f]."""
    # The difference of two nearly equal levels is exact; the difference of two rounded means is not.
    levels = [part.level * (_sums(part.stored) / part.rows) for part in (x, y)]
    rests = [_sums(part.rest) / part.rows for part in (x, y)]
    return (levels[0] - levels[1]) + (rests[0] - rests[1])


def correlation(x: Levelled, y: Levelled) -> np.ndarray:
    """Pearson correlation of every two columns: float64 [f, g], 0 where a column is constant."""
    n = x.rows
    counts = [_sums(part.stored) for part in (x, y)]
    sums = [_sums(part.rest) for part in (x, y)]
    # n Σ (x − mean)(y − mean), term by term; the first is in whole numbers, so a full column adds exactly nothing.
    joint = n * _product(x.stored, y.stored) - np.outer(counts[0], counts[1])
    covariance = np.outer(x.level, y.level) * joint
    # A full column adds nothing here either; two sums that round differently would, times its level.
    one_way = n * _product(x.stored, y.rest) - np.outer(counts[0], sums[1])
    one_way[counts[0] == n] = 0
    other_way = one_way.T if y is x else n * _product(x.rest, y.stored) - np.outer(sums[0], counts[1])
    other_way[:, counts[1] == n] = 0
    covariance += x.level[:, None] * one_way + y.level * other_way
    covariance += n * _product(x.rest, y.rest) - np.outer(sums[0], sums[1])
    scale = n * np.outer(np.sqrt(x.scatter()), np.sqrt(y.scatter()))
    r = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)
    return r.clip(-1, 1)


class RunningScatter:
    """Σ (x − mean)² of columns that come in batches (pairwise updates of Chan, Golub and LeVeque 1983)."""

    def __init__(self, columns: int) -> None:
        self.rows = 0
        self._origin = np.zeros(columns)  # the first row, so that a constant column is exactly 0 around it
        self._mean = np.zeros(columns)
        self.scatter = np.zeros(columns)

    def add(self, x: np.ndarray) -> None:
        """Count more rows [n, columns]."""
        if not len(x):
            return
        if not self.rows:
            self._origin = x[0].astype(np.float64)
        shifted = x - self._origin
        mean = shifted.mean(axis=0)
        rows, step = self.rows + len(x), mean - self._mean
        self.scatter += np.square(shifted - mean).sum(axis=0) + np.square(step) * (self.rows * len(x) / rows)
        self._mean += step * (len(x) / rows)
        self.rows = rows


class RunningCorrelation:
    """`correlation` of columns that come in batches of rows, from which nothing but sums is kept.

    Means, scatters and Σ (x − mean)(y − mean) are merged batch by batch (pairwise updates of Chan, Golub and LeVeque
    1983), so the size of a batch changes the result by rounding alone.
    """

    def __init__(self, x_columns: int, y_columns: int) -> None:
        self.rows = 0
        self._origins = np.zeros(x_columns), np.zeros(y_columns)  # the first row: a constant column is 0 around it
        self._means = np.zeros(x_columns), np.zeros(y_columns)
        self._scatters = np.zeros(x_columns), np.zeros(y_columns)
        self._joint = np.zeros((x_columns, y_columns))

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Count more rows [n, x_columns] and [n, y_columns]."""
        if not len(x):
            return
        columns = [np.asarray(part, dtype=np.float64) for part in (x, y)]
        if not self.rows:
            self._origins = columns[0][0].copy(), columns[1][0].copy()
        centred, steps = [], []
        rows = self.rows + len(x)
        weight = self.rows * len(x) / rows
        for part, origin, mean, scatter in zip(columns, self._origins, self._means, self._scatters, strict=True):
            shifted = part - origin
            batch_mean = shifted.mean(axis=0)
            step = batch_mean - mean
            shifted -= batch_mean
            scatter += np.square(shifted).sum(axis=0) + np.square(step) * weight
            mean += step * (len(x) / rows)
            centred.append(shifted)
            steps.append(step)
        self._joint += centred[0].T @ centred[1] + np.outer(*steps) * weight
        self.rows = rows

    def correlation(self) -> np.ndarray:
        """Pearson correlation of every column of x with every column of y: float64, 0 where one is constant."""
        scale = np.outer(*map(np.sqrt, self._scatters))
        return np.divide(self._joint, scale, out=np.zeros_like(scale), where=scale > 0).clip(-1, 1)


def _ends(x: Columns) -> tuple[Columns, Columns]:
    return x.min(axis=0), x.max(axis=0)


def _product(x: Columns, y: Columns) -> np.ndarray:
    """[f, g] sums over rows of the products of columns."""
    products = x.T @ y
    return products.toarray() if sparse.issparse(products) else np.asarray(products)


def _sums(x: Columns) -> np.ndarray:
    return np.asarray(x.sum(axis=0)).ravel()


def _with_data(x: sparse.csc_array, data: np.ndarray) -> sparse.csc_array:
    return sparse.csc_array((data, x.indices, x.indptr), shape=x.shape)
