"""How much a correlation rests on who the users are: resampling whole users, whose steps belong together.

Axes: n rows, u users, c concepts, r repeats of two halves of the items, b resamples.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from interp.concepts.alignment import Activations, auc


def halves_of_rows(
    activations: Activations, labels: np.ndarray, halves: np.ndarray, choices: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For every half of every repeat, the activations that are measured there.

    Args:
        activations: [n, f].
        labels: bool [n, c].
        halves: bool [r, n], True for rows whose item is in the first half.
        choices: int [2, r, c], the column that is measured on the one and the other half.

    Yields:
        bool [n], the rows of the half; float64 [rows, c], the activations; bool [rows, c], the labels.
    """
    for repeat, first in enumerate(halves):
        for half, member in enumerate((first, ~first)):
            columns = activations[:, choices[half, repeat]]
            values = columns.toarray() if sparse.issparse(columns) else np.asarray(columns)
            yield member, values[member].astype(np.float64), labels[member]


def resampled_correlations(
    activations: Activations,
    labels: np.ndarray,
    halves: np.ndarray,
    choices: np.ndarray,
    users: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The mean over halves and repeats of the correlations, with every user counted as often as drawn: [b, c].

    Args:
        activations, labels, halves, choices: as for `halves_of_rows`.
        users: int [n], the number of each row's user.
        weights: [b, u], from `recmodels.bootstrap.bootstrap_counts`.
    """
    total = np.zeros((len(weights), labels.shape[1]))
    for member, x, y in halves_of_rows(activations, labels, halves, choices):
        x -= x.mean(axis=0)
        indicator = sparse.csr_array((np.ones(len(x)), (users[member], np.arange(len(x)))), (weights.shape[1], len(x)))
        n, sx, sy, sxx, sxy = (
            weights @ (indicator @ part) for part in (np.ones((len(x), 1)), x, y.astype(float), x * x, x * y)
        )
        covariance = n * sxy - sx * sy
        scale = (n * sxx - sx**2).clip(0) * (n * sy - sy**2)
        total += np.divide(covariance, np.sqrt(scale), out=np.zeros_like(covariance), where=scale > 1e-9 * n**2)
    return total / (2 * len(halves))


def cross_fitted_auc(
    activations: Activations, labels: np.ndarray, halves: np.ndarray, choices: np.ndarray
) -> np.ndarray:
    """The mean over halves and repeats of the exact ROC AUC: [c]; 0.5 for a label that is constant in a half."""
    total = np.zeros(labels.shape[1])
    for _, x, y in halves_of_rows(activations, labels, halves, choices):
        varies = y.any(axis=0) & ~y.all(axis=0)
        total += 0.5
        total[varies] += np.diag(auc(x[:, varies], y[:, varies])) - 0.5
    return total / (2 * len(halves))
