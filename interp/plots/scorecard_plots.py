"""Scores of dictionaries against their sparsity."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from interp.plots.scorecard_columns import Score
from interp.plots.theme import NEUTRAL, SERIES, plain, styled

SMALLEST = 6  # pixels of a mark
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")  # of runs


def score_against_l0(scorecard: pd.DataFrame, score: Score) -> go.Figure:
    """One score of every dictionary, by how many of its features are active.

    Kinds differ by colour, runs by symbol, and larger dictionaries have larger marks.

    Args:
        scorecard: rows of `interp.scorecard`.
        score: which.
    """
    figure = go.Figure()
    kinds, runs = (list(scorecard[column].unique()) for column in ("kind", "run"))
    for (kind, run), rows in scorecard.groupby(["kind", "run"], sort=False):
        rows = rows.sort_values("l0")
        trained = kind != "baseline"
        color = SERIES[kinds.index(kind) % (len(SERIES) - 1)] if trained else NEUTRAL
        names = [plain(name) for name in rows["dictionary"]]
        figure.add_scatter(
            name=plain(kind if len(runs) == 1 else f"{kind}, {run}"),
            x=rows["l0"],
            y=rows[score.key],
            customdata=[f"{name}, {count:,} features" for name, count in zip(names, rows["n_features"], strict=True)],
            text=None if trained else names,
            textposition="top center",
            mode="markers" if trained else "markers+text",
            marker={
                "color": color,
                "symbol": SYMBOLS[runs.index(run) % len(SYMBOLS)],
                "size": np.clip(2.5 * np.log2(rows["n_features"] / 8), SMALLEST, 4 * SMALLEST),
            },
            hovertemplate="%{customdata}<br>L0 %{x:.1f}: %{y:.3f}<extra></extra>",
        )
    figure = styled(figure, "L0: active features per step", score.head, height=420)
    return figure.update_layout(showlegend=True, xaxis={"type": "log"}, hovermode="closest")
