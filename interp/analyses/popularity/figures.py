"""Exposure against quality."""

import pandas as pd
import plotly.graph_objects as go

from interp.plots.theme import NEUTRAL, SAE, styled, whiskers


def exposure_trade_off(popularity: pd.DataFrame, measure: str = "ndcg@10", name: str = "NDCG@10") -> go.Figure:
    """What moving exposure to the long tail costs: how both change with each strength, with their intervals.

    Args:
        popularity: table `popularity`.
        measure: the measure on the y axis.
        name: what it is called.
    """
    x, y = (
        popularity[popularity["measure"] == column].sort_values("strength")
        for column in ("long_tail_share@10", measure)
    )
    figure = go.Figure(
        go.Scatter(
            x=x["change"],
            y=y["change"],
            error_x=_bounds(x),
            error_y=_bounds(y),
            text=[f"{strength:g}" for strength in x["strength"]],
            mode="lines+markers+text",
            textposition="top right",
            line={"color": SAE, "width": 1.5},
            marker={"size": 7},
            hovertemplate="strength %{text}: %{x:+.3f}, %{y:+.3f}<extra></extra>",
        )
    )
    return styled(figure, "change of the long tail’s share in the top 10", f"change of {name}")


def _bounds(rows: pd.DataFrame) -> dict[str, object]:
    return whiskers(rows["change"], rows["change_low"], rows["change_high"]) | {"color": NEUTRAL}
