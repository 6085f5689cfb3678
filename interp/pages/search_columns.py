"""What the dashboard knows of every feature before one is opened: for its table, its map and its search.

Columns are lists with a value for each feature.
"""

from collections.abc import Mapping
from typing import Any

from interp.features.effects import LAYERS
from interp.pages.feature_columns import NAMES, moved
from interp.plots.formats import column_values, decimals
from interp.study.feature_view import FeatureView, FeatureViews

PEAKS = 4  # items that are named beside a feature
ANY_STEER = "overlap"  # the measure that any steer lowers


def search_columns(views: FeatureViews, position: Mapping[Any, int]) -> dict[str, Any]:
    """The effect on the best concept, the items at which each feature peaks, and those by which a search finds it."""
    return {
        "effect": [_best_effect(view) for view in views],
        "peaks": [[position[item] for item in view.top_items[:PEAKS]] for view in views],
        "items": [[position[item] for item in _items(view)] for view in views],
    }


def effects(views: FeatureViews) -> tuple[list[str], list[list[list[Any]]]]:
    """What turning features up does beyond its interval, such as "lowers Mean popularity".

    Returns:
        The phrases; and for each feature its pairs of a phrase's place and the change.
    """
    places: dict[str, int] = {}
    rows = []
    for view in views:
        beyond = [row for row in view.receipt if not row.concept and row.measure != ANY_STEER]
        changes = [row for row in beyond if row.change_low > 0 or row.change_high < 0] + moved(view)
        pairs = zip(map(_phrase, changes), decimals(row.change for row in changes), strict=True)
        rows.append([[places.setdefault(phrase, len(places)), change] for phrase, change in pairs])
    return list(places), rows


def _phrase(row: Any) -> str:
    return f"{'raises' if row.change > 0 else 'lowers'} {row.concept or NAMES.get(row.measure, row.measure)}"


def _best_effect(view: FeatureView) -> float | None:
    rows = [row for row in view.concepts if row.concept == view.concept]
    return column_values("effect", rows)[0] if rows and not view.dead else None


def _items(view: FeatureView) -> list[Any]:
    """The items at which it is at least half its height, and those that it promotes."""
    high = [
        item
        for history in view.histories
        for item, activation in zip(history.items, history.activations, strict=True)
        if activation >= view.row.max / 2
    ]
    promoted = [change.item for change in view.item_changes(LAYERS) if change.direction == "promoted"]
    return list(dict.fromkeys([*high, *promoted]))
