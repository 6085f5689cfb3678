"""Candidates beside the features of a dictionary. What they reach as well is not owed to the dictionary.

As many as there are features:

- random directions: what the search among many candidates finds in the activations by itself;
- a random dictionary: the same directions, each rectified at a threshold, as sparse as the dictionary;
- the dictionary of the untrained recommender, and that of the item embeddings (`interp.pipeline.trained_baselines`).

At full rank, both signs of each component: PCA and ICA.

Axes: n rows, d hidden size, f candidates.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from interp.concepts.alignment import ENTRIES, Activations

ROWS = 50_000  # training rows on which directions and thresholds are fitted, at most
ITERATIONS = 1000  # of FastICA, at most
TOLERANCE = 1e-4  # of FastICA: it has converged when no direction turns by more
RANK = 1e-6  # a principal component with less than this share of the largest variance is rounding
_BLOCK = 256  # candidates at once

Part = Literal["sae", "sae_validation", "test"]


@dataclass(frozen=True)
class Candidates:
    """Scores of every step that compete with a dictionary's features. They are computed whenever they are asked for.

    Attributes:
        name: a few words.
        about: what they are, in a line.
        count: how many they are, f.
        activations: [n, f] of a part of the users: sparse and not negative, or dense with any sign.
    """

    name: str
    about: str
    count: int
    activations: Callable[[Part], Activations] = field(repr=False)


@dataclass(frozen=True)
class Projection:
    """Directions in the space of normalised activations.

    Attributes:
        weights: float32 [f, d].
        bias: float32 [f].
        rectified: whether what is below 0 becomes 0.
    """

    weights: np.ndarray
    bias: np.ndarray
    rectified: bool

    def __call__(self, x: np.ndarray, columns: slice = slice(None)) -> Activations:
        """Normalised activations [n, d] to [n, f], sparse if rectified: a dense copy is only made of some columns."""
        weights, bias = self.weights[columns], self.bias[columns]
        if not self.rectified:
            values = x @ weights.T
            values += bias
            return values
        width = max(ENTRIES // max(len(x), 1), 1)
        starts = range(0, len(bias), width)
        parts = [sparse.csc_array((x @ weights[i : i + width].T + bias[i : i + width]).clip(0)) for i in starts]
        return sparse.hstack(parts, format="csc")


def projections(
    train: ActivationStore, stores: Mapping[str, ActivationStore], n_features: int, l0: float, seed: int
) -> Iterator[Candidates]:
    """The candidates that take no training: random directions, a random dictionary, PCA and ICA.

    Args:
        train: activations of the SAE part; they are fitted on it, and all parts are normalised by it.
        stores: activations of each part.
        n_features: features of the dictionary.
        l0: its active features per step on `train`.
        seed: of the directions, and of ICA's start.
    """
    x = normalised(train, sample(len(train), seed))
    directions = random_directions(x.shape[1], n_features, seed)
    components, n_iterations = ica(x, seed)
    converged = f"converged after {n_iterations}" if n_iterations < ITERATIONS else f"not converged after {ITERATIONS}"
    for name, about, projection in (
        ("random directions", "drawn evenly from the sphere; any sign", directions),
        ("random dictionary", "the same, rectified at thresholds for the dictionary's L0", rectify(directions, x, l0)),
        ("PCA", "principal components, both signs, rectified", pca(x)),
        ("ICA", f"independent components, both signs, rectified; FastICA has {converged} iterations", components),
    ):
        yield Candidates(name, about, len(projection.bias), _on(projection, train, stores))


def _on(
    projection: Projection, train: ActivationStore, stores: Mapping[str, ActivationStore]
) -> Callable[[Part], Activations]:
    return lambda part: projection(normalised(stores[part], slice(None), train))


def sample(n: int, seed: int) -> np.ndarray | slice:
    """`ROWS` of n rows in their order, or all of them."""
    if n <= ROWS:
        return slice(None)
    return np.sort(np.random.default_rng(seed).choice(n, ROWS, replace=False))


def normalised(store: ActivationStore, rows: np.ndarray | slice, by: ActivationStore | None = None) -> np.ndarray:
    """Some activations as a dictionary sees them, float32 [n, d].

    Args:
        store: the activations.
        rows: which of them.
        by: the store whose mean and standard deviation normalise them, if that is another one.
    """
    by = by or store
    return (np.array(store.activations[rows]) - np.float32(by.mean)) / np.float32(by.std)


def random_directions(d: int, f: int, seed: int) -> Projection:
    """Directions that are drawn evenly from the sphere."""
    drawn = np.random.default_rng(seed).standard_normal((f, d))
    weights = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return Projection(weights.astype(np.float32), np.zeros(f, np.float32), rectified=False)


def rectify(directions: Projection, x: np.ndarray, l0: float) -> Projection:
    """Directions that are each active on the same share of rows.

    Args:
        directions: any.
        x: normalised activations [n, d].
        l0: active directions per row, as a mean over `x`.
    """
    f = len(directions.bias)
    thresholds = [
        np.quantile(directions(x, slice(start, start + _BLOCK)), 1 - l0 / f, axis=0) for start in range(0, f, _BLOCK)
    ]
    return Projection(directions.weights, -np.concatenate(thresholds).astype(np.float32), rectified=True)


def pca(x: np.ndarray) -> Projection:
    """Both signs of the principal components of normalised activations [n, d]."""
    from sklearn.decomposition import PCA  # here, as a study opens without scikit-learn

    model = PCA(svd_solver="covariance_eigh").fit(x.astype(np.float64))
    return _both_signs(model.components_[: rank(x)], model.mean_)


def ica(x: np.ndarray, seed: int) -> tuple[Projection, int]:
    """Both signs of the independent components of normalised activations [n, d] (Hyvärinen's FastICA, log cosh).

    Returns:
        The components; and the number of iterations, `ITERATIONS` if it did not converge.
    """
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    model = FastICA(
        rank(x),
        whiten="unit-variance",
        whiten_solver="eigh",
        max_iter=ITERATIONS,
        tol=TOLERANCE,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of iterations says it
        model.fit(x.astype(np.float64))
    return _both_signs(model.components_, model.mean_), model.n_iter_


def rank(x: np.ndarray) -> int:
    """How many principal components of [n, d] vary: fewer than d behind a layer norm, for example."""
    variances = np.linalg.eigvalsh(np.cov(x.astype(np.float64), rowvar=False))
    return max(1, int((variances > RANK * variances.max()).sum()))


def _both_signs(components: np.ndarray, mean: np.ndarray) -> Projection:
    weights = np.concatenate([components, -components])
    return Projection(weights.astype(np.float32), (-weights @ mean).astype(np.float32), rectified=True)
