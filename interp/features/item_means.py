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
_FEATURES = 32  # at once
_ITEMS = 50_000  # at once, whose features are compared
_NEAR = 256  # items at once, whose nearest are looked for


@dataclass(frozen=True)
class ItemMeans:
    """Mean activations by item.

    Only the means that are looked at are kept: of a million items, all would not fit into memory.

    Attributes:
        steps: how many steps each item has, int [v].
        overall: mean activation of each feature over all steps [f].
        std: standard deviation of each feature over all steps [f].
        top: the features that light up most on each item, int [v, `COUNT`], the first of them first.
        mean: their mean activations at the item's steps, float64 [v, `COUNT`].
        above: by how many standard deviations these are above the feature's mean over all steps; 0 where no more
            features are, float64 [v, `COUNT`].
        codes: the items that are compared with each other, int [m].
        compared: the mean activations of all features on these, sparse float64 [m, f].
    """

    steps: np.ndarray
    overall: np.ndarray
    std: np.ndarray
    top: np.ndarray
    mean: np.ndarray
    above: np.ndarray
    codes: np.ndarray
    compared: sparse.csr_array

    @classmethod
    def of(cls, parts: Sequence[tuple[FeatureMatrix, np.ndarray]], v: int, most: int = MOST) -> "ItemMeans":
        """Of the steps of some parts of the users.

        Args:
            parts: the features [n, f] of each part, and the item code of each of its steps, int [n].
            v: how many items there are.
            most: items that are compared; of more with `MIN_STEPS` steps, those with the most steps.
        """
        steps = np.sum([np.bincount(codes, minlength=v) for _, codes in parts], axis=0)
        codes = np.flatnonzero(steps >= MIN_STEPS)
        codes = np.sort(codes[np.argsort(-steps[codes], kind="stable")[:most]])
        by_item = [_one_hot(codes, v) for _, codes in parts]
        share = 1 / np.maximum(steps, 1)
        n, f = steps.sum(), parts[0][0].shape[1]
        overall, std, compared = np.zeros(f), np.zeros(f), []
        best = np.zeros((v, COUNT)), np.zeros((v, COUNT)), np.zeros((v, COUNT), dtype=int)
        for start in range(0, f, _FEATURES):  # by columns, as the matrix lies; it may be larger than memory
            block = slice(start, start + _FEATURES)
            values = [features[:, block].astype(np.float64) for features, _ in parts]
            overall[block] = sum(part.sum(axis=0) for part in values) / n
            square = sum(part.multiply(part).sum(axis=0) for part in values) / n
            std[block] = np.sqrt(np.maximum(square - overall[block] ** 2, 0))
            means = sparse.csr_array(sum(one_hot @ part for one_hot, part in zip(by_item, values, strict=True)))
            means.data *= np.repeat(share, np.diff(means.indptr))
            compared.append(means[codes])
            for first in range(0, v, _ITEMS):
                mean = means[first : first + _ITEMS].toarray()
                above = np.maximum((mean - overall[block]) / np.where(std[block] > 0, std[block], np.inf), 0)
                feature = np.broadcast_to(np.arange(start, start + mean.shape[1]), mean.shape)
                _keep_largest([part[first : first + _ITEMS] for part in best], [above, mean, feature])
        above, mean, top = best
        return cls(steps, overall, std, top, mean, above, codes, sparse.csr_array(sparse.hstack(compared)))

    def features(self) -> pd.DataFrame:
        """The features that light up most on each item: where they are most above their own mean over all steps.

        They are compared in standard deviations, because a feature with large activations would be first everywhere.

        Returns:
            code (of the item), rank (from 1), feature, activation (mean at the item's steps), above (by how many
            standard deviations it is above the feature's mean over all steps); only where it is above.
        """
        code, place = np.nonzero(self.above)
        columns = {"feature": self.top, "activation": self.mean, "above": self.above}
        values = {name: values[code, place] for name, values in columns.items()}
        return pd.DataFrame({"code": code, "rank": place + 1, **values})

    def neighbours(self, count: int = COUNT) -> pd.DataFrame:
        """The items that light up the same features: by the cosine of their mean activations.

        Args:
            count: neighbours per item.

        Returns:
            code (of the item), rank (from 1), neighbour (its code), similarity; only of the items that are compared,
            and only where it is above 0.
        """
        codes, rows = self.codes, self.compared.toarray()  # most are not 0, and products of dense rows are faster
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        unit = np.divide(rows, length, out=rows, where=length > 0)
        parts = [pd.DataFrame({"code": [], "rank": [], "neighbour": [], "similarity": []})]
        for start in range(0, len(codes), _NEAR):
            similarity = unit[start : start + _NEAR] @ unit.T
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


def _keep_largest(best: Sequence[np.ndarray], more: Sequence[np.ndarray]) -> None:
    """Put what is largest in each row into `best`, in order; the first of each gives the order, and ties stay as is."""
    both = [np.hstack(pair) for pair in zip(best, more, strict=True)]
    order = np.argsort(-both[0], axis=1, kind="stable")[:, : best[0].shape[1]]
    for kept, values in zip(best, both, strict=True):
        kept[:] = np.take_along_axis(values, order, axis=1)


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
