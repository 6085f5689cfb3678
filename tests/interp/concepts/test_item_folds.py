"""Halves and permutations of items, counted by hand."""

import numpy as np

from interp.concepts.item_folds import item_halves, permutations, popularity_deciles


def test_deciles_by_hand():
    count = np.array([5, 1, 9, 3, 7, 2, 8, 4, 6, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110])
    assert popularity_deciles(count).tolist() == [2, 0, 4, 1, 3, 0, 3, 1, 2, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]
    assert popularity_deciles(np.array([3, 1])).tolist() == [5, 0]


def test_halves_share_every_concept_and_popularity():
    # Sorted by rarest concept (b before a) and decile: pairs are (0, 1), (2, 3), (4, 5), (6, 7).
    labels = np.array([[1, 1], [1, 1], [1, 0], [1, 0], [1, 0], [1, 0], [0, 0], [0, 0]], dtype=bool)
    deciles = np.array([0, 1, 0, 1, 5, 6, 2, 3])
    halves = item_halves(labels, deciles, 50, np.random.default_rng(0))
    assert halves.shape == (50, 8)
    for one, other in ((0, 1), (2, 3), (4, 5), (6, 7)):
        assert (halves[:, one] != halves[:, other]).all()
        assert 0 < halves[:, one].sum() < 50  # by the toss of a coin


def test_an_odd_item_is_in_either_half():
    halves = item_halves(np.ones((3, 1), dtype=bool), np.zeros(3, dtype=int), 20, np.random.default_rng(0))
    assert set(halves.sum(axis=1).tolist()) == {1, 2}


def test_permutations_stay_within_a_decile():
    deciles = np.array([0, 1, 0, 1, 0, 2])
    orders = list(permutations(deciles, 30, np.random.default_rng(0)))
    assert len(orders) == 30
    for order in orders:
        assert sorted(order.tolist()) == list(range(6))
        assert (deciles[order] == deciles).all()
    assert len({tuple(order) for order in orders}) > 5
