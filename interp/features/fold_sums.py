"""Sums over rows of features and concepts, by fold of the items: from them follow fits on some items and their errors
on others, without a second look at the rows.

Axes: n rows, f features, c concepts.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from interp.features.standard_blocks import Columns, Standard


@dataclass(frozen=True)
class Sums:
    """Sums over some rows of standardised features x and of binary labels y.

    Attributes:
        rows: how many rows.
        x: float64 [f].
        y: float64 [c].
        xx: float64 [f, f].
        xy: float64 [f, c].
    """

    rows: int
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.rows + other.rows, self.x + other.x, self.y + other.y, self.xx + other.xx, self.xy + other.xy)

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(self.rows - other.rows, self.x - other.x, self.y - other.y, self.xx - other.xx, self.xy - other.xy)

    @cached_property
    def covariance(self) -> np.ndarray:
        """Of features with features: float64 [f, f]."""
        return self.xx / self.rows - np.outer(self.x, self.x) / self.rows**2

    @cached_property
    def cross(self) -> np.ndarray:
        """Covariance of features with labels: float64 [f, c]."""
        return self.xy / self.rows - np.outer(self.x, self.y) / self.rows**2

    @property
    def correlation(self) -> np.ndarray:
        """Of features with features: float64 [f, f], 0 for a constant one."""
        std = np.sqrt(np.diag(self.covariance).clip(0))
        scale = np.outer(std, std)
        return np.divide(self.covariance, scale, out=np.zeros_like(scale), where=scale > 1e-9).clip(-1, 1)


def fold_sums(
    activations: Columns, labels: np.ndarray, folds: np.ndarray, count: int, standard: Standard
) -> list[Sums]:
    """The sums of each fold.

    Args:
        activations: [n, f].
        labels: bool [n, c].
        folds: int [n], the fold of each row's item, from 0.
        count: how many folds there are.
        standard: how features are standardised, the same for all folds and for rows to compare with.
    """
    f, c = activations.shape[1], labels.shape[1]
    sums = [Sums(0, np.zeros(f), np.zeros(c), np.zeros((f, f)), np.zeros((f, c))) for _ in range(count)]
    start = 0
    for block in standard.blocks(activations):
        rows = slice(start, start + len(block))
        start += len(block)
        for fold in range(count):
            x, y = block[folds[rows] == fold], labels[rows][folds[rows] == fold].astype(np.float32)
            part = Sums(len(x), x.sum(axis=0, dtype=float), y.sum(axis=0, dtype=float), x.T @ x, x.T @ y)
            sums[fold] += part
    return sums
