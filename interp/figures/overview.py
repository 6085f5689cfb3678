"""Figures of a whole dictionary."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from interp.figures.theme import NEURON, SAE, styled


def features_beside_neurons(concepts: pd.DataFrame) -> go.Figure:
    """Each concept's best correlation: neurons of the layer beside SAE features (paper Figures 4 and 12).

    Args:
        concepts: table `concepts`.
    """
    figure = go.Figure()
    for name, column, unit, color in (
        ("neurons", "neuron_correlation", "neuron", NEURON),
        ("SAE features", "correlation", "feature", SAE),
    ):
        figure.add_bar(
            name=name,
            x=concepts["concept"],
            y=concepts[column],
            customdata=concepts[unit],
            marker_color=color,
            hovertemplate=f"%{{x}}: %{{y:.3f}}<br>{unit} %{{customdata}}<extra></extra>",
        )
    return styled(figure, "", "top correlation").update_layout(barmode="group")


def densities(features: pd.DataFrame) -> go.Figure:
    """How often features are active, on a logarithmic scale; dead ones are counted in the title.

    Args:
        features: table `features`.
    """
    alive = features.loc[features["density"] > 0, "density"]
    figure = go.Figure(
        go.Histogram(
            x=np.log10(alive),
            nbinsx=40,
            marker_color=SAE,
            hovertemplate="10^%{x}: %{y} features<extra></extra>",
        )
    )
    dead = len(features) - len(alive)
    return styled(figure, f"log10 of the share of steps where active ({dead} dead)", "features")


def concept_heatmap(alignment: pd.DataFrame, concepts: pd.DataFrame) -> go.Figure:
    """Correlation of each concept's top feature with every concept (paper Figures 2, 11 and 15).

    Args:
        alignment: table `alignment`.
        concepts: table `concepts`; its order is that of rows and columns.
    """
    names = concepts["concept"].tolist()
    wide = alignment.pivot(index="feature", columns="concept", values="correlation")
    values = wide.loc[concepts["feature"], names].to_numpy()
    figure = go.Figure(
        go.Heatmap(
            x=names,
            y=[f"{name} · {feature}" for name, feature in zip(names, concepts["feature"], strict=True)],
            z=values,
            zmid=0,
            colorscale="RdBu_r",
            hovertemplate="feature %{y}<br>%{x}: %{z:.3f}<extra></extra>",
        )
    )
    return styled(figure, "", "", height=520).update_yaxes(autorange="reversed")
