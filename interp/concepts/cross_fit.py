"""Correlations of every candidate with every concept, over all items and over halves of them, from sums by item.

Axes: i items, f candidates (features, neurons or directions), c concepts, r repeats.
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
        self.shape = len(halves), labels.shape[1]
        in_half = (labels[:, None, :] & halves.T[:, :, None]).reshape(len(labels), -1)
        # An item has few concepts, so that sparse labels take a fraction of the sums that dense ones do.
        columns = np.concatenate([in_half, labels, halves.T], axis=1)
        self._columns = sparse.csr_array(columns, dtype=dtype)  # [i, r·c + c + r]
        self._members = sparse.csr_array(halves.T, dtype=dtype)  # [i, r]

    def fit(self, sums: ItemSums, order: np.ndarray | None = None) -> Fit:
        """Correlate activations, summed by these items, with the labels.

        Args:
            sums: the activations.
            order: int [i]; item number k is given the labels and the halves of item number order[k].
        """
        columns, members = (x if order is None else x[order] for x in (self._columns, self._members))
        r, c = self.shape
        joint, positives = columns.T @ sums.total, columns.T @ sums.count
        joint, total = np.split(joint, [r * c + c])
        positives, n = np.split(positives, [r * c + c])
        square = members.T @ sums.square
        n_all, square_all = sums.count.sum(), sums.square_total
        whole = _correlations(joint[r * c :], positives[r * c :], n_all, 0 * square_all, square_all)
        halves = np.empty((2, r, c, joint.shape[1]), dtype=joint.dtype)
        one, p = joint[: r * c].reshape(r, c, -1), positives[: r * c].reshape(r, c)
        # The columns of all rows have mean 0, so that what one half lacks is in the other.
        other, q = joint[r * c :] - one, positives[r * c :] - p
        for k in range(r):
            halves[0, k] = _correlations(one[k], p[k], n[k], total[k], square[k])
            halves[1, k] = _correlations(other[k], q[k], n_all - n[k], -total[k], square_all - square[k])
        return Fit(whole, halves)


def _correlations(
    joint: np.ndarray, positives: np.ndarray, n: np.ndarray, total: np.ndarray, square: np.ndarray
) -> np.ndarray:
    """[c, f] from sums over n rows: of a·y [c, f], of y [c], of a [f] and of a² [f]; 0 where either is constant."""
    of_activation, of_label = square - total**2 / n, positives * (1 - positives / n)
    # A label that some rows have but not all has at least 1 − 1/n.
    scales = [
        np.divide(1, np.sqrt(x.clip(0)), out=np.zeros_like(x), where=x > floor)
        for x, floor in ((of_activation, SMALLEST * n), (of_label, 0.25))
    ]
    joint = joint - (positives / n)[:, None] * total
    joint *= scales[0]
    joint *= scales[1][:, None]
    return joint


def _mean_at(halves: np.ndarray, choices: np.ndarray, axis: int) -> np.ndarray:
    values = np.take_along_axis(halves, np.expand_dims(choices, axis), axis).squeeze(axis)
    return values.mean(axis=(0, 1))
