"""The map of a dictionary and the nearest features of each."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import pairwise_distances

from interp.activations.feature_matrix import encode
from interp.analyses.neighbours.tables import neighbours
from interp.features.neighbours import FEW, coactive_features, cosines, direction_map, nearest, similar_features


def test_features_that_write_alike_by_hand():
    found = similar_features(np.array([[2, 0], [3, 4], [0, 5], [-1, 0], [0, 0]]), count=2)
    # Of lengths 1: (1, 0), (0.6, 0.8), (0, 1), (−1, 0); the last feature writes nothing and is like none.
    assert found.to_numpy().round(12).tolist() == [[0, 1, 1, 0.6], [1, 1, 2, 0.8], [1, 2, 0, 0.6], [2, 1, 1, 0.8]]


def test_features_that_are_on_together_by_hand():
    # Feature 1 is twice feature 0; feature 2 is on where they are off; 3 never, 4 always alike.
    x = np.array([[1, 2, 0, 0, 1], [0, 0, 3, 0, 1], [1, 2, 0, 0, 1], [0, 0, 1, 0, 1]], dtype=np.float32)
    found = coactive_features(sparse.csc_array(x))
    assert found[["feature", "rank", "neighbour"]].to_numpy().tolist() == [[0, 1, 1], [1, 1, 0]]
    np.testing.assert_allclose(found["similarity"], 1)


def test_similarity_is_pearsons():
    rng = np.random.default_rng(0)
    x = (rng.random((300, 12)) * (rng.random((300, 12)) < 0.3)).astype(np.float32)
    found = coactive_features(sparse.csc_array(x), count=11)
    expected = np.corrcoef(x.T)
    np.testing.assert_allclose(found["similarity"], expected[found["feature"], found["neighbour"]], atol=1e-9)
    assert len(found) == ((expected > 0).sum() - 12)
    assert (found.groupby("feature")["similarity"].diff().dropna() <= 0).all()


def test_what_is_mostly_on_is_no_neighbour_by_chance():
    """Two features that are on at nine steps of ten, apart from each other: cosine would call them alike."""
    rng = np.random.default_rng(1)
    x = (rng.random((5000, 3)) < np.array([0.9, 0.9, 0.1])).astype(np.float32)
    assert (coactive_features(sparse.csc_array(x))["similarity"] < 0.05).all()


@pytest.mark.parametrize("groups", [4, 12])
def test_the_map_keeps_groups_together(groups):
    """Ten directions near each of some random ones; with few features in all, by principal components."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(groups), 10)
    centres = np.eye(32)[:groups] if groups > 4 else np.array([[1, 0], [0, 1], [-1, 0], [0, -1]]) @ np.eye(2, 32)
    directions = (centres[group] + rng.normal(scale=0.02, size=(len(group), 32))) * rng.uniform(1, 9, (len(group), 1))
    assert (len(group) < FEW) == (groups == 4)
    places = direction_map(directions)
    distances = pairwise_distances(places)
    np.fill_diagonal(distances, np.inf)
    assert (group[distances.argmin(axis=1)] == group).all()
    assert np.abs(places).max() == pytest.approx(1)
    np.testing.assert_allclose(places.max(axis=0), -places.min(axis=0))
    np.testing.assert_array_equal(direction_map(2 * directions), places)  # the same again; only directions count


def test_a_handful_of_features_has_a_map():
    assert direction_map(np.array([[1.0], [-1.0], [1.0]])).tolist() == [[1, 0], [-1, 0], [1, 0]]


def test_the_tables_are_of_the_dictionarys_own_directions(stores, sae):
    directions, activations = sae.directions.numpy(), encode(stores["test"], sae)
    tables = neighbours(sae, activations)
    nearest = tables["neighbours"]
    parts = {"together": coactive_features(activations), "alike": similar_features(directions)}
    expected = pd.concat([part.assign(kind=kind) for kind, part in parts.items()])
    pd.testing.assert_frame_equal(nearest, expected[nearest.columns].reset_index(drop=True))
    np.testing.assert_array_equal(tables["map"][["x", "y"]], direction_map(directions))
    assert tables["map"]["feature"].tolist() == list(range(sae.n_features))
    assert (tables["map"]["family"] <= tables["map"]["feature"]).all()
    dead = np.diff(activations.indptr) == 0
    assert (tables["map"]["cluster"][dead] == -1).all()


def test_similar_features_have_the_largest_cosine():
    directions = np.array([[1, 0], [10, 1], [0, 1], [-1, 0], [1, 1.0]])
    assert nearest(cosines(directions), 3)[0].tolist() == [1, 4, 2]
    assert 0 not in nearest(cosines(directions), 3)[0]
