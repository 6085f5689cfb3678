"""The cost of more or less of a concept, for every method."""

import pandas as pd
import plotly.graph_objects as go

from interp.plots.theme import NEUTRAL, SERIES, styled

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, _ = SERIES
# Name, colour and dash: what is done with one SAE feature has one colour.
METHODS = {
    "least": ("least collateral", PINK, "dash"),
    "least_user": ("… by user", PINK, "dashdot"),
    "final_user": ("last state", GREEN, "dash"),
    "final_price": ("last state, by user", GREEN, "dashdot"),
    "set": ("feature", BLUE, "solid"),
    "profile": ("profile", BLUE, "dash"),
    "replace": ("replaced (paper)", ORANGE, "solid"),
    "add": ("its direction", BLUE, "dot"),
    "probe": ("probe", GREEN, "solid"),
    "mean_difference": ("means", PINK, "solid"),
    "neuron": ("neuron", SKY, "solid"),
    "random": ("random", NEUTRAL, "dash"),
    "boost": ("boost", YELLOW, "solid"),
    "boost_few": ("boost of 100", YELLOW, "dot"),
    "boost_user": ("boost, by user", YELLOW, "dashdot"),
}

BOUNDLESS = (
    "boost",
    "boost_few",
    "boost_user",
    "final_user",
    "final_price",
)  # they can fill whole lists with a rare concept


def cost_curves(sweeps: pd.DataFrame, measure: str = "ndcg@10", title: str = "NDCG@10") -> go.Figure:
    """Quality of the lists against the share of the target in them, one line per method.

    Args:
        sweeps: rows of the tables `steering` and `baselines` of one target.
        measure: the metric's column.
        title: what it is called.
    """
    figure = go.Figure()
    sweep = sweeps[sweeps["value"].notna()].sort_values("value")
    for method, (name, color, dash) in METHODS.items():
        rows = sweep[sweep["method"] == method]
        figure.add_scatter(
            name=name,
            meta=method,
            x=rows["share"],
            y=rows[measure],
            customdata=rows["value"],
            mode="lines",
            line={"color": color, "dash": dash, "width": 3 if method == "set" else 1.8},
            hovertemplate="share %{x:.3f}: %{y:.3f}<br>dose %{customdata:g}<extra>%{fullData.name}</extra>",
        )
    plain = sweeps[sweeps["value"].isna()].iloc[:1]
    figure.add_scatter(
        name="not steered",
        x=plain["share"],
        y=plain[measure],
        mode="markers",
        marker={"color": NEUTRAL, "symbol": "diamond", "size": 10},
        hovertemplate="share %{x:.3f}: %{y:.3f}<extra>not steered</extra>",
    )
    figure = styled(figure, "share of the concept in the top 10", title, height=420)
    # Boosted lists would leave the others no room.
    widest = sweep.loc[~sweep["method"].isin(BOUNDLESS), "share"].max()
    thirds = {"entrywidth": 0.33, "entrywidthmode": "fraction", "font": {"size": 11}}
    return figure.update_layout(
        showlegend=True, legend=thirds, xaxis={"range": [0, 1.05 * widest]}, yaxis={"rangemode": "tozero"}
    )
