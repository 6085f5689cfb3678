"""What the dashboard shows of items: numbers of those it carries, and a page for those that occur most.

Items and features are positions in the page's columns. A page carries all items of a catalogue; of a large one those
that it shows somewhere.
"""

from collections.abc import Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from interp.plots.formats import decimals, significant
from interp.study.later_tables import later_table
from interp.study.study_parts import StudyParts

MOST = 2_500  # items with a page of their own, so that a large catalogue does not fill the file
ALL = 20_000  # items of a catalogue that a page carries whole
TOP = 6  # features, and nearest items, on it


class ItemPlaces(dict[Any, int]):
    """The position of each item that a page carries; an item without one gets the next when it is asked for."""

    @classmethod
    def of(cls, items: pd.Index) -> "ItemPlaces":
        """Positions of all items; of none yet where there are more than `ALL`."""
        return cls({item: place for place, item in enumerate(items if len(items) <= ALL else ())})

    def __missing__(self, item: Any) -> int:
        place = self[item] = len(self)
        return place


def item_columns(study: StudyParts, position: ItemPlaces, concepts: Mapping[str, int]) -> dict[str, Any]:
    """Of every item its title, popularity and lists; of those with a page, what lights up on them and promotes them.

    Args:
        study: a finished study.
        position: of each item that the page shows elsewhere; items with a page, and their nearest, get theirs here.
        concepts: the position of each concept.
    """
    profiles = later_table(study, "item_profiles").set_index("item").loc[study.items.index]
    popularity = study.items["popularity"].to_numpy()
    order = np.lexsort((-popularity, -profiles["steps"].to_numpy()))
    paged = {position[item] for item in study.items.index[order[:MOST]].tolist()}
    lit, near = (_groups(later_table(study, name), position, paged) for name in ("item_features", "item_neighbours"))
    effects = later_table(study, "item_effects")
    by_direction = {
        direction: _groups(effects[effects["direction"] == direction], position, paged)
        for direction in ("promoted", "suppressed")
    }
    near_items = {place: [position[row.neighbour] for row in rows] for place, rows in near.items()}
    carried, places = pd.Index(list(position)), range(len(position))
    items, own = study.items.loc[carried], profiles.loc[carried]
    return {
        "all": len(study.items),
        "titles": items["title"].tolist(),
        "concepts": [[concepts[name] for name in row] for row in items["concepts"]],
        "ids": [str(item) for item in position],
        "popularity": items["popularity"].tolist(),
        **{name: own[name].tolist() for name in ("steps", "lists", "users")},
        "more_popular": _larger(popularity, items["popularity"].to_numpy()),
        "in_more_lists": _larger(profiles["lists"].to_numpy(), own["lists"].to_numpy()),
        "place": decimals(own["place"], 1),
        "paged": [int(place in paged) for place in places],
        "lit": {
            "feature": [[row.feature for row in lit.get(place, ())] for place in places],
            "activation": [significant((row.activation for row in lit.get(place, ())), 2) for place in places],
        },
        "near": {
            "item": [near_items.get(place, []) for place in places],
            "similarity": [decimals((row.similarity for row in near.get(place, ())), 2) for place in places],
        },
        **{
            direction: {
                "feature": [[row.feature for row in groups.get(place, ())] for place in places],
                "effect": [decimals((row.effect for row in groups.get(place, ())), 2) for place in places],
            }
            for direction, groups in by_direction.items()
        },
    }


def left_out(items: dict[str, Any]) -> list[str]:
    """What these columns lack of the catalogue, in a sentence; nothing if they have all of it."""
    n = len(items["titles"])
    if n == items["all"]:
        return []
    return [
        f"This page carries {n:,} of {items['all']:,} items: those that a feature shows, and the {MOST:,} that "
        f"occur most; a search finds no other."
    ]


def _larger(values: np.ndarray, own: np.ndarray) -> list[int]:
    """How many of all values are larger than each of these."""
    return (len(values) - np.searchsorted(np.sort(values), own, side="right")).tolist()


def _groups(table: pd.DataFrame, position: Mapping[Any, int], paged: set[int]) -> dict[int, list[Any]]:
    """The first rows of each item that has a page, by the item's position."""
    top = table[table["rank"] <= TOP].sort_values(["item", "rank"], kind="stable")
    groups = groupby(top.itertuples(index=False), attrgetter("item"))
    return {position[item]: list(rows) for item, rows in groups if position.get(item) in paged}
