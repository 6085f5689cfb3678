"""Plotly figures as functions of a study's tables. No figure computes a statistic."""

from interp.plots.cost_plots import cost_curves
from interp.plots.feature_plots import activation_histogram, concept_bars
from interp.plots.maps import dictionary_map
from interp.plots.overview import (
    best_correlations,
    causal_heatmap,
    concept_heatmap,
    densities,
    features_beside_neurons,
)
from interp.plots.steering_plots import changed_concepts, direction_curves, quality_curves, share_curves
from interp.plots.turned_plots import quality_curves_with_bands, share_curves_with_bands, turned_curve

__all__ = [
    "activation_histogram",
    "best_correlations",
    "causal_heatmap",
    "changed_concepts",
    "concept_bars",
    "concept_heatmap",
    "cost_curves",
    "densities",
    "dictionary_map",
    "direction_curves",
    "features_beside_neurons",
    "quality_curves",
    "quality_curves_with_bands",
    "share_curves",
    "share_curves_with_bands",
    "turned_curve",
]
