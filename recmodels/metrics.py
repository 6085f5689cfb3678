"""Ranking metrics as pure functions of ranked lists.

A *list* is a row of item codes, best first; −1 fills a list that ran out of items. NDCG, HitRate and Coverage follow
RePlay 0.22, the paper's library. A metric that is a mean over users is the mean of its `user_` function; *popularity*
is the number of an item's training interactions, in code order.
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
    return float(user_ndcg(lists, truth).mean())


def user_ndcg(lists: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Each user's part in `ndcg`: float [user]."""
    gains = 1.0 / np.log2(np.arange(lists.shape[1]) + 2)
    return (lists == truth[:, None]) @ gains


def hit_rate(lists: np.ndarray, truth: np.ndarray) -> float:
    """Share of users whose relevant item is in their list. Shapes as in `ndcg`."""
    return float(user_hits(lists, truth).mean())


def user_hits(lists: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether each user's relevant item is in the list: bool [user]."""
    return (lists == truth[:, None]).any(axis=1)


def user_reciprocal_ranks(lists: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """1 / rank of each user's relevant item, 0 where it is not listed: float [user]. Shapes as in `ndcg`.

    Its mean is MRR, the mean reciprocal rank (Voorhees, TREC-8, 1999), cut at the length of the list.
    """
    return (lists == truth[:, None]) @ (1.0 / (np.arange(lists.shape[1]) + 1))


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
    in_list = lists >= 0
    weight = 1.0 / np.sqrt(np.maximum(in_list.sum(axis=1), 1))
    total = np.bincount(lists[in_list], weights=np.broadcast_to(weight[:, None], lists.shape)[in_list])
    norms = in_list.any(axis=1).sum()
    return float(1.0 - (np.square(total).sum() - norms) / (n * (n - 1)))


def gini(lists: np.ndarray, catalogue: np.ndarray) -> float:
    """Inequality of exposure: the Gini index of how often each item of the catalogue is listed.

    With the counts c sorted upwards over n items, G = Σ_i (2i − n − 1) c_i / (n Σ c): half the mean absolute
    difference of two items' counts, in units of the mean count. (Fleder and Hosanagar, Management Science 2009;
    RecBole's `GiniIndex`.)

    Args:
        lists: int [user, k].
        catalogue: int [item], the items the recommender was trained on.

    Returns:
        0 when all items are listed equally often, 1 − 1/n when one alone is; NaN when none is.
    """
    size = max(int(lists.max(initial=0)), int(catalogue.max(initial=0))) + 1
    return float(gini_index(np.bincount(lists[lists >= 0], minlength=size)[catalogue]))


def gini_index(counts: np.ndarray) -> np.ndarray:
    """Gini index along the last axis of non-negative counts: float [...], NaN where all of them are 0."""
    n = counts.shape[-1]
    total = counts.sum(axis=-1, dtype=np.float64)
    weighted = np.sort(counts, axis=-1) @ (2.0 * np.arange(1, n + 1) - n - 1)
    return np.divide(weighted, n * total, out=np.full_like(total, np.nan), where=total > 0)


def head_items(popularity: np.ndarray, share: float = 0.8) -> np.ndarray:
    """The head of a catalogue: the fewest most popular items that together make this share of all interactions.

    The rest is the long tail. (The short head of Abdollahpouri et al., FLAIRS 2019.)

    Args:
        popularity: [item], not negative; of equally popular items, those with a lower code come first.
        share: of the interactions, from 0 (no item is in the head) to 1 (all with an interaction are).

    Returns:
        bool [item].
    """
    order = np.argsort(-popularity, kind="stable")
    reached_before = np.cumsum(popularity[order]) - popularity[order]
    head = np.zeros(len(popularity), dtype=bool)
    head[order] = reached_before < share * popularity.sum()
    return head


def long_tail_share(lists: np.ndarray, popularity: np.ndarray, share: float = 0.8) -> float:
    """Mean over users of the share of their list that is in the long tail.

    (APLT, the average percentage of long-tail items: Abdollahpouri et al., FLAIRS 2019.)

    Args:
        lists: int [user, k].
        popularity: [item].
        share: of the interactions that make the head, as in `head_items`.

    Returns:
        Mean over the users who have a list; NaN when no user has one.
    """
    return _mean(user_means(lists, ~head_items(popularity, share)))


def mean_popularity(lists: np.ndarray, popularity: np.ndarray) -> float:
    """Mean over users of the mean popularity of the items in their list.

    (ARP, the average recommendation popularity: Yin et al., VLDB 2012.) Arguments and users without a list as in
    `long_tail_share`.
    """
    return _mean(user_means(lists, popularity))


def user_means(lists: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean of a value of the items in each user's list.

    Args:
        lists: int [user, k].
        values: [item], in code order.

    Returns:
        float [user], NaN for a list without items.
    """
    in_list = lists >= 0
    total = np.where(in_list, values[np.where(in_list, lists, 0)], 0).sum(axis=1, dtype=np.float64)
    count = in_list.sum(axis=1)
    return np.divide(total, count, out=np.full(len(lists), np.nan), where=count > 0)


def _mean(values: np.ndarray) -> float:
    finite = values[~np.isnan(values)]
    return float(finite.mean()) if len(finite) else float("nan")
