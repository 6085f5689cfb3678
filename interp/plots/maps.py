"""The map of a dictionary: one point for each feature, near those whose directions are alike."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from interp.plots.theme import DENSITIES, NEUTRAL, SERIES, plain, styled

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "star")  # beside colours, not instead
FAINT = 0.45


def dictionary_map(places: pd.DataFrame, features: pd.DataFrame, threshold: float, colour: str) -> go.Figure:
    """Every feature of a dictionary as a point. The offline page adds what is shown on hover.

    Args:
        places: table `map`.
        features: table `features`.
        named: correlation from which on the best concept names a feature.
        colour: one of `COLOURS`: "concept" (those that name most features), "correlation" or "density".
    """
    table = features.merge(places, on="feature")
    figure = go.Figure(COLOURS[colour](table[table["density"] > 0], threshold))
    figure.add_trace(_points(table[table["density"] == 0], "never active", symbol="x-thin-open", color=NEUTRAL))
    figure = styled(figure, "", "", height=560)
    axis = {"showgrid": False, "zeroline": False, "showticklabels": False, "range": [-1.06, 1.06]}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure.update_layout(margin={"l": 10, "r": 10, "b": 10}, dragmode="lasso", legend={"itemsizing": "constant"})


def _by_concept(table: pd.DataFrame, threshold: float) -> list[go.Scatter]:
    """The concepts that name most features, all other concepts, and no concept: a trace for each."""
    aligned = table["correlation"] >= threshold
    frequent = table.loc[aligned, "concept"].value_counts().index[: len(SYMBOLS)]
    rest = aligned & ~table["concept"].isin(frequent)
    traces = [_points(table[~aligned], "unaligned", symbol="circle-open", color=NEUTRAL, size=5, opacity=FAINT)]
    traces.append(_points(table[rest], "other concepts", symbol="cross", color=NEUTRAL))
    for name, symbol, color in zip(frequent, SYMBOLS, SERIES, strict=False):
        rows = table[aligned & (table["concept"] == name)]
        traces.append(_points(rows, plain(name), symbol=symbol, color=color, size=9))
    return traces


def _by_correlation(table: pd.DataFrame, _threshold: float) -> list[go.Scatter]:
    return [_with_scale(table, table["correlation"], "correlation", cmin=0)]


def _by_density(table: pd.DataFrame, _threshold: float) -> list[go.Scatter]:
    """On a logarithmic scale."""
    percent = [f"{100 * density:g}%" for density in DENSITIES]
    return [_with_scale(table, np.log10(table["density"]), "density", tickvals=np.log10(DENSITIES), ticktext=percent)]


def _with_scale(
    table: pd.DataFrame, values: pd.Series, title: str, cmin: float | None = None, **ticks: object
) -> go.Scatter:
    bar = {"title": {"text": title}, "thickness": 10, "outlinewidth": 0, **ticks}
    marker = {"color": values.to_numpy(np.float32), "colorscale": "Cividis", "colorbar": bar}
    if cmin is not None:
        marker |= {"cmin": cmin, "cmax": values.max()}
    return _points(table, title, size=8, **marker).update(showlegend=False)


COLOURS: dict[str, Callable[[pd.DataFrame, float], list[go.Scatter]]] = {
    "concept": _by_concept,
    "correlation": _by_correlation,
    "density": _by_density,
}


def _points(table: pd.DataFrame, name: str, opacity: float = 1, size: float = 7, **marker: object) -> go.Scatter:
    return go.Scatter(
        name=name,
        meta="feature",
        mode="markers",
        x=table["x"].to_numpy(np.float32),
        y=table["y"].to_numpy(np.float32),
        customdata=table["feature"].tolist(),
        marker={"size": size, "opacity": opacity, "line": {"width": 0.8, "color": NEUTRAL}, **marker},
        hovertemplate="%{text}<extra></extra>",
    )
