"""Figures that compare dictionaries: settings, trainers and places in the recommender."""

from itertools import cycle
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from interp.plots.theme import NAMES, NEUTRAL, OTHER_BARS, SAE, SERIES, plain, styled, whiskers

CORRELATION = "mean top correlation"
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "star", "triangle-down", "pentagon")


def setting_curve(table: pd.DataFrame, setting: str, title: str) -> go.Figure:
    """Mean top correlation against one setting, with the standard deviation over seeds (paper Figure 3).

    Args:
        table: table `l1` or `sizes`.
        setting: the column of the setting, "sparsity" or "n_features"; on a logarithmic axis.
        title: what the setting is called.
    """
    rows = table[table[setting].notna()].sort_values(setting)
    curve = go.Scatter(
        x=rows[setting],
        y=rows["mean_top_correlation"],
        error_y={"array": rows["std_mean_top_correlation"].fillna(0), "thickness": 1.5, "width": 4},
        customdata=rows[["runs", "l0"]],
        mode="lines+markers",
        line={"color": SAE},
        hovertemplate="%{x}: %{y:.3f}<br>L0 %{customdata[1]:.1f}, %{customdata[0]} runs<extra></extra>",
    )
    # From zero, so that small differences look small.
    figure = styled(go.Figure(curve), title, CORRELATION).update_yaxes(rangemode="tozero")
    return figure.update_xaxes(
        type="log",
        tickvals=rows[setting].tolist(),
        ticktext=[f"{value:g}" for value in rows[setting]],
        tickangle=-40,
    )


def trade_off_curves(
    trade_off: pd.DataFrame, measure: str, title: str, level: float | None = None, level_name: str = ""
) -> go.Figure:
    """A measure against how many features are active at a step, one line per trainer.

    Args:
        trade_off: rows of the table `trade_off` of one dictionary size.
        measure: the column. Its bars are the 95% interval of its change over users where the table has it, else its
            standard deviation over runs.
        title: what the measure is called.
        level: a value to compare with, drawn as a dashed line.
        level_name: what it is called.
    """
    figure = go.Figure()
    for (trainer, rows), color, marker in zip(
        trade_off.sort_values("l0").groupby("trainer"), cycle(SERIES), cycle(MARKERS), strict=False
    ):
        figure.add_scatter(
            name=plain(trainer),
            x=rows["l0"],
            y=rows[measure],
            error_y=_bars(rows, measure),
            customdata=rows["sparsity"],
            mode="lines+markers",
            line={"color": color},
            marker={"symbol": marker, "size": 8},
            hovertemplate="%{y:.3f} at L0 %{x:.1f}<br>setting %{customdata:g}<extra>%{fullData.name}</extra>",
        )
    if level is not None:
        figure.add_scatter(
            name=level_name,
            x=[trade_off["l0"].min() / 1.5, trade_off["l0"].max() * 1.5],  # a line even where there is one dictionary
            y=[level] * 2,
            mode="lines",
            line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
            hovertemplate="%{y:.3f}<extra>%{fullData.name}</extra>",
        )
    figure = styled(figure, "active features per step (L0)", title, height=400)
    ticks = [power * digit for power in (0.1, 1, 10, 100, 1000) for digit in (1, 2, 5)]
    return figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])


def _bars(rows: pd.DataFrame, measure: str) -> dict[str, Any]:
    change = f"{measure}_change"
    if change in rows:
        return whiskers(rows[change], rows[f"{change}_low"], rows[f"{change}_high"])
    return {"array": rows[f"std_{measure}"].fillna(0), "thickness": 1.2, "width": 3}


def site_bars(sites: pd.DataFrame) -> go.Figure:
    """Mean top correlation of neurons and of features at places in the recommender (paper section 5).

    Args:
        sites: table `sites`.
    """
    figure = go.Figure()
    for name, column, marker in (
        ("neurons", "neurons", OTHER_BARS),
        ("SAE features", "mean_top_correlation", {"color": SAE}),
    ):
        figure.add_bar(
            name=name,
            x=[plain(site) for site in sites["site"]],
            y=sites[column],
            marker=marker,
            hovertemplate="%{x}: %{y:.3f}<extra>%{fullData.name}</extra>",
        )
    figure = styled(figure, "", CORRELATION)
    return figure.update_layout(barmode="group", bargap=0.3, xaxis=NAMES)
