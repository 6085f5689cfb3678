"""Items that enter and leave lists, counted by hand and item by item."""

from collections import Counter

import numpy as np
import pandas as pd

from interp.control.list_changes import item_changes


def test_moved_items_by_hand():
    """Two features, three users, lists of two out of five items; a place is empty."""
    up = np.array([[[0, 1], [0, 2], [0, -1]], [[4, 3], [4, 3], [4, 3]]])
    down = np.array([[[1, 2], [1, 2], [1, 0]], [[3, 4], [4, 3], [3, 4]]])
    found = item_changes(up, down, 5)
    # Feature 0: item 0 in 3 lists and in 1, item 1 in 1 and in 3, item 2 in 1 and in 2. Feature 1: the same items.
    expected = pd.DataFrame(
        [
            (0, "promoted", 1, 0, 3, 1, 3),
            (0, "suppressed", 1, 1, 1, 3, 3),
            (0, "suppressed", 2, 2, 1, 2, 3),
        ],
        columns=["place", "direction", "rank", "code", "up", "down", "users"],
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_moved_items_one_by_one():
    rng = np.random.default_rng(0)
    up, down = (np.stack([rng.permutation(30)[:5] for _ in range(7 * 40)]).reshape(7, 40, 5) for _ in range(2))
    found = item_changes(up, down, 30, count=4)
    for place in range(7):
        more, fewer = (Counter(lists[place].ravel().tolist()) for lists in (up, down))
        for direction, sign in (("promoted", -1), ("suppressed", 1)):
            order = sorted(range(30), key=lambda item: (sign * (more[item] - fewer[item]), item))[:4]
            rows = found[(found["place"] == place) & (found["direction"] == direction)]
            assert rows["code"].tolist() == order
            assert rows["up"].tolist() == [more[item] for item in order]
            assert rows["down"].tolist() == [fewer[item] for item in order]
            assert set(rows["users"]) == {40}
