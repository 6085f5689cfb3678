"""Dictionaries without training, to compare trained ones with: neurons, PCA, ICA and random directions.

The directions of `interp.features.candidates`, with the best linear decoder for them. Each is a `SparseAutoencoder`
like any other, so that every metric treats it alike.

Axes: n rows, d hidden size, f features.
"""

from typing import Any

import numpy as np
import torch
from dictionary_learning.dictionary import AutoEncoder

from interp.activations.activation_store import ActivationStore
from interp.features.candidates import Projection, ica, normalised, pca, random_directions, rectify, sample
from interp.sae.autoencoder import Provenance, SparseAutoencoder
from interp.sae_config import SAEConfig

NAMES = ("neurons-both-signs", "pca", "ica", "random")
_BLOCK = 8192  # rows at once
RIDGE = 1e-6  # of the decoder, in units of the features' mean square


def linear_dictionary(
    name: str, store: ActivationStore, seed: int = 0, n_features: int = 0, l0: float = 0
) -> SparseAutoencoder:
    """A dictionary of directions that no gradient has trained.

    Args:
        name: "neurons-both-signs", "pca" or "ica": both signs of the layer's own axes, its principal or its independent
            components, which reconstruct it completely. Or "random": directions drawn at random, rectified.
        store: activations that dictionaries are trained on.
        seed: of ICA's start and of random directions.
        n_features: of "random".
        l0: active features per step of "random".
    """
    x = normalised(store, sample(len(store), seed)).astype(np.float64)
    d, centre = x.shape[1], x.mean(axis=0)
    if name == "neurons-both-signs":
        axes = np.vstack([np.eye(d), -np.eye(d)])
        directions = Projection(axes, -axes @ centre, rectified=True)
    elif name == "random":
        directions = rectify(random_directions(d, n_features, seed), x, l0)
    else:
        directions = pca(x) if name == "pca" else ica(x, seed)[0]
    weights: Any = {
        "bias": centre,
        "encoder.weight": directions.weights,
        "encoder.bias": directions.bias + directions.weights @ centre,
        "decoder.weight": _decoder(directions, x, centre).T,
    }
    with torch.random.fork_rng(devices=[]):
        dictionary = AutoEncoder(d, len(directions.bias))
    dictionary.load_state_dict({key: torch.from_numpy(np.array(value)).float() for key, value in weights.items()})
    provenance = Provenance(store.recommender, store.site, store.fingerprint)
    config = SAEConfig("standard", len(directions.bias), seed=seed)
    return SparseAutoencoder(dictionary, store.mean, store.std, config, provenance)


def _decoder(directions: Projection, x: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """What features write, [f, d], so that they reconstruct x [n, d] less its centre [d] best, by least squares."""
    f = len(directions.bias)
    gram, cross = np.zeros((f, f)), np.zeros((f, x.shape[1]))
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        features = directions(block).toarray()
        gram += features.T @ features
        cross += features.T @ (block - centre)
    return np.linalg.solve(gram + RIDGE * np.trace(gram) / f * np.eye(f), cross)
