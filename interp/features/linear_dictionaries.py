"""Dictionaries without training, to compare trained ones with: neurons, PCA, ICA, and random directions.

Each is a `SparseAutoencoder` like any other, so that every metric treats it alike. A feature is one sign of a
direction, rectified: neurons, PCA and ICA have two features for each of d directions, so they reconstruct the layer.

Axes: n rows, d hidden size, f features.
"""

import warnings
from typing import Any

import numpy as np
import torch
from dictionary_learning.dictionary import AutoEncoder
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import ConvergenceWarning

from interp.activations.activation_store import ActivationStore
from interp.config import SAEConfig
from interp.sae.autoencoder import Provenance, SparseAutoencoder

NAMES = ("neurons", "pca", "ica", "random")
ROWS = 50_000  # that ICA is fitted on, at most
ITERATIONS = 400  # of ICA
RIDGE = 1e-3  # of the random dictionary's decoder, in units of its features' mean square


def linear_dictionary(
    name: str, store: ActivationStore, seed: int = 0, n_features: int = 0, l0: float = 0
) -> SparseAutoencoder:
    """A dictionary of directions that no gradient has trained.

    Args:
        name: one of `NAMES`. "neurons" are the layer's own axes; "pca" and "ica" the components of training activations
            at full rank (FastICA, Hyvärinen 1999); "random" are unit directions drawn at random, each active above a
            threshold so that `l0` are active at a step, with the least-squares decoder for them.
        store: activations that dictionaries are trained on.
        seed: of ICA and of random directions.
        n_features: of "random".
        l0: of "random".
    """
    x = (np.asarray(store.activations, dtype=np.float64) - store.mean) / store.std
    d = x.shape[1]
    if name == "random":
        encoder = np.random.default_rng(seed).normal(size=(n_features, d))
        encoder /= np.linalg.norm(encoder, axis=1, keepdims=True)
        centre, part = x.mean(axis=0), _part(x, seed)
        projections = (part - centre) @ encoder.T
        bias = -np.quantile(projections, 1 - min(l0 / n_features, 0.5), axis=0)
        features = (projections + bias).clip(0)
        gram = features.T @ features
        gram += RIDGE * np.trace(gram) / n_features * np.eye(n_features)
        decoder = np.linalg.solve(gram, features.T @ (part - centre))
        return _autoencoder(store, encoder, bias, decoder, centre, seed)
    directions, centre = _directions(name, x, seed)
    inverse = np.linalg.inv(directions)  # [d, d]: hidden = centre + components @ inverse.T
    encoder, decoder = np.vstack([directions, -directions]), np.vstack([inverse.T, -inverse.T])
    return _autoencoder(store, encoder, np.zeros(2 * d), decoder, centre, seed)


def _directions(name: str, x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What gives each component, [d, d], of activations less their centre, [d]."""
    if name == "neurons":
        return np.eye(x.shape[1]), x.mean(axis=0)
    if name == "pca":
        pca = PCA(svd_solver="full").fit(x)
        return pca.components_, pca.mean_
    part = _part(x, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its last step is close enough
        ica = FastICA(whiten="unit-variance", max_iter=ITERATIONS, random_state=seed).fit(part)
    return ica.components_, ica.mean_


def _part(x: np.ndarray, seed: int) -> np.ndarray:
    return x if len(x) <= ROWS else x[np.sort(np.random.default_rng(seed).choice(len(x), ROWS, replace=False))]


def _autoencoder(
    store: ActivationStore, encoder: np.ndarray, bias: np.ndarray, decoder: np.ndarray, centre: np.ndarray, seed: int
) -> SparseAutoencoder:
    f, d = encoder.shape
    weights: Any = {"bias": centre, "encoder.weight": encoder, "encoder.bias": bias, "decoder.weight": decoder.T}
    with torch.random.fork_rng(devices=[]):
        dictionary = AutoEncoder(d, f)
    dictionary.load_state_dict({name: torch.from_numpy(np.array(value)).float() for name, value in weights.items()})
    provenance = Provenance(store.recommender, store.site, store.fingerprint)
    return SparseAutoencoder(dictionary, store.mean, store.std, SAEConfig("standard", f, seed=seed), provenance)
