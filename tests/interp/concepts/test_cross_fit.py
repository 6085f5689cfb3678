"""Sums by item against correlations and AUC of rows: the fast path equals the slow one."""

import numpy as np
import pytest
from scipy import sparse

from interp.concepts.alignment import auc, correlation, sensitivity
from interp.concepts.cross_fit import Fit, ItemLabels
from interp.concepts.item_sums import active_sums, item_sums, rank_sums
from interp.concepts.resampling import cross_fitted_auc, resampled_correlations
from recmodels.bootstrap import Resampling, bootstrap_counts
from recmodels.errors import InputError

N, ITEMS = 600, 40


@pytest.fixture(scope="module", params=["sparse", "dense"])
def world(request):
    """Activations [n, 6] of which the last column is constant, items of rows, labels of items, two pairs of halves."""
    rng = np.random.default_rng(0)
    values = rng.random((N, 6)) * (rng.random((N, 6)) > 0.7)
    values[:, 5] = 0.0
    if request.param == "dense":
        values[:, :5] = rng.standard_normal((N, 5)) + 100.0
    items = rng.integers(0, ITEMS, N)
    items[:ITEMS] = np.arange(ITEMS)  # so that the order of items is 0, 1, …
    labels = rng.random((ITEMS, 3)) > 0.6
    halves = rng.random((2, ITEMS)) > 0.5
    return sparse.csc_array(values) if request.param == "sparse" else values, items, labels, halves


def test_correlations_equal_those_of_rows(world):
    values, items, labels, halves = world
    sums = item_sums(values, items)
    assert sums.items.tolist() == list(range(ITEMS))
    fit = ItemLabels(labels, halves).fit(sums)
    np.testing.assert_allclose(fit.whole.T, correlation(values, labels[items]), atol=1e-10)
    for repeat, first in enumerate(halves):
        for half, member in enumerate((first[items], ~first[items])):
            slow = correlation(sparse.csr_array(values)[member].tocsc(), labels[items][member])
            np.testing.assert_allclose(fit.halves[half, repeat].T, slow, atol=1e-10)


def test_an_order_gives_items_the_labels_of_others(world):
    values, items, labels, halves = world
    sums, order = item_sums(values, items), np.random.default_rng(1).permutation(ITEMS)
    fast = ItemLabels(labels, halves).fit(sums, order)
    slow = ItemLabels(labels[order], halves[:, order]).fit(sums)
    np.testing.assert_allclose(fast.whole, slow.whole, atol=1e-12)
    np.testing.assert_allclose(fast.halves, slow.halves, atol=1e-12)
    single = ItemLabels(labels, halves, np.float32).fit(item_sums(values, items, np.float32), order)
    np.testing.assert_allclose(single.halves, slow.halves, atol=1e-5)


def test_rank_sums_give_the_auc(world):
    values, items, labels, _ = world
    positives = labels[items].sum(axis=0)
    fast = 0.5 + rank_sums(values, items).T @ labels / (positives * (N - positives))
    np.testing.assert_allclose(fast, auc(values, labels[items]), atol=1e-12)


def test_active_sums_give_the_sensitivity(world):
    values, items, labels, _ = world
    fast = active_sums(values, items).T @ labels / labels[items].sum(axis=0)
    np.testing.assert_allclose(fast, sensitivity(values, labels[items]), atol=1e-12)


def test_choosing_on_one_half_and_measuring_on_the_other():
    # One repeat, one concept, two candidates: each half chooses the candidate that is large there.
    halves = np.array([[[[0.9, 0.1]]], [[[0.2, 0.4]]]])
    choices, values = Fit(np.zeros((1, 2)), halves).by_concept()
    assert choices.ravel().tolist() == [1, 0]  # the first half measures what the second chose
    assert values.tolist() == [pytest.approx((0.1 + 0.2) / 2)]
    other = Fit(np.zeros((1, 2)), halves[::-1])
    assert Fit(np.zeros((1, 2)), halves).by_concept(chosen_on=other)[1].tolist() == [pytest.approx((0.9 + 0.4) / 2)]
    two_concepts = np.array([[[[0.9], [0.1]]], [[[0.2], [0.4]]]])
    assert Fit(np.zeros((2, 1)), two_concepts).by_candidate()[1].tolist() == [pytest.approx((0.1 + 0.2) / 2)]


def test_resampling_everybody_once_changes_nothing(world):
    values, items, labels, halves = world
    fit = ItemLabels(labels, halves).fit(item_sums(values, items))
    choices, unseen = fit.by_concept()
    users = np.arange(N) % 25
    measured = (values, labels[items], halves[:, items], choices)
    same = resampled_correlations(*measured, users, np.ones((1, 25)))
    np.testing.assert_allclose(same[0], unseen, atol=1e-9)
    weights = bootstrap_counts(25, Resampling(3))
    assert (weights.sum(axis=1) == 25).all()
    rows = np.repeat(np.arange(N), weights[0].astype(int)[users])  # the slow way: repeat their rows
    repeated = (sparse.csr_array(values)[rows].tocsc(), labels[items][rows], halves[:, items][:, rows], choices)
    slow = resampled_correlations(*repeated, users[rows], np.ones((1, 25)))
    np.testing.assert_allclose(resampled_correlations(*measured, users, weights)[0], slow[0], atol=1e-9)


def test_the_auc_of_halves_is_that_of_their_rows(world):
    values, items, labels, halves = world
    choices = np.zeros((2, 2, 3), dtype=int)
    slow = []
    for first in halves[:, items]:
        for member in (first, ~first):
            column = sparse.csr_array(values)[member].tocsc()[:, [0]]
            slow.append(auc(column, labels[items][member])[0])
    np.testing.assert_allclose(
        cross_fitted_auc(values, labels[items], halves[:, items], choices), np.mean(slow, axis=0), atol=1e-12
    )


def test_other_rows_are_refused(world):
    values, items, *_ = world
    with pytest.raises(InputError, match="600 rows of activations but items of 10"):
        item_sums(values, items[:10])
