"""Numbers and figures as JSON values, rounded in one place."""

import json
import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import plotly.graph_objects as go


def figure_json(figure: go.Figure) -> dict[str, Any]:
    """A figure as JSON values."""
    return json.loads(figure.to_json())


def numbers(values: Iterable[float]) -> list[float | None]:
    """`number` of each value."""
    return [number(value) for value in values]


def number(value: float, digits: int = 4) -> float | None:
    """A number that is short in JSON: of four significant digits, None where it is not finite."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}") if value != int(value) else int(value)
    return short or 0


def decimals(values: Iterable[float], places: int = 3) -> list[float | None]:
    """Values as a page shows them, rounded once: to so many decimal places, None where they are not finite.

    What would become 0 keeps two significant digits, so that a page can tell little from nothing.
    """
    return [_decimal(value, places) for value in values]


def significant(values: Iterable[float], digits: int = 3) -> list[float | None]:
    """Values as a page shows them, rounded once: to so many significant digits, None where they are not finite."""
    return [number(value, digits) for value in values]


def _decimal(value: float, places: int) -> float | None:
    if not math.isfinite(value):
        return None
    short = round(float(value), places)
    return (int(short) if short == int(short) else short) if short else number(value, 2)


# Columns of a feature's tables, and how pages round them: once, to what they show.
COLUMN_FORMATS: dict[str, Callable[[Iterable[float]], list[float | None]]] = {
    **dict.fromkeys(("correlation", "auc", "sensitivity", "p_top100", "density", "max"), decimals),
    "effect": decimals,  # of a concept's share: a tenth of a percent
    **dict.fromkeys(("effect_se", "share", "error"), partial(decimals, places=4)),  # a hundredth of a percent
    "value": significant,
    "activation": partial(significant, digits=2),
    **dict.fromkeys(("similarity", "precision", "recall", "hard_precision"), partial(decimals, places=2)),
    "lift": partial(decimals, places=1),
}


def column_values(column: str, rows: Iterable[Any]) -> list[float | None]:
    """A column of rows as pages show it (`COLUMN_FORMATS`); other columns as `numbers`."""
    return COLUMN_FORMATS.get(column, numbers)(getattr(row, column) for row in rows)
