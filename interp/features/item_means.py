"""Items in terms of features: the mean activation of every feature at the steps whose input is an item.

Axes: n steps (one item at each), f features, v items.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.feature_matrix import FeatureMatrix

COUNT = 8  # features, and nearest items, of each item
MIN_STEPS = 5  # of an item that has nearest items: the mean of fewer steps says little
MOST = 20_000  # items that have nearest items, each among the others: their number grows with the square
_BLOCK = 256  # features, or items, at once


@dataclass(frozen=True)
class ItemMeans:
    """Mean activations by item.

    Attributes:
        mean: of each feature at the steps of each item, sparse float64 [v, f].
        steps: how many steps each item has, int [v].
        overall: mean activation of each feature over all steps [f].
        std: standard deviation of each feature over all steps [f].
    """

    mean: sparse.csr_array
    steps: np.ndarray
    overall: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[tuple[FeatureMatrix, np.ndarray]], v: int) -> "ItemMeans":
        """Of the steps of some parts of the users.

        Args:
            parts: the features [n, f] of each part, and the item code of each of its steps, int [n].
            v: how many items there are.
        """
        steps = np.sum([np.bincount(codes, minlength=v) for _, codes in parts], axis=0)
        by_item = [_one_hot(codes, v) for _, codes in parts]
        n, f = steps.sum(), parts[0][0].shape[1]
        sums, totals, squares = [], np.zeros(f), np.zeros(f)
        for start in range(0, f, _BLOCK):  # by columns, as the matrix lies; it may be larger than memory
            block = slice(start, start + _BLOCK)
            values = [features[:, block].astype(np.float64) for features, _ in parts]
            totals[block] = sum(part.sum(axis=0) for part in values)
            squares[block] = sum(part.multiply(part).sum(axis=0) for part in values)
            sums.append(sum(one_hot @ part for one_hot, part in zip(by_item, values, strict=True)))
        weights = sparse.diags_array(1 / np.maximum(steps, 1))
        overall = totals / n
        std = np.sqrt(np.maximum(squares / n - overall**2, 0))
        return cls(sparse.csr_array(weights @ sparse.hstack(sums)), steps, overall, std)

    def features(self, count: int = COUNT) -> pd.DataFrame:
        """The features that light up most on each item: where they are most above their own mean over all steps.

        They are compared in standard deviations, because a feature with large activations would be first everywhere.

        Args:
            count: features per item.

        Returns:
            code (of the item), rank (from 1), feature, activation (mean at the item's steps), above (by how many
            standard deviations it is above the feature's mean over all steps); only where it is above.
        """
        parts = []
        for start in range(0, len(self.steps), _BLOCK):
            mean = self.mean[start : start + _BLOCK].toarray()
            above = (mean - self.overall) / np.where(self.std > 0, self.std, np.inf)
            above[self.steps[start : start + _BLOCK] == 0] = 0
            rows = _largest(above, count, start, "feature", "above")
            parts.append(rows.assign(activation=mean[rows["code"] - start, rows["feature"]]))
        return pd.concat(parts, ignore_index=True)[["code", "rank", "feature", "activation", "above"]]

    def neighbours(self, count: int = COUNT, most: int = MOST) -> pd.DataFrame:
        """The items that light up the same features: by the cosine of their mean activations.

        Args:
            count: neighbours per item.
            most: items that are compared; of more, those with the most steps.

        Returns:
            code (of the item), rank (from 1), neighbour (its code), similarity; only of items with `MIN_STEPS` steps,
            and only where it is above 0.
        """
        codes = np.flatnonzero(self.steps >= MIN_STEPS)
        codes = np.sort(codes[np.argsort(-self.steps[codes], kind="stable")[:most]])
        rows = self.mean[codes]
        length = np.sqrt(rows.multiply(rows).sum(axis=1))
        unit = sparse.csr_array(sparse.diags_array(1 / np.where(length > 0, length, 1)) @ rows)
        across = sparse.csc_array(unit.T)
        parts = [pd.DataFrame({"code": [], "rank": [], "neighbour": [], "similarity": []})]
        for start in range(0, len(codes), _BLOCK):
            similarity = (unit[start : start + _BLOCK] @ across).toarray()
            own = np.arange(len(similarity))
            similarity[own, start + own] = -1
            parts.append(_largest(similarity, count, start, "neighbour", "similarity"))
        table = pd.concat(parts[1:] or parts, ignore_index=True)
        places = table[["code", "neighbour"]].astype(int)
        return table.assign(code=codes[places["code"]], neighbour=codes[places["neighbour"]])


def _one_hot(codes: np.ndarray, v: int) -> sparse.csr_array:
    """1 at the item of each step: sparse [v, n]."""
    n = len(codes)
    return sparse.csr_array((np.ones(n), (codes, np.arange(n))), shape=(v, n))


def _largest(values: np.ndarray, count: int, start: int, name: str, value: str) -> pd.DataFrame:
    """The columns of each row's largest entries above 0, largest first, ties in order: code, rank, `name`, `value`."""
    count = min(count, values.shape[1])
    least = np.partition(values, -count, axis=1)[:, -count, None]
    row, column = np.nonzero((values >= least) & (values > 0))  # as many as `count`, and ties
    order = np.lexsort((column, -values[row, column], row))
    row, column = row[order], column[order]
    rank = np.arange(1, len(row) + 1) - np.searchsorted(row, row)
    row, column, rank = (part[rank <= count] for part in (row, column, rank))
    return pd.DataFrame({"code": start + row, "rank": rank, name: column, value: values[row, column]})
