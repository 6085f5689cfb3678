"""Figures of one feature."""

import pandas as pd
import plotly.graph_objects as go

from interp.figures.theme import ABSENT, PRESENT, styled


def activation_histogram(histogram: pd.DataFrame, concept: str) -> go.Figure:
    """Positive activations on items with and without a concept (paper Figure 5).

    Args:
        histogram: one feature's rows of the table `histograms`.
        concept: the concept that they are split by.
    """
    middle = (histogram["left"] + histogram["right"]) / 2
    width = histogram["right"] - histogram["left"]
    figure = go.Figure()
    for name, column, color in ((f"not {concept}", "absent", ABSENT), (concept, "present", PRESENT)):
        figure.add_bar(
            name=name,
            x=middle,
            y=histogram[column],
            width=width,
            marker_color=color,
            hovertemplate="%{x:.2f}: %{y}<extra>" + name + "</extra>",
        )
    return styled(figure, "activation", "steps", height=260).update_layout(barmode="stack", bargap=0)


def concept_bars(concepts: pd.DataFrame) -> go.Figure:
    """Correlation of one feature with every concept.

    Args:
        concepts: columns concept and correlation, best first.
    """
    bars = go.Bar(
        x=concepts["correlation"],
        y=concepts["concept"],
        orientation="h",
        marker_color=PRESENT,
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    figure = styled(go.Figure(bars), "correlation", "", height=60 + 18 * len(concepts))
    return figure.update_yaxes(autorange="reversed", dtick=1)
