"""Do two trainings that differ in their seed find the same features?

Axes: f and g features of two dictionaries.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment


def matched_similarity(similarity: np.ndarray) -> float:
    """Mean similarity of the features of two dictionaries, matched one to one so that it is largest.

    The Hungarian method; for directions this is the score of Paulo and Belrose, "Sparse Autoencoders Trained on the
    Same Data Learn Different Features", 2025 (with max cosine in place of the matching: Sharkey et al. 2022, MMCS).

    Args:
        similarity: float [f, g], cosines of directions or correlations of activations. Where f and g differ, the
            features without a partner count 0.

    Returns:
        1 if the dictionaries are the same up to the order of their features; NaN if one is empty.
    """
    if not min(similarity.shape):
        return float("nan")
    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return float(similarity[rows, columns].sum() / max(similarity.shape))
