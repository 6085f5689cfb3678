"""Figures of one feature.

The offline page fills in each feature's rows: it finds a trace by its `meta`, the column that it draws.
"""

import pandas as pd
import plotly.graph_objects as go

from interp.figures.theme import ABSENT, NAMES, NEURON, NEUTRAL, PRESENT, plain, styled


def activation_histogram(histogram: pd.DataFrame, concept: str) -> go.Figure:
    """Positive activations on items with and without a concept (paper Figure 5).

    Args:
        histogram: one feature's rows of the table `histograms`.
        concept: the concept that they are split by.
    """
    middle = (histogram["left"] + histogram["right"]) / 2
    width = histogram["right"] - histogram["left"]
    figure = go.Figure()
    for name, column, color in ((concept, "present", PRESENT), (f"not {concept}", "absent", ABSENT)):
        figure.add_bar(
            name=plain(name),
            meta=column,
            x=middle,
            y=histogram[column],
            width=width,
            marker={"color": color, "line": {"width": 0}},
            hovertemplate="about %{x:.3g}: %{y} steps<extra>%{fullData.name}</extra>",
        )
    figure = styled(figure, "activation", "steps", height=370)
    return figure.update_layout(
        barmode="stack", bargap=0, legend={"traceorder": "normal"}, xaxis={"rangemode": "tozero"}
    )


def concept_bars(concepts: pd.DataFrame) -> go.Figure:
    """Correlation of one feature with every concept.

    Args:
        concepts: columns concept, correlation, auc and sensitivity, best first.
    """
    bars = go.Bar(
        meta="correlation",
        x=concepts["correlation"],
        customdata=concepts[["auc", "sensitivity"]],
        marker={"color": PRESENT},
        hovertemplate="%{y}<br>correlation %{x:.3f}<br>AUC %{customdata[0]:.3f}"
        "<br>sensitivity %{customdata[1]:.3f}<extra></extra>",
    )
    return _by_concept(bars, concepts, "correlation")


def effect_bars(concepts: pd.DataFrame) -> go.Figure:
    """What turning one feature up and down does to the share of every concept in the lists.

    Args:
        concepts: columns concept, effect and effect_se, in the order of `concept_bars`.
    """
    bars = go.Bar(
        meta="effect",
        x=concepts["effect"],
        error_x={"array": concepts["effect_se"], "color": NEUTRAL, "thickness": 1.5, "width": 3},
        marker={"color": NEURON},
        hovertemplate="%{y}<br>%{x:+.2%} of the list (standard error %{error_x.array:.2%})<extra></extra>",
    )
    figure = _by_concept(bars, concepts, "change of its share of the lists")
    return figure.update_xaxes(tickformat="+.0%")


def _by_concept(bars: go.Bar, concepts: pd.DataFrame, x: str) -> go.Figure:
    """One bar for each concept, the first on top."""
    bars.update(y=[plain(name) for name in concepts["concept"]], orientation="h")
    figure = styled(go.Figure(bars), x, "", height=60 + 17 * max(len(concepts), 6))
    figure.update_xaxes(zeroline=True, zerolinecolor="rgba(128,128,128,0.7)")
    return figure.update_yaxes(autorange="reversed", ticklabelstandoff=4, **NAMES)
