"""Baselines on activations whose sources are known, and on the planted world."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from interp.activations.feature_matrix import encode
from interp.features.candidates import (
    ITERATIONS,
    Projection,
    ica,
    normalised,
    pca,
    projections,
    random_directions,
    rank,
    rectify,
    sample,
)


@pytest.fixture(scope="module")
def mixture():
    """20,000 rows of six skewed sources, mixed; and the sources."""
    rng = np.random.default_rng(0)
    sources = rng.exponential(size=(20_000, 6))
    return (sources @ rng.normal(size=(6, 6)) + 3).astype(np.float32), sources


def best(candidates, sources):
    """The largest correlation of any candidate with each source."""
    values = candidates.toarray() if sparse.issparse(candidates) else candidates
    k = values.shape[1]
    return np.corrcoef(values, sources, rowvar=False)[:k, k:].max(axis=0)


def test_ica_finds_the_sources_and_pca_does_not(mixture):
    x, sources = mixture
    components, iterations = ica(x, seed=0)
    assert iterations < ITERATIONS
    assert len(components.bias) == 12
    # One sign of each component is the source, but for what lies on the other side of its mean.
    linear = replace(components, rectified=False)
    assert best(linear(x), sources).min() > 0.99
    assert best(components(x), sources).min() > 0.9
    assert best(pca(x)(x), sources).min() < 0.9


def test_pca_has_both_signs_of_its_components(mixture):
    x, _ = mixture
    values = pca(x)(x).toarray()
    up, down = values[:, :6], values[:, 6:]
    assert not (up * down).any()
    scores = up - down
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-3)
    covariance = np.cov(scores, rowvar=False)
    np.testing.assert_allclose(np.diag(covariance), np.linalg.eigvalsh(np.cov(x, rowvar=False))[::-1], rtol=1e-3)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-3 * covariance.max())


def test_directions_that_do_not_vary_are_no_components(mixture):
    x, _ = mixture
    flat = np.concatenate([x, x.sum(axis=1, keepdims=True)], axis=1)
    assert rank(flat) == 6
    assert len(pca(flat).bias) == len(ica(flat, seed=0)[0].bias) == 12


def test_random_directions_are_unit_vectors_in_all_directions():
    weights = random_directions(3, 20_000, seed=0).weights
    np.testing.assert_allclose(np.linalg.norm(weights, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(weights.T @ weights / len(weights), np.eye(3) / 3, atol=0.02)


@pytest.mark.parametrize("l0", [0.5, 7.0, 64.0])
def test_each_random_feature_is_active_equally_often(mixture, l0):
    x, _ = mixture
    values = rectify(random_directions(6, 300, seed=1), x, l0)(x)
    assert values.nnz / len(x) == pytest.approx(l0, rel=0.03)
    assert np.diff(values.indptr) == pytest.approx(len(x) * l0 / 300, abs=2)  # whole rows


def test_a_rectified_projection_by_hand():
    projection = Projection(np.float32([[1, 0], [0, -2]]), np.float32([-1, 1]), rectified=True)
    values = projection(np.float32([[3, 1], [0, -1]]))
    assert values.toarray().tolist() == [[2, 0], [0, 3]]
    assert values.nnz == 2
    assert replace(projection, rectified=False)(np.float32([[3, 1], [0, -1]])).tolist() == [[2, -1], [-1, 3]]


def test_few_rows_are_all_taken_and_many_are_drawn_in_order():
    assert sample(10, 0) == slice(None)
    drawn = sample(200_000, 0)
    assert len(np.unique(drawn)) == len(drawn) == 50_000
    assert (np.diff(drawn) > 0).all()


def test_candidates_of_a_study(stores, sae):
    """Normalised as the dictionary does it, of the dictionary's size and sparsity, and the same every time."""
    train_l0 = encode(stores["sae"], sae).nnz / len(stores["sae"])
    named = {c.name: c for c in projections(stores["sae"], stores, sae.n_features, train_l0, seed=3)}
    width = stores["sae"].activations.shape[1]
    assert {name: c.count for name, c in named.items()} == {
        "random directions": sae.n_features,
        "random dictionary": sae.n_features,
        "PCA": 2 * width,
        "ICA": 2 * width,
    }
    again = {c.name: c for c in projections(stores["sae"], stores, sae.n_features, train_l0, seed=3)}
    for name, candidates in named.items():
        for part in ("sae_validation", "test"):
            values = candidates.activations(part)
            assert values.shape == (len(stores[part]), candidates.count)
            assert abs(again[name].activations(part) - values).max() == 0
    directions = random_directions(width, sae.n_features, seed=3).weights
    x = (stores["test"].activations - sae.mean) / sae.std
    np.testing.assert_allclose(named["random directions"].activations("test"), x @ directions.T, atol=1e-4)
    assert named["random dictionary"].activations("sae").nnz / len(stores["sae"]) == pytest.approx(train_l0, rel=0.01)
    assert "FastICA has" in named["ICA"].about
    assert np.allclose(normalised(stores["test"], slice(0, 2), stores["sae"]), x[:2], atol=1e-5)
