"""Figures of steering sweeps (paper Figures 9, 14 and 17)."""

import pandas as pd
import plotly.graph_objects as go

from interp.figures.theme import NEUTRAL, SERIES, plain, styled


def share_curves(steering: pd.DataFrame) -> go.Figure:
    """Share of the target concept in the lists against the value that its feature is set to (Figure 9a).

    Args:
        steering: table `steering`.
    """
    return _curves(steering, "share", "share of the concept in the top 10")


def quality_curves(steering: pd.DataFrame, measure: str = "ndcg@10") -> go.Figure:
    """A ranking metric against the value that a feature is set to (Figure 9b–d).

    Args:
        steering: table `steering`.
        measure: the metric's column.
    """
    return _curves(steering, measure, measure.replace("ndcg", "NDCG"))


def _curves(steering: pd.DataFrame, column: str, title: str) -> go.Figure:
    """One line per target; dashed, the level without steering: in its colour, or grey where all share it."""
    figure = go.Figure()
    swept = steering[steering["value"].notna()].sort_values("value")
    levels = steering[steering["value"].isna()].set_index("target")[column]
    ends = [swept["value"].min(), swept["value"].max()]
    shared = levels.nunique() == 1
    for place, target in enumerate(steering["target"].drop_duplicates()):
        rows, color, name = swept[swept["target"] == target], SERIES[place % len(SERIES)], plain(target)
        figure.add_scatter(
            name=name,
            legendgroup=name,
            x=rows["value"],
            y=rows[column],
            mode="lines+markers",
            line={"color": color},
            marker={"size": 5},
            cliponaxis=False,
            hovertemplate="set to %{x:g}: %{y:.3f}<extra>%{fullData.name}</extra>",
        )
        if target in levels.index and not shared:
            level = _level(f"{name}, not steered", ends, levels[target], color)
            figure.add_trace(level.update(legendgroup=name, showlegend=False))
    if shared:
        figure.add_trace(_level("not steered", ends, levels.iloc[0], NEUTRAL))
    return styled(figure, "activation set at the last step", title).update_layout(
        showlegend=True, yaxis={"rangemode": "tozero"}
    )


def _level(name: str, ends: list[float], value: float, color: str) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=ends,
        y=[value] * 2,
        mode="lines",
        line={"color": color, "dash": "dash", "width": 1.5},
        hovertemplate="%{y:.3f}<extra>%{fullData.name}</extra>",
    )
