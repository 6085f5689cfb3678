"""Colours and layout that all figures share. The colours are Okabe and Ito's, made for the colour-blind."""

from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

# What a colour means, on all pages (interp/pages/assets/README.md has the rule).
UP = "#009E73"  # rises, enters, is positive
DOWN = "#D55E00"  # falls, leaves, is negative
LIT = "#8E44AD"  # a feature's activation
SAE = "#0072B2"  # what a feature does
NEUTRAL = "#888888"  # what it is compared with
OTHER_BARS = {
    "color": "rgba(136,136,136,0.45)",
    "line": {"color": NEUTRAL, "width": 1},
}  # error bars stay visible on them
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", NEUTRAL)
# Nothing in the middle, so that it suits a light and a dark page.
DIVERGING = (
    (0.0, "rgba(213,94,0,1)"),
    (0.5, "rgba(213,94,0,0)"),
    (0.5, "rgba(0,158,115,0)"),
    (1.0, "rgba(0,158,115,1)"),
)
BY_SIGN = {"colorscale": [(0, DOWN), (0.5, DOWN), (0.5, UP), (1, UP)], "cmin": -1, "cmax": 1}
"""Of a marker whose colour is its value: orange below 0, green above."""

# An axis of names, all of them shown: a concept such as 1997 is none of plotly's numbers.
NAMES = {"type": "category", "dtick": 1, "showgrid": False}

DENSITIES = [digit * 10.0**power for power in range(-6, 0) for digit in (1, 3)] + [
    1.0
]  # where an axis of them has ticks


def whiskers(value: pd.Series, low: pd.Series, high: pd.Series) -> dict[str, Any]:
    """Error bars from a value to its bounds, which need not lie at equal distances; none where a bound is missing."""
    return {
        "type": "data",
        "symmetric": False,
        "array": high - value,
        "arrayminus": value - low,
        "thickness": 1.2,
        "width": 3,
    }


def styled(figure: go.Figure, x: str, y: str, height: int = 340) -> go.Figure:
    """The figure with axis titles and the common look, for a light or a dark page."""
    grid = "rgba(128,128,128,0.25)"
    axis = {"gridcolor": grid, "zerolinecolor": grid, "automargin": True}
    return figure.update_layout(
        template="none",
        height=height,
        margin={"l": 50, "r": 10, "t": 10, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12, "color": "#777"},
        colorway=list(SERIES),
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        xaxis={"title": {"text": x, "standoff": 8}, **axis},
        yaxis={"title": {"text": y, "standoff": 8}, **axis},
    )


def quick(figure: go.Figure) -> go.Figure:
    """The figure without measuring its labels over and over, which takes plotly most of the time it needs to draw."""
    axis = {"automargin": False, "ticklabeloverflow": "allow"}
    return figure.update_layout(margin={"l": 62, "b": 46}, xaxis=axis, yaxis=axis)


def plain(text: Any) -> str:
    """A name as plain text: plotly reads labels as a kind of HTML."""
    return escape(str(text), quote=False)
