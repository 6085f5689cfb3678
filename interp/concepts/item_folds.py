"""Halves of the items, and permutations of what items have, for numbers that do not rest on the items they came from.

A step's activation carries the identity of its input item, and the same items recur. So a feature that detects one
popular film correlates with every concept of that film. Two remedies: choose a feature on one half of the items and
measure it on the other (`item_halves`), and give every item the concepts of another, equally popular item
(`permutations`): what is then still found is chance.

Axes: r repeats, i items, c concepts.
"""

from collections.abc import Iterator

import numpy as np
import scipy

DECILES = 10


def popularity_deciles(count: np.ndarray) -> np.ndarray:
    """Tenths of the items by how often they occur, from 0, the rarest: int [i].

    Args:
        count: occurrences of each item, [i].
    """
    ranks = scipy.stats.rankdata(count, method="ordinal") - 1
    return (ranks * DECILES // max(len(count), 1)).astype(np.int64)


def item_halves(labels: np.ndarray, deciles: np.ndarray, repeats: int, rng: np.random.Generator) -> np.ndarray:
    """Random halves of the items, balanced by concept and popularity.

    Items are sorted by their rarest concept and by popularity; of every two neighbours, one goes to each half by the
    toss of a coin.

    Args:
        labels: bool [i, c], which item has which concept.
        deciles: int [i], from `popularity_deciles`.
        repeats: how many pairs of halves.
        rng: tosses the coins.

    Returns:
        bool [r, i], True for the first half. The halves differ by at most one item.
    """
    items = len(labels)
    labels = labels if labels.shape[1] else np.zeros((items, 1), dtype=bool)
    rarity = np.where(labels, labels.sum(axis=0), items + 1)
    rarest = np.where(labels.any(axis=1), rarity.argmin(axis=1), labels.shape[1])
    halves = np.empty((repeats, items), dtype=bool)
    for half in halves:
        order = np.lexsort((rng.random(items), deciles, rarest))
        first = rng.random(-(-items // 2)) < 0.5
        half[order] = np.column_stack([first, ~first]).ravel()[:items]
    return halves


def permutations(deciles: np.ndarray, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Permutations of the items within their tenths of popularity: `count` arrays, int [i]."""
    groups = [np.flatnonzero(deciles == decile) for decile in np.unique(deciles)]
    for _ in range(count):
        order = np.empty(len(deciles), dtype=np.int64)
        for group in groups:
            order[group] = rng.permutation(group)
        yield order
