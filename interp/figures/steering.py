"""Figures of steering sweeps."""

import pandas as pd
import plotly.graph_objects as go

from interp.figures.theme import styled


def share_curves(steering: pd.DataFrame) -> go.Figure:
    """Share of the target concept in the lists against the value that its feature is set to (paper Figure 9a).

    Args:
        steering: table `steering`.
    """
    return _curves(steering, "share", "share of the concept in the top 10")


def quality_curves(steering: pd.DataFrame, measure: str = "ndcg@10") -> go.Figure:
    """A ranking metric against the value that a feature is set to (paper Figure 9b–d).

    Args:
        steering: table `steering`.
        measure: the metric's column.
    """
    return _curves(steering, measure, measure)


def _curves(steering: pd.DataFrame, column: str, title: str) -> go.Figure:
    figure = go.Figure()
    swept = steering[steering["value"].notna()]
    for target, rows in swept.groupby("target", sort=False):
        figure.add_scatter(
            name=str(target),
            x=rows["value"],
            y=rows[column],
            mode="lines+markers",
            hovertemplate="set to %{x:g}: %{y:.3f}<extra>" + str(target) + "</extra>",
        )
    return styled(figure, "activation set at the last step", title)
