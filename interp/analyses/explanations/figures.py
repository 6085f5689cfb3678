"""Attributions against ablations."""

import pandas as pd
import plotly.graph_objects as go

from interp.plots.theme import NEUTRAL, SAE, styled


def attributions_beside_ablations(explanations: pd.DataFrame) -> go.Figure:
    """Attributions against measured ablations; on the dashed line they are equal.

    Args:
        explanations: table `explanations`.
    """
    sizes = explanations[["attribution", "ablation"]]
    ends = [sizes.min().min(), sizes.max().max()]
    figure = go.Figure(
        go.Scatter(
            x=sizes["attribution"],
            y=sizes["ablation"],
            customdata=explanations["feature"],
            meta="feature",
            mode="markers",
            marker={"color": SAE, "size": 5, "opacity": 0.6},
            hovertemplate="feature %{customdata}: %{x:.3f}, %{y:.3f}<extra></extra>",
        )
    )
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": NEUTRAL, "dash": "dash"}, hoverinfo="skip")
    return styled(figure, "attribution: activation × gradient", "change of the score by ablation").update_layout(
        showlegend=False
    )
