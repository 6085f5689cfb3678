"""Figures of steering sweeps (paper Figures 9, 10, 14 and 17)."""

import pandas as pd
import plotly.graph_objects as go

from interp.plots.theme import NEUTRAL, SAE, SERIES, plain, styled

METRICS = {"ndcg@10": "NDCG@10", "coverage@10": "Coverage@10", "diversity@10": "Inter-list diversity@10"}
OTHER_COLORS = [color for color in SERIES if color != SAE]


def share_curves(steering: pd.DataFrame) -> go.Figure:
    """Share of the target concept in the lists against the value that its feature is set to (Figure 9a).

    Args:
        steering: rows of the table `steering` of one method.
    """
    return _curves(steering, "share", "share of the concept in the top 10")


def quality_curves(steering: pd.DataFrame, measure: str = "ndcg@10") -> go.Figure:
    """A ranking metric against the value that a feature is set to (Figure 9b–d).

    Args:
        steering: rows of the table `steering` of one method.
        measure: the metric's column.
    """
    return _curves(steering, measure, METRICS.get(measure, measure))


def changed_concepts(shares: pd.DataFrame, target: str, count: int = 6) -> go.Figure:
    """Shares of the concepts that change most as one feature is set to values; its own is thick (Figure 9a).

    Args:
        shares: rows of the table `shares` of one method and target.
        target: the concept that the feature stands for.
        count: concepts drawn, the target among them.
    """
    sweep = shares[shares["value"].notna()].sort_values("value")
    wide = sweep.pivot(index="value", columns="concept", values="share")
    change = (wide.max() - wide.min()).drop(target).sort_values(ascending=False, kind="stable")
    figure = go.Figure()
    for place, name in enumerate([target, *change.index[: count - 1]]):
        figure.add_scatter(
            name=plain(name),
            x=wide.index,
            y=wide[name],
            mode="lines",
            # The target is blue, as a feature everywhere.
            line={
                "color": SAE if name == target else OTHER_COLORS[place % len(OTHER_COLORS)],
                "width": 3.5 if name == target else 1.8,
            },
            hovertemplate="set to %{x:g}: %{y:.3f}<extra>%{fullData.name}</extra>",
        )
    figure = styled(figure, "activation set at the last step", "share in the top 10", height=360)
    return figure.update_layout(showlegend=True, yaxis={"rangemode": "tozero"})


def direction_curves(steering: pd.DataFrame) -> go.Figure:
    """Share of the target concept as directions are added: the feature's solid, the probe's dashed (Figure 10).

    Args:
        steering: rows of the table `steering` of the methods "add" and "probe".
    """
    figure = go.Figure()
    sweep = steering[steering["value"].notna()].sort_values("value")
    for place, target in enumerate(steering["target"].drop_duplicates()):
        for method, dash, label in (("add", "solid", "SAE"), ("probe", "dash", "probe")):
            rows = sweep[(sweep["target"] == target) & (sweep["method"] == method)]
            figure.add_scatter(
                name=f"{plain(target)}, {label}",
                meta=method,
                legendgroup=plain(target),
                x=rows["value"],
                y=rows["share"],
                mode="lines",
                line={"color": SERIES[place % len(SERIES)], "dash": dash, "width": 2.2},
                hovertemplate="factor %{x:g}: %{y:.3f}<extra>%{fullData.name}</extra>",
            )
    figure = styled(figure, "factor of the direction added at the last step", "share of the concept in the top 10", 420)
    return figure.update_layout(showlegend=True, yaxis={"rangemode": "tozero"})


def _curves(steering: pd.DataFrame, column: str, title: str) -> go.Figure:
    """One line per target; dashed, the level without steering: in its colour, or grey where all share it."""
    figure = go.Figure()
    sweep = steering[steering["value"].notna()].sort_values("value")
    levels = steering[steering["value"].isna()].set_index("target")[column]
    ends = [sweep["value"].min(), sweep["value"].max()]
    common = levels.nunique() == 1
    for place, target in enumerate(steering["target"].drop_duplicates()):
        rows, color, name = sweep[sweep["target"] == target], SERIES[place % len(SERIES)], plain(target)
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
        if target in levels.index and not common:
            level = _level(f"{name}, not steered", ends, levels[target], color)
            figure.add_trace(level.update(legendgroup=name, showlegend=False))
    if common:
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
