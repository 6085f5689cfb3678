"""What the dashboard shows of every feature first: its name, its sentence, what turning it costs, and its curves.

Columns are lists with a value for each feature.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from interp.features.grades import GRADES
from interp.pages.feature_figures import SIDES
from interp.plots.formats import column_values, decimals, significant
from interp.plots.names import MEASURES, RANKING
from interp.study.feature_view import LISTS, FeatureView, FeatureViews, ItemChange
from interp.study.sentence import sentence, share_change

CHANGES = ("share", "ndcg", "boost", "ahead")
CURVES = tuple(f"{name}{side}" for name in ("share", "ndcg") for side in SIDES)
FIRST = 6  # items in each list of the first screen
NAMES = MEASURES | RANKING | {"diversity@10": "Diversity@10"}


def names_and_sentences(views: FeatureViews) -> dict[str, Any]:
    """What each feature is called, with the grade of the evidence, and the sentence that sums it up."""
    return {
        "name": [view.name.text for view in views],
        "given": [[view.name.given, view.name.by] if view.name.given else None for view in views],
        "grade": [view.name.grade for view in views],
        "group": [view.name.group for view in views],
        "sentence": [sentence(view) for view in views],
        "grades": {grade: list(texts) for grade, texts in GRADES.items()},
    }


def lit(views: FeatureViews, position: Mapping[Any, int]) -> dict[str, list[list[Any]]]:
    """The items at which each feature is highest in its histories, with its highest activation there."""
    items = [view.lit[:FIRST] for view in views]
    return {
        "item": [[position[item] for item, _ in rows] for rows in items],
        "activation": [significant((activation for _, activation in rows), 2) for rows in items],
    }


def item_changes(
    views: FeatureViews, way: str, position: Mapping[Any, int], top: int | None = None
) -> dict[str, dict[str, Any]]:
    """For each direction, every feature's items and what becomes of them, strongest first; all or the first of them."""
    changes = [view.item_changes(way) for view in views]
    columns: dict[str, Callable[[list[ItemChange]], list[Any]]] = {
        "item": lambda rows: [position[row.item] for row in rows],
        "effect": lambda rows: (decimals if way == LISTS else significant)(row.effect for row in rows),
    }
    if way == LISTS:
        columns |= {name: partial(column_values, name) for name in ("up", "down", "users")}
    sides = {
        direction: [[row for row in rows if row.direction == direction][:top] for rows in changes]
        for direction in ("promoted", "suppressed")
    }
    return {
        direction: {name: [column(rows) for rows in side] for name, column in columns.items()}
        for direction, side in sides.items()
    }


def costs(views: FeatureViews, position: dict[str, int]) -> dict[str, list[Any]]:
    """The table `feature_costs`; None for a dead feature."""
    rows = [view.costs for view in views]
    columns: dict[str, list[Any]] = {
        "concept": [row and position.get(row.concept) for row in rows],
        "chosen_by": [row and row.chosen_by for row in rows],
        "users": [row and int(row.users) for row in rows],
        "share_change": [row and share_change(row) for row in rows],
    }
    for name in ("share_before", "share_after", *(f"{name}{side}" for name in CHANGES for side in SIDES)):
        columns[name] = [None if row is None else decimals([getattr(row, name)])[0] for row in rows]
    return columns


def curves(views: FeatureViews) -> dict[str, list[list[float | None]]]:
    """What is added to each feature, and its share and NDCG with bands."""
    return {
        "value": [significant(row.value for row in view.curve) for view in views],
        **{name: [decimals((getattr(row, name) for row in view.curve), 4) for view in views] for name in CURVES},
    }


def receipts(views: FeatureViews, position: dict[str, int]) -> dict[str, Any]:
    """Each feature's measures, and concepts that moved beyond their interval: before, change, its bounds."""
    measures = list(dict.fromkeys(row.measure for view in views for row in view.receipt if not row.concept))
    return {
        "measures": {name: NAMES.get(name, name) for name in measures},
        "rows": [[_numbers(row) for row in view.receipt if not row.concept] for view in views],
        "moved": [[[position[row.concept], *_numbers(row)] for row in moved(view)] for view in views],
    }


def moved(view: FeatureView) -> list[Any]:
    """A feature's rows of shares whose interval leaves out 0, the largest change first."""
    shares = [row for row in view.receipt if row.concept and (row.change_low > 0 or row.change_high < 0)]
    return sorted(shares, key=lambda row: -abs(row.change))


def _numbers(row: Any) -> list[float | None]:
    return decimals((row.before, row.change, row.change_low, row.change_high))
