"""Features that add nothing: those that are never active, those that nearly always are, and near-duplicates.

Axes: f features.
"""

import numpy as np

DENSE = 0.1  # of the steps, above which a feature is dense (Sun et al., "Dense SAE Latents Are Features", 2025)
DUPLICATE = 0.9  # cosine or correlation, from which two features are near-duplicates


def dead_share(density: np.ndarray) -> float:
    """Share of features that are active at no step; density [f] is the share of steps at which each is active."""
    return float((density == 0).mean())


def dense_share(density: np.ndarray, limit: float = DENSE) -> float:
    """Share of features that are active at more than this share of the steps; density as in `dead_share`."""
    return float((density > limit).mean())


def duplicate_share(similarity: np.ndarray, limit: float = DUPLICATE) -> float:
    """Share of features that have a near-duplicate.

    Args:
        similarity: of every two features, float [f, f]: cosines of their directions, or correlations of their
            activations.
        limit: from which two are near-duplicates.

    Returns:
        NaN for no feature.
    """
    others = similarity - 2 * np.eye(len(similarity))  # nothing is its own duplicate
    return float((others.max(axis=1) >= limit).mean()) if len(others) else float("nan")
