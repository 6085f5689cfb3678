"""Sparse probing: how well a concept can be told from a few features, on items and users that nothing was fitted on.

Gurnee et al., "Finding Neurons in a Haystack", TMLR 2023; as a metric of dictionaries with 1, 2 and 5 features in
SAEBench (Karvonen et al., ICML 2025), where one feature of a good dictionary does what the whole layer does. Here the
features are chosen by forward selection, and all is cross-fitted over folds of the items: features are chosen and
probes fitted on training users' steps at the items of all folds but one, and tested on test users' steps at the items
of that fold.

Axes: n rows, f features, c concepts.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from interp.features.fold_sums import Sums
from interp.features.probes import logistic_regression
from interp.features.standard_blocks import Columns

RISE = 0.03  # of the correlation, below which a further feature is not needed (for F1: Chanin et al. 2024, SAEBench)
MOST = 10  # features of one concept that are counted
SINGULAR = 1e-4  # share of a feature's variance that others leave, below which it adds nothing


def forward_selection(covariance: np.ndarray, cross: np.ndarray, count: int, positive: bool = False) -> np.ndarray:
    """Features in the order in which each raises the explained variance of a label most (forward stepwise regression).

    Args:
        covariance: of the features, float64 [f, f].
        cross: covariance of the features with the label, float64 [f].
        count: how many features to choose.
        positive: choose only features that the label's part which is not explained yet rises with.

    Returns:
        int [≤ count]; fewer if no other feature adds anything.
    """
    variance, left, cross = np.diag(covariance).copy(), np.diag(covariance).copy(), cross.copy()
    basis, chosen = np.zeros((0, len(cross))), []
    for _ in range(count):
        usable = (left > SINGULAR * variance) & (left > 0) & ((cross > 0) if positive else True)
        gain = np.divide(np.square(cross), left, out=np.zeros_like(cross), where=usable)
        best = int(gain.argmax())
        if not gain[best] > 0:
            break
        chosen.append(best)
        row = (covariance[best] - basis[:, best] @ basis) / np.sqrt(left[best])
        cross -= row * (cross[best] / np.sqrt(left[best]))
        left -= np.square(row)
        left[best] = 0
        basis = np.vstack([basis, row])
    return np.array(chosen, dtype=int)


def linear_correlation(fits: Sequence[Sums], tests: Sequence[Sums], features: list[np.ndarray], concept: int) -> float:
    """Pearson correlation of a label with its least-squares fit, on the rows of all folds at once.

    Args:
        fits: sums of the training rows of all folds but one, for each fold.
        tests: sums of the test rows of that fold.
        features: those to fit, for each fold.
        concept: column of the label.

    Returns:
        0 where the label or the fit is constant.
    """
    n = p = y = pp = py = 0.0  # rows, and sums of the fit, the label, the fit's square, and both
    for fit, test, chosen in zip(fits, tests, features, strict=True):
        square = np.ix_(chosen, chosen)
        weights = np.linalg.lstsq(fit.covariance[square], fit.cross[chosen, concept], rcond=None)[0]
        bias = (fit.y[concept] - fit.x[chosen] @ weights) / fit.rows
        x = test.x[chosen] @ weights
        n, y, p = n + test.rows, y + test.y[concept], p + x + test.rows * bias
        pp += weights @ test.xx[square] @ weights + 2 * bias * x + test.rows * bias**2
        py += test.xy[chosen, concept] @ weights + bias * test.y[concept]
    scale = (n * pp - p * p) * (n * y - y * y)
    return float((n * py - p * y) / np.sqrt(scale)) if scale > 1e-12 * n**4 else 0.0


def features_needed(correlations: Sequence[float], rise: float = RISE) -> int:
    """How many features a concept needs: the first number from which one more does not raise the correlation by `rise`.

    A concept that is split over many features needs many (feature splitting: Bricken et al. 2023; counted in this way
    by Chanin et al., "A is for Absorption", 2024).

    Args:
        correlations: with 1, 2, … features.
        rise: the least rise that counts.
    """
    rises = np.diff(correlations)
    return int(np.argmax(np.append(rises < rise, True))) + 1


def probe_probabilities(
    train: Columns, labels: np.ndarray, train_folds: np.ndarray, test: Columns, test_folds: np.ndarray, features: list
) -> np.ndarray:
    """What a logistic regression on a few features says of test rows at items that it was not fitted on: float64 [n].

    Args:
        train: activations of the training rows, by columns.
        labels: bool, of these rows.
        train_folds: the fold of each one's item.
        test: activations of the test rows [n, f], by columns.
        test_folds: int [n].
        features: those to use for each fold; none for a fold gives the share of training rows with the label.
    """
    probability = np.zeros(len(test_folds))
    for fold, chosen in enumerate(features):
        fit, apply = train_folds != fold, test_folds == fold
        truth = labels[fit]
        if not apply.any():
            continue
        if not len(chosen) or truth.all() or not truth.any():
            probability[apply] = truth.mean()
            continue
        probe = logistic_regression().fit(_dense(train, chosen)[fit], truth)
        probability[apply] = probe.predict_proba(_dense(test, chosen)[apply])[:, 1]
    return probability


def _dense(columns: Columns, chosen: np.ndarray) -> np.ndarray:
    part = columns[:, chosen]
    return (part.toarray() if sparse.issparse(part) else np.asarray(part)).astype(np.float64)
