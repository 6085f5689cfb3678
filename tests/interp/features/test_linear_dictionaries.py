"""Dictionaries without training."""

import numpy as np
import pytest

from interp.activations.feature_matrix import encode
from interp.activations.fidelity import reconstruction
from interp.features.linear_dictionaries import linear_dictionary


@pytest.mark.parametrize("name", ["neurons-both-signs", "pca", "ica"])
def test_both_signs_at_full_rank_reconstruct_the_layer(stores, name):
    sae = linear_dictionary(name, stores["sae"])
    d = stores["sae"].activations.shape[1]
    assert sae.n_features == 2 * d
    quality = reconstruction(stores["test"], sae)
    assert quality["explained_variance"] == pytest.approx(1, abs=1e-6)
    assert quality["l0"] == pytest.approx(d, rel=0.02)


def test_neurons_are_the_two_sides_of_each_neuron(stores):
    store = stores["test"]
    found = encode(store, linear_dictionary("neurons-both-signs", stores["sae"])).toarray()
    d = store.activations.shape[1]
    x = (np.asarray(store.activations) - stores["sae"].mean) / stores["sae"].std
    x -= ((np.asarray(stores["sae"].activations, dtype=float) - stores["sae"].mean) / stores["sae"].std).mean(axis=0)
    np.testing.assert_allclose(found[:, :d] - found[:, d:], x, atol=1e-4)
    assert (found >= 0).all()


def test_principal_components_are_uncorrelated(stores):
    sae = linear_dictionary("pca", stores["sae"])
    found = encode(stores["sae"], sae).toarray()
    d = sae.n_features // 2
    covariance = np.cov((found[:, :d] - found[:, d:]).T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-3 * np.diag(covariance).max()
    assert (np.diff(np.diag(covariance)) <= 1e-4).all()


def test_a_random_dictionary_is_as_sparse_as_asked_and_decodes_best(stores):
    sae = linear_dictionary("random", stores["sae"], n_features=48, l0=6)
    quality = reconstruction(stores["sae"], sae)
    assert quality["l0"] == pytest.approx(6, rel=0.02)
    assert 0.2 < quality["explained_variance"] < 1
    other = linear_dictionary("random", stores["sae"], seed=1, n_features=48, l0=6)
    assert sae.fingerprint != other.fingerprint
    assert sae.fingerprint == linear_dictionary("random", stores["sae"], n_features=48, l0=6).fingerprint
