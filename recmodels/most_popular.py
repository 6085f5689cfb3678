"""The recommender that does nothing clever: everyone gets the most popular items that they do not have yet.

(RecTools' `PopularModel`, RecBole's `Pop`, RePlay's `PopRec`.)
"""

import numpy as np

from recmodels.best_items import check_length
from recmodels.sequences import Histories

USERS = 256  # per pass


def popular_lists(popularity: np.ndarray, histories: Histories, k: int = 10, keep_seen: bool = False) -> np.ndarray:
    """Top-k lists of item codes: int [user, k], −1 where a list runs out.

    All users share one order of the items, so a user's list is its head without the items of the history.

    Args:
        popularity: [item], training interactions of each item, in code order; equally popular ones keep that order.
        histories: the users.
        k: list length.
        keep_seen: whether lists may repeat the items of a history.
    """
    k, popularity = check_length(k), np.asarray(popularity, dtype=np.float64)
    order = np.argsort(-popularity, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    lists, start = np.full((len(histories), k), -1, dtype=np.int64), 0
    for batch in histories.batches(USERS):
        head = k if keep_seen else k + int(batch.lengths.max(initial=0))
        free = np.ones((len(batch), min(head, len(order))), dtype=bool)
        if not keep_seen:
            own, row = place[batch.codes], np.repeat(np.arange(len(batch)), batch.lengths)
            free[row[own < head], own[own < head]] = False
        rank = free.cumsum(axis=1)
        user, column = np.nonzero(free & (rank <= k))
        lists[start + user, rank[user, column] - 1] = order[column]
        start += len(batch)
    return lists
