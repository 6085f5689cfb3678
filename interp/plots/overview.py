"""Figures of a whole dictionary.

A trace whose `meta` is "feature" has feature numbers as `customdata`: a page can open what is clicked.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from interp.plots.theme import DENSITIES, DIVERGING, NAMES, NEUTRAL, OTHER_BARS, SAE, plain, styled


def features_beside_neurons(concepts: pd.DataFrame) -> go.Figure:
    """Each concept's best correlation: neurons of the layer beside SAE features (paper Figures 4 and 12).

    Args:
        concepts: table `concepts`.
    """
    figure = go.Figure()
    for name, column, unit, marker in (
        ("best neuron", "neuron_correlation", "neuron", OTHER_BARS),
        ("best SAE feature", "correlation", "feature", {"color": SAE}),
    ):
        figure.add_bar(
            name=name,
            meta=unit,
            x=[plain(concept) for concept in concepts["concept"]],
            y=concepts[column],
            customdata=concepts[unit],
            marker=marker,
            hovertemplate=f"%{{x}}: %{{y:.3f}}<br>{unit} %{{customdata}}<extra></extra>",
        )
    figure = styled(figure, "", "correlation with the concept")
    return figure.update_layout(barmode="group", bargap=0.3, xaxis=NAMES | {"tickangle": -40})


def densities(features: pd.DataFrame, bins: int = 40) -> go.Figure:
    """How often features are active, on a logarithmic scale; dead ones are counted in the axis title.

    Args:
        features: table `features`.
        bins: bars between the rarest and the most frequent feature.
    """
    alive = features.loc[features["density"] > 0, "density"].to_numpy()
    low, high = (np.log10(alive.min()), np.log10(alive.max())) if len(alive) else (-1.0, 0.0)
    edges = np.logspace(low, high if high > low else low + 0.1, bins + 1)
    edges[0], edges[-1] = edges[0] * 0.999999, edges[-1] * 1.000001  # rounding must not leave out the ends
    figure = _bars(np.histogram(alive, edges)[0], np.log10(edges), [f"{edge:.2%}" for edge in edges])
    dead = len(features) - len(alive)
    figure = styled(figure, f"share of all steps ({dead} never active)", "features", height=270)
    return figure.update_xaxes(tickvals=np.log10(DENSITIES), ticktext=[f"{100 * density:g}%" for density in DENSITIES])


def best_correlations(features: pd.DataFrame, threshold: float, bins: int = 40) -> go.Figure:
    """How well each feature's best concept fits it.

    Args:
        features: table `features`.
        named: correlation from which on the concept names the feature; drawn as a dashed line.
        bins: bars between the worst and the best fit.
    """
    count, edges = np.histogram(features["correlation"].dropna(), bins)
    figure = _bars(count, edges, [f"{edge:.3f}" for edge in edges])
    figure = styled(figure, "correlation with the best concept", "features", height=270)
    aligned = int((features["correlation"] >= threshold).sum())
    return figure.add_vline(
        threshold,
        line={"dash": "dash", "color": NEUTRAL},
        annotation={
            "text": f"{aligned} of {len(features)} from {threshold:g} on",
            "xanchor": "left",
            "yanchor": "top",
            "xshift": 5,
        },
    )


def concept_heatmap(alignment: pd.DataFrame, concepts: pd.DataFrame) -> go.Figure:
    """Correlation of each concept's top feature with every concept (paper Figures 2, 11 and 15).

    Args:
        alignment: table `alignment`.
        concepts: table `concepts`; its order is that of rows and columns.
    """
    return _top_features(alignment, "correlation", concepts, ".3f")


def causal_heatmap(causal: pd.DataFrame, concepts: pd.DataFrame) -> go.Figure:
    """The effect of each concept's top feature on every concept's share of the lists.

    Args:
        causal: `interp.control.causal_map.CausalMap.table()`.
        concepts: table `concepts`; its order is that of rows and columns.
    """
    return _top_features(causal, "effect", concepts, "+.1%")


def _top_features(table: pd.DataFrame, values: str, concepts: pd.DataFrame, text_format: str) -> go.Figure:
    """A column of a table of features and concepts, for each concept's top feature."""
    names, features = concepts["concept"].tolist(), concepts["feature"].tolist()
    wide = table.pivot(index="feature", columns="concept", values=values)
    labels = [plain(name) for name in names]
    figure = go.Figure(
        go.Heatmap(
            meta="feature",
            x=labels,
            y=[f"{label} · {feature}" for label, feature in zip(labels, features, strict=True)],
            z=wide.loc[features, names].to_numpy(),
            customdata=np.repeat(np.array(features)[:, None], len(names), axis=1),
            zmid=0,
            colorscale=list(DIVERGING),
            colorbar={"thickness": 10, "outlinewidth": 0},
            xgap=1,
            ygap=1,
            hovertemplate=f"feature %{{customdata}}<br>%{{x}}: %{{z:{text_format}}}<extra></extra>",
        )
    )
    figure = styled(figure, "", "", height=max(340, 130 + 26 * len(names)))
    figure.update_xaxes(tickangle=-90, **NAMES)
    return figure.update_yaxes(autorange="reversed", ticklabelstandoff=4, **NAMES)


def _bars(count: np.ndarray, edges: np.ndarray, names: list[str]) -> go.Figure:
    """Bars over given bins; the names of the edges are shown on hover."""
    spans = [f"{low} to {high}" for low, high in pairwise(names)]
    bars = go.Bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=count,
        width=np.diff(edges),
        customdata=spans,
        marker={"color": SAE, "line": {"width": 0}},
        hovertemplate="%{customdata}: %{y} features<extra></extra>",
    )
    return go.Figure(bars).update_layout(bargap=0)
