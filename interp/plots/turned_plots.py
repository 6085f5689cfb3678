"""What lists become as a feature is turned: curves with bands, and the range in which the feature moves by itself.

The offline page fills in each feature's rows: it finds a trace by its `meta`.
"""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from interp.plots.theme import SAE, SERIES, plain, quick, styled, whiskers

TITLES = {"share": "share of the concept in the top 10", "ndcg": "NDCG@10"}
BAND = "rgba(0,114,178,0.22)"
RANGE = "rgba(128,128,128,0.14)"


def turned_curve(rows: list[Any], measure: str, largest: float = 0.0) -> go.Figure:
    """One measure as one feature is turned, with the band of its change from not turning, drawn over its natural range.

    Args:
        rows: value (what is added to the activation), and the measure with _low and _high, smallest value first.
        measure: "share" or "ndcg".
        largest: the feature's largest activation, where its natural range ends.
    """
    x = [row.value for row in rows]
    low, high = ([getattr(row, f"{measure}_{side}") for row in rows] for side in ("low", "high"))
    figure = go.Figure()
    figure.add_scatter(
        meta="band",
        x=[*x, *x[::-1]],
        y=[*high, *low[::-1]],
        fill="toself",
        mode="none",
        fillcolor=BAND,
        hoverinfo="skip",
    )
    figure.add_scatter(
        meta="curve",
        x=x,
        y=[getattr(row, measure) for row in rows],
        mode="lines+markers",
        line={"color": SAE},
        marker={"size": 7},
        cliponaxis=False,
        hovertemplate="added %{x:+.3g}: %{y:" + (".2%" if measure == "share" else ".3f") + "}<extra></extra>",
    )
    figure = quick(styled(figure, "added to the activation at the last step", TITLES[measure], height=280))
    figure.add_shape(
        type="rect", x0=0, x1=largest, y0=0, y1=1, yref="paper", fillcolor=RANGE, line={"width": 0}, layer="below"
    )
    axis = {"rangemode": "tozero"} | ({"tickformat": ".0%"} if measure == "share" else {})
    return figure.update_layout(yaxis=axis, showlegend=False)


def share_curves_with_bands(curves: pd.DataFrame) -> go.Figure:
    """Share of their concept in the lists as several features are turned, whiskers: 95% interval of the change.

    Args:
        curves: feature, concept, p99, and the columns of the table `feature_curves`.
    """
    return _several(curves, "share")


def quality_curves_with_bands(curves: pd.DataFrame) -> go.Figure:
    """The same of NDCG@10."""
    return _several(curves, "ndcg")


def _several(curves: pd.DataFrame, measure: str) -> go.Figure:
    figure = go.Figure()
    for place, ((feature, concept), rows) in enumerate(curves.groupby(["feature", "concept"], sort=False)):
        figure.add_scatter(
            name=f"{plain(concept)} ({feature})",
            x=rows["amount"] + 0.03 * place,  # so that whiskers do not lie on each other
            y=rows[measure],
            error_y=whiskers(rows[measure], rows[f"{measure}_low"], rows[f"{measure}_high"]),
            mode="lines+markers",
            line={"color": SERIES[place % len(SERIES)]},
            marker={"size": 5},
            cliponaxis=False,
            hovertemplate="%{x:.1f} × 99th percentile: %{y:.3f}<extra>%{fullData.name}</extra>",
        )
    axis = {"rangemode": "tozero"} | ({"tickformat": ".0%"} if measure == "share" else {})
    figure = styled(figure, "added at the last step, in 99th percentiles of the feature", TITLES[measure])
    return figure.update_layout(showlegend=True, yaxis=axis)
