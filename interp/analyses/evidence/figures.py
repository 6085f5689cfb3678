"""What is left of correlations on unseen items."""

import pandas as pd
import plotly.graph_objects as go

from interp.concepts.evidence import FEATURES, NEURONS
from interp.plots.theme import NAMES, NEUTRAL, OTHER_BARS, SAE, plain, styled, whiskers


def sources_compared(sources: pd.DataFrame) -> go.Figure:
    """For each set of candidates: as the paper, and on unseen items with their interval, each with its null.

    Args:
        sources: table `sources`.
    """
    rows = sources.iloc[::-1]
    names = [f"{plain(row.source)} ({row.candidates})" for row in rows.itertuples()]
    figure = go.Figure()
    for column, name, color, symbol in (
        ("null", "null, as the paper", NEUTRAL, "line-ns-open"),
        ("correlation", "as the paper", NEUTRAL, "circle-open"),
        ("unseen_items_null", "null, unseen items", SAE, "line-ns-open"),
        ("unseen_items", "unseen items", SAE, "circle"),
    ):
        error = None
        if column == "unseen_items":
            above, below = rows["unseen_items_high"] - rows[column], rows[column] - rows["unseen_items_low"]
            error = {"type": "data", "array": above, "arrayminus": below, "thickness": 1.5, "width": 3}
        figure.add_scatter(
            name=name,
            x=rows[column],
            y=names,
            error_x=error,
            mode="markers",
            marker={"color": color, "symbol": symbol, "size": 10, "line": {"width": 2}},
            hovertemplate=f"%{{y}}, {name}: %{{x:.3f}}<extra></extra>",
        )
    figure = styled(figure, "mean correlation of the chosen candidates", "", height=200 + 34 * len(rows))
    return figure.update_layout(yaxis=NAMES, xaxis={"rangemode": "tozero"})


def concepts_on_unseen_items(evidence: pd.DataFrame) -> go.Figure:
    """Each concept's correlation on unseen items: features beside neurons, faint where it is no better than chance.

    Args:
        evidence: table `evidence`, or the rows of one attribute of `attribute_evidence`.
    """
    order = evidence[evidence["source"] == FEATURES].sort_values("unseen_items", ascending=False)["concept"]
    figure = go.Figure()
    for source, name, marker in ((NEURONS, "neuron", OTHER_BARS), (FEATURES, "SAE feature", {"color": SAE})):
        rows = evidence[evidence["source"] == source].set_index("concept").loc[order]
        figure.add_bar(
            name=name,
            x=[plain(concept) for concept in order],
            y=rows["unseen_items"],
            error_y=whiskers(rows["unseen_items"], rows["unseen_items_low"], rows["unseen_items_high"])
            | {"color": NEUTRAL},
            marker=marker | {"opacity": [1.0 if passes else 0.3 for passes in rows["passes"]]},
            customdata=rows[["correlation", "null", "unseen_items_p", "unseen_items_q"]],
            hovertemplate=(
                "%{x}: %{y:.3f} on unseen items<br>as the paper %{customdata[0]:.3f}, null %{customdata[1]:.3f}<br>"
                "p %{customdata[2]:.3f}, q %{customdata[3]:.3f}<extra></extra>"
            ),
        )
    figure = styled(figure, "", "correlation on unseen items")
    return figure.update_layout(barmode="group", bargap=0.3, xaxis=NAMES | {"tickangle": -40})
