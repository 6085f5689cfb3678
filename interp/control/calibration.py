"""How far a list is from the mix of a user's own past, and re-ranking that brings it closer (Steck, RecSys 2018).

The mix of some items is the mean of their weights, where an item with three concepts has a third of each, and an item
without any is left out. A list is calibrated if its mix is that of the history. The miscalibration is the divergence

    KL(p || q̃) = Σ_c p_c log(p_c / q̃_c),   q̃ = (1 − α) q + α p,   α = 0.01

with p the history's mix and q the list's: 0 for equal mixes, log(1 / α) = 4.61 for a list with nothing of it.

Axes: u users, k places of a list, v items, c concepts, m kinds of items (items with the same concepts are of one kind).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recmodels.sequences import Histories

ALPHA = 0.01
OUT = torch.finfo(torch.float64).min  # the score of an item that is left out: finite, so that 0 times it is 0
USERS = 64  # per pass


def concept_weights(labels: np.ndarray) -> np.ndarray:
    """What each item is made of, from its concepts bool [v, c]: float [v, c]; a row adds up to 1, or 0 without any."""
    return labels / np.maximum(labels.sum(axis=1, keepdims=True), 1)


def past_mix(histories: Histories, weights: np.ndarray) -> np.ndarray:
    """The mix of each whole history: float [u, c]; 0 where no item of it has a concept."""
    total = np.zeros((len(histories), weights.shape[1]))
    np.add.at(total, np.repeat(np.arange(len(histories)), histories.lengths), weights[histories.codes])
    return _normalised(total)


def list_mix(lists: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mix of lists int [..., k], −1 where a list ran out: float [..., c]; all places count alike."""
    return _normalised(np.where((lists >= 0)[..., None], weights[lists], 0).sum(axis=-2))


def miscalibration(past: np.ndarray, mix: np.ndarray) -> np.ndarray:
    """The divergence of each list's mix from the user's past.

    Args:
        past: [u, c] mixes of histories.
        mix: [..., u, c] mixes of lists.

    Returns:
        float [..., u]; NaN for users of whose past no concept is known.
    """
    smooth = (1 - ALPHA) * mix + ALPHA * past
    ratio = np.divide(past, smooth, out=np.ones_like(smooth), where=np.broadcast_to(past > 0, smooth.shape))
    return np.where(past.any(axis=-1), (past * np.log(ratio)).sum(axis=-1), np.nan)


def calibrated_lists(
    scores: Tensor, weights: np.ndarray, past: np.ndarray, strengths: Sequence[float], k: int = 10
) -> np.ndarray:
    """Lists re-ranked towards each user's past, item by item (the greedy algorithm of Steck, section 4).

    Next comes the item with the largest (1 − strength) · score − strength · miscalibration of the list with it. Of
    items of one kind, only the best that is left can be it, so that the divergence is worked out once for each kind.

    Args:
        scores: [u, v], in units of the standard deviation of each user's scores; −inf for items that are left out.
        weights: [v, c].
        past: [u, c].
        strengths: from 0, the list as it is, to 1, the past alone.
        k: list length.

    Returns:
        int [strength, u, k].
    """
    kinds, inverse = np.unique(weights, axis=0, return_inverse=True)
    kind = torch.from_numpy(inverse.reshape(-1))
    lists = np.empty((len(strengths), len(scores), k), dtype=np.int64)
    for start in range(0, len(scores), USERS):
        rows = slice(start, start + USERS)
        for place, strength in enumerate(strengths):
            lists[place, rows] = _greedy(scores[rows].double().cpu(), kinds, kind, past[rows], strength, k)
    return lists


def _greedy(scores: Tensor, kinds: np.ndarray, kind: Tensor, past: np.ndarray, strength: float, k: int) -> np.ndarray:
    left, every = scores.clamp_min(OUT), kind.expand(len(scores), -1)
    total, users, chosen = np.zeros_like(past), torch.arange(len(scores)), []
    for _ in range(k):
        best = left.new_full((len(left), len(kinds)), OUT).scatter_reduce(1, every, left, "amax").numpy()
        far = np.nan_to_num(miscalibration(past, _normalised(total + kinds[:, None])).T)
        worth = np.where(best > OUT, (1 - strength) * best - strength * far, -np.inf)
        take = torch.from_numpy(worth.argmax(axis=1))
        code = left.masked_fill(every != take[:, None], OUT).argmax(dim=1)
        chosen.append(code.where(left[users, code] > OUT, -1))
        left[users, code] = OUT
        total += kinds[take]
    return torch.stack(chosen, dim=1).numpy()


def _normalised(total: np.ndarray) -> np.ndarray:
    size = total.sum(axis=-1, keepdims=True)
    return np.divide(total, size, out=np.zeros_like(total), where=size > 0)
