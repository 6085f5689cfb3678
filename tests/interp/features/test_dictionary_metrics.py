"""Redundancy, stability over seeds, absorption and selective ablation, worked out by hand."""

import numpy as np
import pytest
from scipy.special import expit

from interp.features.ablation import ablation_drops
from interp.features.absorption import absorption_rate
from interp.features.matching import matched_similarity
from interp.features.redundancy import dead_share, dense_share, duplicate_share


def test_dead_dense_and_duplicates_by_hand():
    density = np.array([0, 0, 0.1, 0.2, 1])
    assert (dead_share(density), dense_share(density)) == (0.4, 0.4)
    similarity = np.array([[1, 0.95, 0.1], [0.95, 1, -0.95], [0.1, -0.95, 1]])
    assert duplicate_share(similarity) == pytest.approx(2 / 3)  # an opposite is no duplicate
    assert duplicate_share(similarity, 0.96) == 0
    assert np.isnan(duplicate_share(np.zeros((0, 0))))


def test_the_best_matching_is_not_the_greedy_one():
    """Greedy takes 0.9 and leaves 0.1, 0.5 a feature; the other pairs have 0.8 each."""
    assert matched_similarity(np.array([[0.9, 0.8], [0.8, 0.1]])) == pytest.approx(0.8)


def test_stability_does_not_depend_on_the_order_of_features():
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    assert matched_similarity(directions @ directions[[3, 1, 5, 0, 2, 4]].T) == pytest.approx(1)
    assert matched_similarity(np.eye(3)[:2]) == pytest.approx(2 / 3)  # one is without a partner
    assert np.isnan(matched_similarity(np.zeros((0, 4))))


def test_absorption_by_hand():
    """Feature 0 is the parent's; 1 writes the parent's direction too; 2 writes something else."""
    along = np.array([1.0, 0.5, 0.0])
    activations = np.array(
        [
            [1, 0, 3],  # the parent's feature speaks
            [0, 2, 0],  # absorbed
            [0, 0, 2],  # nothing writes it
            [0, 2, 0],  # as the second, but the probe is wrong
        ],
        dtype=float,
    )
    correct = np.array([True, True, True, False])
    assert absorption_rate(activations, np.array([0]), along, correct) == pytest.approx(1 / 3)
    assert absorption_rate(activations, np.array([0, 1]), along, correct) == 0
    assert np.isnan(absorption_rate(activations, np.array([0]), along, np.zeros(4, bool)))


def test_many_small_parts_are_no_absorption():
    """Three features write a third each, and SAEBench asks for two fifths of one."""
    activations, along = np.array([[0, 1, 1, 1.0]]), np.array([1, 1, 1, 1.0])
    assert absorption_rate(activations, np.array([0]), along, np.array([True])) == 0
    assert absorption_rate(activations, np.array([0]), along, np.array([True]), part=0.33) == 1


def test_ablation_drops_by_hand():
    """Two neurons, each with a concept and a probe of its own; the first concept's feature writes the first neuron."""
    labels = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], dtype=bool)
    hidden = np.where(labels, 2.0, -2.0)
    weights = np.eye(2)
    written = [np.column_stack([hidden[:, 0], np.zeros(4)]), np.zeros((4, 2))]
    own, others = ablation_drops(hidden @ weights.T, labels, written, weights)
    np.testing.assert_allclose(own, [1, 0])  # without it, the probe says the same of all
    np.testing.assert_allclose(others, [0, 0])


def test_ablation_drops_are_differences_of_correlations():
    rng = np.random.default_rng(0)
    decisions, labels, weights = rng.normal(size=(50, 3)), rng.random((50, 3)) < 0.5, rng.normal(size=(3, 4))
    written = [rng.normal(size=(50, 4)) for _ in range(3)]
    own, others = ablation_drops(decisions, labels, written, weights)

    def scores(values):
        return np.array([np.corrcoef(expit(values[:, c]), labels[:, c])[0, 1] for c in range(3)])

    for concept, change in enumerate(written):
        drop = scores(decisions) - scores(decisions - change @ weights.T)
        assert own[concept] == pytest.approx(drop[concept])
        assert others[concept] == pytest.approx(np.delete(drop, concept).mean())
    assert np.isnan(ablation_drops(decisions[:, :1], labels[:, :1], written[:1], weights[:1])[1]).all()
