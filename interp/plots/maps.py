"""The map of a dictionary: a point for each family of features, near those whose directions are alike."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.spatial import ConvexHull, QhullError

from interp.features.grades import CORRELATED, GRADES, NO_NAME, TESTED, TESTED_ITEM
from interp.plots.theme import DENSITIES, NEUTRAL, SERIES, plain, styled

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "star")  # beside colours, not instead
FAINT = 0.45
EDGE = 1.06  # of the map, whose places are from −1 to 1
GRADE_MARKERS: dict[str, dict[str, Any]] = {  # neither green nor orange, which stand for more and less
    NO_NAME: {"symbol": "circle", "color": NEUTRAL, "size": 5, "opacity": FAINT},
    CORRELATED: {"symbol": "diamond", "color": "#56B4E9", "size": 8},
    TESTED_ITEM: {"symbol": "square", "color": "#CC79A7", "size": 8},
    TESTED: {"symbol": "circle", "color": "#0072B2", "size": 9},
}


def dictionary_map(
    places: pd.DataFrame, clusters: pd.DataFrame, features: pd.DataFrame, threshold: float, colour: str
) -> go.Figure:
    """Every family of near-duplicate features as a point, larger for more members; named clusters as regions.

    A point stands at the middle of its members, and `customdata` has the number of its head. What is shown on hover is
    added by who draws it.

    Args:
        places: `interp.study.study_map.features_on_map`: the table `map` with name, grade and head.
        clusters: `interp.features.families.cluster_names`; those without a name are not drawn.
        features: table `features`.
        threshold: correlation from which on the best concept is told from none.
        colour: one of `COLOURS`: "grade" of the evidence, "concept" (the most frequent ones), "correlation" or
            "density".
    """
    middle = places.groupby("head").agg(x=("x", "mean"), y=("y", "mean"), members=("x", "size"))
    points = places[places["head"] == places["feature"]].drop(columns=["x", "y"])
    points = points.join(middle, on="feature")
    table = features.merge(points, on="feature")
    figure = go.Figure(COLOURS[colour](table[table["density"] > 0], threshold))
    figure.add_trace(_points(table[table["density"] == 0], "never active", symbol="x-thin-open", color=NEUTRAL))
    figure = styled(figure, "", "", height=620)
    axis = {"showgrid": False, "zeroline": False, "showticklabels": False, "range": [-EDGE, EDGE]}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    for row in clusters[clusters["name"] != ""].itertuples():
        _draw_region(figure, points.loc[points["cluster"] == row.cluster, ["x", "y"]].to_numpy(), row)
    margin = {"l": 10, "r": 10, "b": 10}
    return figure.update_layout(
        margin=margin, dragmode="pan", legend={"itemsizing": "constant", "traceorder": "reversed"}
    )


def _draw_region(figure: go.Figure, places: np.ndarray, cluster: Any) -> None:
    """A cluster's region, and above it its name with how many of its points have it."""
    try:
        outline = places[ConvexHull(places).vertices]
    except QhullError:  # in a line
        outline = places
    outline = outline.mean(axis=0) + 1.12 * (outline - outline.mean(axis=0))
    path = "M" + "L".join(f"{x:.3f},{y:.3f}" for x, y in outline) + "Z"
    figure.add_shape(
        type="path", path=path, layer="below", fillcolor="rgba(128,128,128,0.13)", line={"width": 0}, editable=False
    )
    figure.add_annotation(
        x=round(float((outline[:, 0].min() + outline[:, 0].max()) / 2), 3),
        y=round(float(outline[:, 1].max()), 3),
        text=f"<b>{plain(cluster.name)}</b> {cluster.count} of {cluster.members}",
        showarrow=False,
        yanchor="bottom",
        font={"size": 12},
    )


def _by_grade(table: pd.DataFrame, _threshold: float) -> list[go.Scatter]:
    """What the name of each rests on: a trace for each grade, those without a name below."""
    return [
        _points(table[table["grade"] == grade], GRADES[grade][0], **marker) for grade, marker in GRADE_MARKERS.items()
    ]


def _by_concept(table: pd.DataFrame, threshold: float) -> list[go.Scatter]:
    """The concepts that name most features, all other concepts, and no concept: a trace for each."""
    aligned = table["correlation"] >= threshold
    frequent = table.loc[aligned, "concept"].value_counts().index[: len(SYMBOLS)]
    rest = aligned & ~table["concept"].isin(frequent)
    traces = [
        _points(
            table[~aligned],
            f"correlation below {threshold:g}",
            symbol="circle-open",
            color=NEUTRAL,
            size=5,
            opacity=FAINT,
        )
    ]
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
    "grade": _by_grade,
    "concept": _by_concept,
    "correlation": _by_correlation,
    "density": _by_density,
}
OF_CONCEPTS = ("concept", "correlation")  # those that say nothing of a study without concepts


def _points(table: pd.DataFrame, name: str, opacity: float = 1, size: float = 7, **marker: object) -> go.Scatter:
    """Points; the area of a family's grows with its members, and a family has a thicker edge."""
    members = table["members"].to_numpy()
    several = bool((members > 1).any())
    sizes = (size * np.sqrt(members) + 2 * (members > 1)).round(1).tolist() if several else size
    edges = np.where(members > 1, 2, 0.8).tolist() if several else 0.8
    return go.Scatter(
        name=name,
        meta="feature",
        mode="markers",
        x=table["x"].to_numpy(np.float32),
        y=table["y"].to_numpy(np.float32),
        customdata=table["feature"].tolist(),
        marker={"size": sizes, "opacity": opacity, "line": {"width": edges, "color": NEUTRAL}, **marker},
        hovertemplate="%{text}<extra></extra>",
    )
