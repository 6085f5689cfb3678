"""Figures of one feature.

The offline page fills in each feature's rows: it finds a trace by its `meta`, the column that it draws.
"""

import pandas as pd
import plotly.graph_objects as go

from interp.plots.theme import BY_SIGN, LIT, NAMES, NEUTRAL, plain, quick, styled


def activation_histogram(histogram: pd.DataFrame, concept: str) -> go.Figure:
    """Positive activations on items with and without a concept (paper Figure 5).

    Args:
        histogram: one feature's rows of the table `histograms`.
        concept: the concept that they are split by.
    """
    middle = (histogram["left"] + histogram["right"]) / 2
    width = histogram["right"] - histogram["left"]
    figure = go.Figure()
    for name, column, color in ((concept, "present", LIT), (f"not {concept}", "absent", NEUTRAL)):
        figure.add_bar(
            name=plain(name),
            meta=column,
            x=middle,
            y=histogram[column],
            width=width,
            marker={"color": color, "line": {"width": 0}},
            hovertemplate="about %{x:.3g}: %{y} steps<extra>%{fullData.name}</extra>",
        )
    figure = quick(styled(figure, "activation", "steps", height=370))
    return figure.update_layout(
        barmode="stack", bargap=0, legend={"traceorder": "normal"}, xaxis={"rangemode": "tozero"}
    )


def concept_bars(concepts: pd.DataFrame) -> go.Figure:
    """The concepts that one feature follows, and beside them its effects on their shares.

    Args:
        concepts: columns concept, correlation, auc and sensitivity, effect and effect_se, best correlated first.
    """
    names = [plain(name) for name in concepts["concept"]]
    figure = go.Figure()
    figure.add_bar(
        meta="correlation",
        x=concepts["correlation"],
        y=names,
        orientation="h",
        customdata=concepts[["auc", "sensitivity"]],
        marker={"color": concepts["correlation"], **BY_SIGN},
        hovertemplate="%{y}<br>correlation %{x:.3f}<br>AUC %{customdata[0]:.3f}"
        "<br>sensitivity %{customdata[1]:.3f}<extra></extra>",
    )
    figure.add_bar(
        meta="effect",
        x=concepts["effect"],
        y=names,
        xaxis="x2",
        orientation="h",
        error_x={"array": concepts["effect_se"], "color": NEUTRAL, "thickness": 1.5, "width": 3},
        marker={"color": concepts["effect"], **BY_SIGN},
        hovertemplate="%{y}<br>%{x:+.1%} of the list (standard error %{error_x.array:.2%})<extra></extra>",
    )
    figure = quick(styled(figure, "correlation", "", height=60 + 17 * max(len(concepts), 6)))
    line = {"zeroline": True, "zerolinecolor": "rgba(128,128,128,0.7)", "nticks": 5, "tickangle": 0}
    title = {"text": "change of its share, percentage points", "standoff": 8}
    second_axis = figure.layout.xaxis.to_plotly_json() | {"title": title}
    figure.update_layout(
        xaxis={"domain": [0, 0.48], **line},
        xaxis2=second_axis | {"domain": [0.52, 1], "tickformat": "+.1~%", **line},
        showlegend=False,
        yaxis={"autorange": "reversed", "ticklabelstandoff": 4, "automargin": True, **NAMES},
    )
    return figure
