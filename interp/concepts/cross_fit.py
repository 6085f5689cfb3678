"""Correlations of every candidate with every concept, over all items and over halves of them, from sums by item.

Axes: i items, f candidates (features, neurons or directions), c concepts, r repeats, g groups of items.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from interp.concepts.item_sums import ItemSums

SMALLEST = 1e-6  # a variance below this share of a column's own is rounding


@dataclass(frozen=True)
class Fit:
    """Correlations with the concepts of the items, and what is left of them on items that they were not chosen on.

    Attributes:
        whole: [c, f], over all rows.
        halves: [2, r, c, f], over the rows whose item is in one half, and in the other.
    """

    whole: np.ndarray
    halves: np.ndarray

    def by_concept(self, chosen_on: "Fit | None" = None) -> tuple[np.ndarray, np.ndarray]:
        """For every concept, choose the candidate with the largest correlation on one half, and measure on the other.

        Args:
            chosen_on: choose on these rows instead, such as those of other users.

        Returns:
            int [2, r, c], the candidate that is measured on the one and on the other half; [c], its correlation there,
            as a mean over halves and repeats.
        """
        choices = (chosen_on or self).halves[::-1].argmax(axis=3)
        return choices, _mean_at(self.halves, choices, axis=3)

    def by_candidate(self) -> tuple[np.ndarray, np.ndarray]:
        """For every candidate, choose the concept with the largest correlation on one half, and measure on the other.

        Returns:
            int [2, r, f] and [f], as for `by_concept`.
        """
        choices = self.halves[::-1].argmax(axis=2)
        return choices, _mean_at(self.halves, choices, axis=2)

    @classmethod
    def joined(cls, parts: Sequence["Fit"]) -> "Fit":
        """The fits of blocks of candidates as one."""
        return cls(
            *(np.concatenate(arrays, axis=-1) for arrays in zip(*((x.whole, x.halves) for x in parts), strict=True))
        )


class ItemLabels:
    """Labels and halves of items, ready to be correlated with activations many times.

    Args:
        labels: bool [i, c], which item has which concept.
        halves: bool [r, i], True for the first half.
        dtype: of the sums that it is used with; float32 is faster, for permutations.
    """

    def __init__(self, labels: np.ndarray, halves: np.ndarray, dtype: type = np.float64) -> None:
        (i, c), r = labels.shape, len(halves)
        # Items in the same halves are summed together, so that each is summed once for each of its concepts.
        patterns, group = np.unique(2 ** np.arange(r) @ halves.astype(np.int64), return_inverse=True)
        self._in_half: np.ndarray = ((patterns >> np.arange(r)[:, None]) & 1).astype(dtype)  # [r, g]
        item, column = np.nonzero(np.column_stack([labels, np.ones(i, dtype=bool)]))
        self._columns = _indicator(item, group[item] * (c + 1) + column, (i, len(patterns) * (c + 1)), dtype)
        self._groups = _indicator(np.arange(i), group, (i, len(patterns)), dtype)

    def fit(self, sums: ItemSums, order: np.ndarray | None = None) -> Fit:
        """Correlate activations, summed by these items, with the labels.

        Args:
            sums: the activations.
            order: int [i]; item number k is given the labels and the halves of item number order[k].
        """
        columns, groups = (x if order is None else x[order] for x in (self._columns, self._groups))
        g, n_all, square_all = self._in_half.shape[1], sums.count.sum(), sums.square_total
        # The last column of every group is all of its items.
        joint, positives = ((columns.T @ x).reshape(g, -1, *x.shape[1:]) for x in (sums.total, sums.count))
        one, p = (np.tensordot(self._in_half, x, 1) for x in (joint, positives))  # [r, c + 1, …]
        joint, positives = joint.sum(axis=0)[:-1], positives.sum(axis=0)[:-1]
        total, n, square = one[:, -1], p[:, -1], self._in_half @ (groups.T @ sums.square)
        one, p = one[:, :-1], p[:, :-1]
        # The columns of all rows have mean 0, so that what one half lacks is in the other.
        whole = _correlations(joint, positives, n_all, 0 * square_all, square_all)
        halves = _correlations(
            np.stack([one, joint - one]),
            np.stack([p, positives - p]),
            np.stack([n, n_all - n]),
            np.stack([total, -total]),
            np.stack([square, square_all - square]),
        )
        return Fit(whole, halves)


def _indicator(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int], dtype: type) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(rows), dtype), (rows, columns)), shape)


def _correlations(
    joint: np.ndarray, positives: np.ndarray, n: np.ndarray, total: np.ndarray, square: np.ndarray
) -> np.ndarray:
    """[…, c, f], 0 where either is constant, from sums over the n […] rows of some halves.

    Args:
        joint: of a·y, […, c, f].
        positives: of y, […, c].
        n: how many rows, […].
        total: of a, […, f].
        square: of a², […, f].
    """
    n = np.asarray(n)[..., None]
    of_activation, of_label = square - total**2 / n, positives * (1 - positives / n)
    # A label that some rows have but not all has at least 1 − 1/n.
    scales = [
        np.divide(1, np.sqrt(x.clip(0)), out=np.zeros_like(x), where=x > floor)
        for x, floor in ((of_activation, SMALLEST * n), (of_label, 0.25))
    ]
    joint = joint - (positives / n)[..., None] * total[..., None, :]
    joint *= scales[0][..., None, :]
    joint *= scales[1][..., None]
    return joint


def _mean_at(halves: np.ndarray, choices: np.ndarray, axis: int) -> np.ndarray:
    values = np.take_along_axis(halves, np.expand_dims(choices, axis), axis).squeeze(axis)
    return values.mean(axis=(0, 1))
