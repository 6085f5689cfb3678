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
    raised, lowered = _counts(up, v), _counts(down, v)
    change, parts = raised - lowered, []
    for direction, gain in (("promoted", change), ("suppressed", -change)):
        order = np.argsort(-gain, axis=1, kind="stable")[:, :count]
        place, rank = np.nonzero(np.take_along_axis(gain, order, axis=1) > 0)
        code = order[place, rank]
        rows = pd.DataFrame({"place": place, "direction": direction, "rank": rank + 1, "code": code})
        parts.append(rows.assign(up=raised[place, code], down=lowered[place, code], users=up.shape[1]))
    return pd.concat(parts, ignore_index=True)


def _counts(lists: np.ndarray, v: int) -> np.ndarray:
    """How many lists have each item: int [f, v]."""
    cells = lists + v * np.arange(len(lists))[:, None, None]
    return np.bincount(cells[lists >= 0], minlength=len(lists) * v).reshape(-1, v)
