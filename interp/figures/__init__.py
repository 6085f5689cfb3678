"""Plotly figures as functions of a study's tables. No figure computes a statistic."""

from interp.figures.features import activation_histogram, concept_bars
from interp.figures.overview import best_correlations, concept_heatmap, densities, features_beside_neurons
from interp.figures.steering import quality_curves, share_curves

__all__ = [
    "activation_histogram",
    "best_correlations",
    "concept_bars",
    "concept_heatmap",
    "densities",
    "features_beside_neurons",
    "quality_curves",
    "share_curves",
]
