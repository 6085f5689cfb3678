"""What the dashboard shows of items: numbers of all of them, and a page for those that occur most.

Items and features are positions in the page's columns.
"""

from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from interp.plots.formats import decimals, significant
from interp.study.later_tables import later_table
from interp.study.study_parts import StudyParts

MOST = 2_500  # items with a page of their own, so that a large catalogue does not fill the file
TOP = 6  # features, and nearest items, on it

Lists = list[list[Any]]


def item_columns(study: StudyParts, position: dict[Any, int]) -> dict[str, Any]:
    """Of every item its popularity and lists; of those with a page, what lights up on them and what promotes them.

    Args:
        study: a finished study.
        position: of each item id.
    """
    profiles = later_table(study, "item_profiles").set_index("item").loc[list(position)]
    popularity = study.items["popularity"].to_numpy()
    order = np.lexsort((-popularity, -profiles["steps"].to_numpy()))
    paged = set(order[:MOST].tolist())
    lit, near = (_groups(later_table(study, name), position, paged) for name in ("item_features", "item_neighbours"))
    effects = later_table(study, "item_effects")
    by_direction = {
        direction: _groups(effects[effects["direction"] == direction], position, paged)
        for direction in ("promoted", "suppressed")
    }
    return {
        "ids": [str(item) for item in position],
        "popularity": popularity.tolist(),
        **{name: profiles[name].tolist() for name in ("steps", "lists", "users")},
        "place": decimals(profiles["place"], 1),
        "paged": [int(place in paged) for place in range(len(position))],
        "lit": {
            "feature": [[row.feature for row in rows] for rows in lit],
            "activation": [significant([row.activation for row in rows], 2) for rows in lit],
        },
        "near": {
            "item": [[position[row.neighbour] for row in rows] for rows in near],
            "similarity": [decimals([row.similarity for row in rows], 2) for rows in near],
        },
        **{
            direction: {
                "feature": [[row.feature for row in rows] for rows in groups],
                "effect": [decimals([row.effect for row in rows], 2) for rows in groups],
            }
            for direction, groups in by_direction.items()
        },
    }


def _groups(table: pd.DataFrame, position: dict[Any, int], paged: set[int]) -> Lists:
    """The first rows of each item that has a page, by the item's position."""
    rows: Lists = [[] for _ in position]
    top = table[table["rank"] <= TOP].sort_values(["item", "rank"], kind="stable")
    for item, group in groupby(top.itertuples(index=False), attrgetter("item")):
        if position[item] in paged:
            rows[position[item]] = list(group)
    return rows
