"""Similarity of the features of a dictionary: a map of their directions, and the nearest features of each.

Axes: n rows of a store, d hidden size, f features.
"""

import numpy as np
import pandas as pd
from scipy import sparse

from recmodels.moments import Levelled, correlation

FEW = 50  # features; t-SNE finds no structure among fewer
PERPLEXITY = 30  # the usual number of neighbours that t-SNE keeps together
SHARE = 5  # of fewer than 150 features, t-SNE keeps every fifth together
COUNT = 8  # neighbours of each kind


def direction_map(directions: np.ndarray, seed: int = 0) -> np.ndarray:
    """Places on a map where features with similar directions are close.

    t-SNE of the directions at length 1 (van der Maaten and Hinton 2008), started from their two principal components,
    which determines where large groups lie. Only nearness has a meaning, not the axes or large distances. Fewer than
    `FEW` features are placed by their principal components alone.

    Args:
        directions: [f, d], what one unit of each feature writes (`SparseAutoencoder.directions`).
        seed: of t-SNE.

    Returns:
        float64 [f, 2], each axis centred, and the wider one from −1 to 1.
    """
    unit = _unit(np.asarray(directions, dtype=np.float64))
    if len(unit) < FEW:
        from sklearn.decomposition import PCA  # here, as a study opens without scikit-learn

        components = min(2, *unit.shape)
        places = np.zeros((len(unit), 2))
        places[:, :components] = PCA(components, svd_solver="full").fit_transform(unit)
    else:
        from sklearn.manifold import TSNE

        perplexity = min(PERPLEXITY, len(unit) // SHARE)
        places = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(unit).astype(np.float64)
    places -= (places.max(axis=0) + places.min(axis=0)) / 2
    return places / (np.abs(places).max() or 1)


def similar_features(directions: np.ndarray, count: int = COUNT) -> pd.DataFrame:
    """The features whose directions are most like each feature's, by cosine.

    Args:
        directions: [f, d].
        count: neighbours per feature.

    Returns:
        feature, rank (from 1), neighbour, similarity; only where that is above 0.
    """
    return _table(cosines(directions), count)


def coactive_features(activations: sparse.csc_array, count: int = COUNT) -> pd.DataFrame:
    """The features that are most often active together with each feature, by Pearson correlation over all rows.

    With cosine or Jaccard, two features that are active at most steps would be neighbours by chance.

    Args:
        activations: [n, f].
        count: neighbours per feature.

    Returns:
        feature, rank (from 1), neighbour, similarity; only where that is above 0, so a constant feature has none.
    """
    columns = Levelled.of(activations)
    return _table(correlation(columns, columns), count)


def cosines(directions: np.ndarray) -> np.ndarray:
    """Cosine of every two directions [f, d]: float64 [f, f]; 0 with a direction of length 0."""
    unit = _unit(np.asarray(directions, dtype=np.float64))
    return unit @ unit.T


def nearest(similarity: np.ndarray, count: int) -> np.ndarray:
    """The columns of each row's largest entries except its own, largest first: int [f, count] or fewer columns."""
    similarity = similarity.copy()
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, : min(count, len(similarity) - 1)]


def _table(similarity: np.ndarray, count: int) -> pd.DataFrame:
    """Each row's nearest, as long as they are above 0."""
    order = nearest(similarity, count)
    f, k = order.shape
    table = pd.DataFrame(
        {
            "feature": np.repeat(np.arange(f), k),
            "rank": np.tile(np.arange(1, k + 1), f),
            "neighbour": order.ravel(),
            "similarity": np.take_along_axis(similarity, order, axis=1).ravel(),
        }
    )
    return table[table["similarity"] > 0].reset_index(drop=True)


def _unit(directions: np.ndarray) -> np.ndarray:
    """Each row at length 1; one of length 0 stays."""
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return directions / np.where(length > 0, length, 1)
