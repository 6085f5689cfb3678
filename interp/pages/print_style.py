"""How figures look in a two-column paper: sizes in inches, type of 8 points, black on white."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from interp.plots.theme import DIVERGING

INCH = 96  # pixels; an .svg or .pdf comes out in these
POINT = INCH / 72
COLUMN, PAGE = 3.4, 7.0  # inches: the width of one column, and of both
MANY_CATEGORIES = 24  # categories on the x axis from which on a figure needs both columns
LINE = 11.5 * POINT  # from one category to the next on a y axis
TYPE = {"family": "Helvetica, Arial, Liberation Sans, sans-serif", "size": 8 * POINT, "color": "#000"}
SMALL = 7 * POINT
# The pages' colours of nothing are transparent, which old viewers of .pdf do not show.
ON_WHITE = [[place, {0.5: "#fff"}.get(place, colour)] for place, colour in DIVERGING]


def for_paper(figure: go.Figure) -> go.Figure:
    """A copy of a figure as a paper shows it: one column wide, or both where it has many categories.

    Args:
        figure: any of `interp.plots`.
    """
    copy = go.Figure(figure)
    width = PAGE if _categories(copy, "x") > MANY_CATEGORIES else COLUMN
    axis = {"gridcolor": "#ddd", "zerolinecolor": "#999", "linecolor": "#000", "tickfont": {"size": SMALL}}
    copy.update_layout(
        width=round(width * INCH),
        height=round(_height(copy, width)),
        paper_bgcolor="#fff",
        plot_bgcolor="#fff",
        font=TYPE,
        margin={"l": 34, "r": 6, "t": 4, "b": 30},
    )
    copy.update_layout(legend={"font": {"size": SMALL}, "tracegroupgap": 0, "itemwidth": 30})
    copy.update_layout(legend={"entrywidth": None, "entrywidthmode": None})  # as wide as its names
    copy.update_xaxes(title={"standoff": 4, "font": {"size": TYPE["size"]}}, **axis)
    copy.update_yaxes(title={"standoff": 4, "font": {"size": TYPE["size"]}}, **axis)
    for line_axis in (*copy.select_xaxes(), *copy.select_yaxes()):
        line_axis.showline = line_axis.showticklabels is not False
    copy.update_annotations(font={"size": SMALL})
    for trace in copy.data:
        _thin(trace)
    return copy


def _height(figure: go.Figure, width: float) -> float:
    """Pixels: by what is listed on the y axis, else two thirds of the width; and what legend and labels take."""
    rows, columns = _categories(figure, "y"), _categories(figure, "x")
    names = _longest(figure, "x") * 0.5 * SMALL if columns and figure.layout.xaxis.tickangle else 0
    flat = 0.9 if figure.layout.yaxis.showticklabels is False else 0.6  # a map is nearly square
    body = max(rows * LINE, INCH) if rows else min(width, 5) * INCH * flat  # few rows need room for the axis below
    return body + names + 40 + _legend_rows(figure, width) * 1.6 * SMALL


def _legend_rows(figure: go.Figure, width: float) -> float:
    """Lines that the legend takes above the figure."""
    names = [trace.name or "" for trace in figure.data if trace.showlegend is not False]
    if len(names) < 2 or figure.layout.showlegend is False:
        return 0
    entry = max(map(len, names)) * 0.5 * SMALL + 45
    return -(-len(names) // max(int((width * INCH - 45) / entry), 1))


def _categories(figure: go.Figure, axis: str) -> int:
    """How many names there are on an axis; 0 where it has numbers."""
    return len({value for trace in figure.data for value in _names(trace, axis)})


def _longest(figure: go.Figure, axis: str) -> int:
    return max((len(value) for trace in figure.data for value in _names(trace, axis)), default=0)


def _names(trace: Any, axis: str) -> list[str]:
    values = trace.to_plotly_json().get(axis, ())
    # Numbers may be packed, which makes them a dict.
    return [] if isinstance(values, dict) else [value for value in values if isinstance(value, str)]


def _thin(trace: Any) -> None:
    """Lines and markers for a third of the width that a page gives them."""
    if trace.type == "heatmap":
        trace.update(colorbar={"thickness": 6, "tickfont": {"size": SMALL}}, colorscale=ON_WHITE)
    if trace.type != "scatter":
        return
    if trace.line.width or "lines" in trace.mode:
        trace.line.width = 0.6 * (trace.line.width or 2)
    trace.marker.size = _scaled(trace.marker.size, 0.6)
    if trace.marker.showscale or trace.marker.colorbar.title.text:
        trace.marker.colorbar.update(thickness=6, tickfont={"size": SMALL}, title={"font": {"size": SMALL}})
    trace.marker.line.width = _scaled(trace.marker.line.width, 0.5)
    trace.textfont.size = SMALL


def _scaled(size: Any, factor: float) -> Any:
    """A size of all markers, or one for each, times a factor; None stays None."""
    return size if size is None else (np.asarray(size) * factor).tolist()
