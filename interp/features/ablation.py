"""Selective ablation: without a concept's features, does a probe miss this concept, and only this one?

SAEBench's targeted probe perturbation (Marks et al. 2024; Karvonen et al. 2025) on the concepts of items. Chanin, "Are
Sparse Autoencoder Benchmarks Reliable?", 2026, shows that its figures vary much; so both numbers stand side by side, on
all test rows, and with the same number of features for every dictionary.

Axes: n rows, c concepts, k features.
"""

from collections.abc import Iterable

import numpy as np
from scipy.special import expit

from recmodels.moments import Levelled, correlation

ABLATED = 5  # features of each concept


def ablation_drops(
    decisions: np.ndarray, labels: np.ndarray, written: Iterable[np.ndarray], weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How much the probes' correlations drop when the features of each concept are ablated.

    A probe's correlation is that of its probability with its label, over the rows.

    Args:
        decisions: float [n, c], the probes' decision values.
        labels: bool [n, c], each column with both values.
        written: for each concept float [n, d], what its features write, which their ablation takes away.
        weights: float [c, d], of the probes.

    Returns:
        Drop of the concept's own probe and mean drop of the others, float [c] each; the second is NaN for c = 1.
    """
    truth = Levelled.of(labels)
    before = _agreement(decisions, truth)
    own, others = np.empty_like(before), np.full_like(before, np.nan)
    for concept, change in enumerate(written):
        drop = before - _agreement(decisions - change @ weights.T, truth)
        own[concept] = drop[concept]
        if len(drop) > 1:
            others[concept] = np.delete(drop, concept).mean()
    return own, others


def _agreement(decisions: np.ndarray, truth: Levelled) -> np.ndarray:
    """Correlation of each probe's probability with its label: float [c]."""
    return np.diag(correlation(Levelled.of(expit(decisions)), truth)).copy()
