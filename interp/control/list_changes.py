"""Counts of the items that enter and leave the lists when features are turned up and down.

Axes: f features, u users, k places of a list, v items.
"""

import numpy as np
import pandas as pd

COUNT = 8  # items per direction


def item_changes(up: np.ndarray, down: np.ndarray, v: int, count: int = COUNT) -> pd.DataFrame:
    """The items whose number of lists differs most between a feature turned up and the same feature turned down.

    Args:
        up: item codes of the lists with each feature turned up, int [f, u, k], -1 where a place is empty.
        down: the same, turned down.
        v: how many items there are.
        count: items per direction; fewer where fewer differ.

    Returns:
        place (along f), direction ("promoted" or "suppressed"), rank (from 1), code (of the item), up and down (users
        who have it in their list), users (how many there are). Of items with equal differences, smaller codes come
        first.
    """
    # Of the items in some list alone, so that nothing of features × items is held.
    cells = [(lists + v * np.arange(len(lists))[:, None, None])[lists >= 0] for lists in (up, down)]
    listed, number = np.unique(np.concatenate(cells), return_inverse=True)
    sides = np.split(number, [len(cells[0])])
    raised, lowered = (np.bincount(side, minlength=len(listed)) for side in sides)
    place, code = np.divmod(listed, v)
    parts = []
    for direction, gain in (("promoted", raised - lowered), ("suppressed", lowered - raised)):
        order = np.lexsort((code, -gain, place))
        order = order[gain[order] > 0]
        rank = np.arange(len(order)) - np.searchsorted(place[order], place[order]) + 1
        order, rank = order[rank <= count], rank[rank <= count]
        rows = pd.DataFrame({"place": place[order], "direction": direction, "rank": rank, "code": code[order]})
        parts.append(rows.assign(up=raised[order], down=lowered[order], users=up.shape[1]))
    return pd.concat(parts, ignore_index=True)
