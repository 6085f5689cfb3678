"""Ranking metrics as pure functions of ranked lists.

A *list* is a row of item codes, best first; −1 fills a list that ran out of items. All metrics follow
RePlay 0.22, the paper's library, and are means over users.
"""

import numpy as np


def ndcg(lists: np.ndarray, truth: np.ndarray) -> float:
    """Normalised discounted cumulative gain with one relevant item per user: mean of 1 / log2(rank + 1).

    Args:
        lists: int [user, k], best first.
        truth: int [user], the one relevant item.

    Returns:
        Mean over users, ranks counted from 1; a user whose item is not listed adds 0.
    """
    gains = 1.0 / np.log2(np.arange(lists.shape[1]) + 2)
    return float(((lists == truth[:, None]) @ gains).mean())


def hit_rate(lists: np.ndarray, truth: np.ndarray) -> float:
    """Share of users whose relevant item is in their list. Shapes as in `ndcg`."""
    return float((lists == truth[:, None]).any(axis=1).mean())


def coverage(lists: np.ndarray, catalogue: np.ndarray) -> float:
    """Distinct listed items that are in the catalogue, divided by the catalogue's size.

    Args:
        lists: int [user, k].
        catalogue: int [item], the items the recommender was trained on.
    """
    return float(np.isin(catalogue, lists).mean())


def inter_list_diversity(lists: np.ndarray) -> float:
    """Mean cosine distance between the binary item vectors of two users' lists, over all pairs of users.

    With unit vectors v_u and S = Σ v_u, the sum of cosines over ordered pairs is |S|² − n, so no pair is
    ever formed. For full lists it equals 1 − Σ_i c_i(c_i − 1) / (k n (n − 1)), c_i the lists with item i.
    (Paper section 8.2.2; Zhou et al. 2010.)

    Returns:
        0 when all lists are equal, 1 when no two share an item; NaN for fewer than two users.
    """
    n = len(lists)
    if n < 2:
        return float("nan")
    listed = lists >= 0
    weight = 1.0 / np.sqrt(np.maximum(listed.sum(axis=1), 1))
    total = np.bincount(lists[listed], weights=np.broadcast_to(weight[:, None], lists.shape)[listed])
    norms = listed.any(axis=1).sum()
    return float(1.0 - (np.square(total).sum() - norms) / (n * (n - 1)))
