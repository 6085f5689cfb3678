"""Counts by item of the steps where features are active: on training steps, for labels, and on those of unseen users.

A feature counts as active where its activation is above the median of its positive activations. With the weak
activations, many features would be active so often that every common predicate would predict them.

Axes: n steps (one user at one), f features, v items.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.feature_matrix import FeatureMatrix
from interp.concepts import Concepts
from interp.features.neighbours import cosines, nearest
from interp.sae.autoencoder import SparseAutoencoder

QUANTILE = 0.5  # of a feature's positive activations, above which it counts as active
SIMILAR = 3  # features whose directions are closest, which make hard negatives
NEIGHBOURS = 3  # concepts that fit a feature best, which make hard negatives
_FEATURES = 64  # at once
CELLS = 2**23  # of features and items at once: a few hundred features in a catalogue of 30,000 items


@dataclass(frozen=True)
class Counts:
    """Steps by item.

    Attributes:
        items: ids of the items that occur [v].
        steps: how many steps each has [v].
        active: on how many of them each feature is active, sparse [f, v].
    """

    items: pd.Index
    steps: np.ndarray
    active: sparse.csr_array

    @cached_property
    def by_item(self) -> pd.Series:
        """`steps`, by item id."""
        return pd.Series(self.steps, self.items)

    def select(self, features: np.ndarray) -> "Counts":
        """Of some features."""
        return replace(self, active=self.active[features])

    def only(self, members: pd.Index) -> "Counts":
        """Of some items; no other has a step."""
        mask = self.items.isin(members)
        return replace(self, steps=self.steps * mask, active=of_items(self.active, mask))


@dataclass(frozen=True)
class ItemCounts:
    """The counts from which labels are chosen, and those on which they are scored.

    Attributes:
        training: steps of the part that the dictionary was trained on.
        unseen: steps of users who are used neither for the dictionary nor for choosing labels.
        hard: of the unseen steps, each feature's hard negatives by item, sparse [f, v].
    """

    training: Counts
    unseen: Counts
    hard: sparse.csr_array


def count_by_item(
    sae: SparseAutoencoder,
    training: tuple[FeatureMatrix, pd.Series],
    unseen: tuple[FeatureMatrix, pd.Series],
    concepts: Concepts,
) -> ItemCounts:
    """Count the steps of both parts by item.

    Args:
        sae: the dictionary.
        training: the features [n, f] that labels are chosen on, such as those of the SAE part, and each row's item.
        unseen: the same of other users, such as the test part.
        concepts: the study's concepts, for hard negatives.
    """
    (values, items), (unseen_values, unseen_items) = training, unseen
    floor = medians(values)
    # Some features at a time, as the training part may be larger than memory.
    blocks = [slice(start, start + _FEATURES) for start in range(0, values.shape[1], _FEATURES)]
    parts = [counts(exceeds(values[:, block], floor[block]), items) for block in blocks]
    training_counts = replace(parts[0], active=sparse.csr_array(sparse.vstack([part.active for part in parts])))
    active = exceeds(unseen_values, floor)
    unseen_counts = counts(active, unseen_items)
    near = concepts.labels(training_counts.items).astype(np.float32)
    neighbours = _best(
        f1_of(training_counts.active @ near, training_counts.steps @ near, training_counts.active.sum(axis=1)),
        NEIGHBOURS,
    )
    has = concepts.labels(unseen_counts.items).T
    of_item = np.concatenate([neighbours[block] @ has > 0 for block in blocks])
    similar = nearest(cosines(sae.directions.cpu().numpy()), SIMILAR)
    hard = hard_negatives(active, unseen_items, unseen_counts, similar, of_item)
    return ItemCounts(training_counts, unseen_counts, hard)


def medians(activations: sparse.csc_array) -> np.ndarray:
    """The `QUANTILE` of each feature's positive activations [f]; infinite for one that is never active."""
    parts = (activations.data[start:end] for start, end in pairwise(activations.indptr))
    return np.array([np.quantile(values, QUANTILE) if len(values) else np.inf for values in parts])


def exceeds(activations: sparse.csc_array, floor: np.ndarray) -> sparse.csc_array:
    """Where activations [n, f] are above each feature's floor [f]: 1 there, sparse float32 [n, f]."""
    result = activations.copy()
    result.data = (result.data > np.repeat(floor, np.diff(result.indptr))).astype(np.float32)
    result.eliminate_zeros()
    return result


def counts(active: sparse.csc_array, items: pd.Series) -> Counts:
    """Count by item.

    Args:
        active: 1 where a feature is active [n, f].
        items: the item of each step [n].
    """
    steps = items.value_counts(sort=False).sort_index()
    return Counts(steps.index, steps.to_numpy(), sparse.csr_array(active.T @ _one_hot(items, steps.index)))


def hard_negatives(
    active: sparse.csc_array, items: pd.Series, totals: Counts, similar: np.ndarray, neighbours: np.ndarray
) -> sparse.csr_array:
    """Steps where a feature is not active but could be: sparse [f, v].

    Args:
        active: 1 where a feature is active [n, f].
        items: the item of each step.
        totals: the same steps by item.
        similar: for each feature, similar features [f, k]; a step where one of them is active is hard.
        neighbours: whether each item is near to each feature, bool [f, v]; all of the item's steps are hard.
    """
    one_hot, parts = _one_hot(items, totals.items), []
    step = max(CELLS // max(len(totals.items), 1), 1)
    for start in range(0, len(similar), step):
        block = slice(start, start + step)
        block_similar = similar[block]
        pick = sparse.csc_array(
            (
                np.ones(block_similar.size, np.float32),
                (block_similar.ravel(), np.repeat(np.arange(len(block_similar)), block_similar.shape[1])),
            ),
            shape=(active.shape[1], len(block_similar)),
        )
        block_active = active[:, block]
        beside = (active @ pick) > 0
        confusing = (beside.astype(np.float32) - beside.multiply(block_active)).T @ one_hot
        inactive = totals.steps.astype(np.float32) - totals.active[block].toarray()
        parts.append(sparse.csr_array(np.where(neighbours[block], inactive, confusing.toarray())))
    return sparse.csr_array(sparse.vstack(parts))


def of_items(values: sparse.csr_array, mask: np.ndarray) -> sparse.csr_array:
    """Values [f, v] of the items of a mask [v], 0 for others; what is stored where is shared with `values`."""
    return sparse.csr_array((values.data * mask[values.indices], values.indices, values.indptr), values.shape)


def f1_of(hits: np.ndarray, predicted: np.ndarray, active: np.ndarray) -> np.ndarray:
    """2 · hits / (predicted + active), 0 where both are 0: hits [f, c], predicted [c], active [f]."""
    total = predicted + active[:, None]
    return np.divide(2 * hits, total, out=np.zeros_like(hits, dtype=float), where=total > 0)


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    """Whether each score is among the best of its row and above 0, float32 like `scores` [f, c]."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    is_best = np.zeros_like(scores, dtype=np.float32)
    np.put_along_axis(is_best, order, 1, axis=1)
    return is_best * (scores > 0)


def _one_hot(items: pd.Series, index: pd.Index) -> sparse.csr_array:
    codes = index.get_indexer(items)
    return sparse.csr_array((np.ones(len(codes), np.float32), (np.arange(len(codes)), codes)), (len(codes), len(index)))
