"""Numbers and figures as JSON values, rounded in one place."""

import json
import math
from collections.abc import Iterable
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
    rounded = float(f"{value:.{digits}g}") if value != int(value) else int(value)
    return rounded or 0


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
    rounded = round(float(value), places)
    return (int(rounded) if rounded == int(rounded) else rounded) if rounded else number(value, 2)
