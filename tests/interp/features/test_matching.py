"""Matches of features: by hand, against planted dictionaries, and what chance gives."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from interp.features.matching import (
    held_similarity,
    matches,
    percentile_of_match,
    written_similarity,
)
from interp.features.standard_blocks import correlations
from recmodels.moments import Levelled, correlation

NO_CHANCE = 0.1


def match(similarity, draws=199, alive=None):
    """Matches where chance always gives 0.1."""
    chance = [np.full((draws, size), NO_CHANCE) for size in similarity.shape]
    return matches(similarity, chance, alive or [np.ones(size, bool) for size in similarity.shape])


def test_kept_merged_split_went_and_came_by_hand():
    similarity = np.array(
        [
            [0.9, 0.5, 0.0, 0.0],  # old 0 and new 0 are each other's best
            [0.6, 0.0, 0.0, 0.0],  # old 1 is closest to new 0, which is closer to old 0
            [0.0, 0.0, 0.05, 0.0],  # below chance
        ]
    )
    table = match(similarity).set_index(["side", "feature"])
    changes = ["kept", "merged", "went", "kept", "split", "came", "came"]
    assert table["change"].tolist() == changes
    assert table["match"].tolist()[:6] == [0, 0, 2, 0, 0, 2]
    assert table["score"].tolist() == [0.9, 0.6, 0.05, 0.9, 0.5, 0.05, 0.0]
    # Four matches have p = 1/200, three 1: q = p · 7 / 4 for the four.
    assert table["p"].tolist() == [1 / 200, 1 / 200, 1, 1 / 200, 1 / 200, 1, 1]
    assert table["q"].iloc[0] == pytest.approx(7 / 4 / 200)
    assert table["chance"].tolist() == pytest.approx([NO_CHANCE] * 7)


def test_a_match_must_be_above_chance_for_both_features():
    similarity = np.array([[0.5]])
    low, high = np.full((199, 1), 0.1), np.full((199, 1), 0.6)
    alive = [np.ones(1, bool)] * 2
    for chance in ([low, high], [high, low]):
        table = matches(similarity, chance, alive)
        assert table["change"].tolist() == ["went", "came"]
        assert table["chance"].tolist() == pytest.approx([0.6, 0.6])
    half = np.where(np.arange(199) < 99, 0.6, 0.1)[:, None]
    assert matches(similarity, [low, half], alive)["p"].tolist() == [0.5, 0.5]


def test_a_feature_that_is_never_active_is_silent_and_costs_nothing():
    similarity = np.array([[0.9, 0.0], [0.0, 0.0]])
    alive = [np.array([True, False])] * 2
    table = match(similarity, alive=alive)
    assert table["change"].tolist() == ["kept", "silent", "kept", "silent"]
    assert table["q"].tolist()[0] == pytest.approx(1 / 200)  # corrected for two features, not for four
    assert table["q"].isna().tolist() == [False, True, False, True]


def planted(rng, n=1000, f=24):
    """Two dictionaries' activations on the same steps: new ones are old ones in another order, noisy and scaled.

    Of the old features, the last two are gone and 0 has split; of the new ones, two came.
    """
    old = rng.gamma(1, 1, (n, f)) * (rng.random((n, f)) < 0.1)
    order = rng.permutation(f - 2)
    new = old[:, order] * rng.uniform(0.5, 3, f - 2) + 0.05 * rng.gamma(1, 1, (n, f - 2))
    half = rng.random(n) < 0.35
    column = int(np.flatnonzero(order == 0)[0])
    part = np.where(half, new[:, column], 0)
    new[:, column] *= ~half
    came = rng.gamma(1, 1, (n, 2)) * (rng.random((n, 2)) < 0.1)
    return old, np.column_stack([new, part, came]), order


def test_planted_features_are_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    old, new, order = planted(rng)
    chance = []
    for _ in range(99):
        shuffled = correlations(old, new[rng.permutation(len(new))])
        chance.append((shuffled.max(axis=1), shuffled.max(axis=0)))
    alive = [np.ones(part.shape[1], bool) for part in (old, new)]
    table = matches(correlations(old, new), [np.array(part) for part in zip(*chance, strict=True)], alive)
    before, after = (table[table["side"] == side].set_index("feature") for side in ("old", "new"))
    assert before["change"].tolist() == ["kept"] * 22 + ["went"] * 2
    assert after["change"].tolist() == ["kept"] * 22 + ["split"] + ["came"] * 2
    assert after["match"].tolist()[:23] == [*order, 0]
    assert before["match"].tolist()[:22] == np.argsort(order).tolist()


def test_two_unrelated_dictionaries_hardly_match():
    rng, held = np.random.default_rng(1), 0
    for _ in range(5):
        old, new = (rng.gamma(1, 1, (300, 30)) * (rng.random((300, 30)) < 0.1) for _ in range(2))
        draws = [correlations(old, new[rng.permutation(300)]) for _ in range(99)]
        chance = [np.array([draw.max(axis=axis) for draw in draws]) for axis in (1, 0)]
        table = matches(correlations(old, new), chance, [np.ones(30, bool)] * 2)
        held += (~table["change"].isin(["went", "came"])).sum()
    assert held <= 3  # of 300; the false discovery rate is 5%


def test_what_features_write_is_compared_on_items_in_any_basis():
    rng = np.random.default_rng(2)
    old, new = rng.normal(size=(5, 8)), rng.normal(size=(6, 4))
    jacobians = rng.normal(size=(40, 8)), rng.normal(size=(40, 4))
    found = written_similarity((old, new), jacobians)
    expected = np.corrcoef(old @ jacobians[0].T, new @ jacobians[1].T)[:5, 5:]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]  # another basis of the hidden states, such as another seed has
    turned = written_similarity((old @ turn, old), (jacobians[0] @ turn, jacobians[0]))
    np.testing.assert_allclose(np.diag(turned), 1, atol=1e-12)
    assert (written_similarity((np.zeros((1, 8)), new), jacobians) == 0).all()


def test_items_that_features_hold_are_compared_by_means():
    rng = np.random.default_rng(3)
    items = rng.integers(0, 30, 400)
    items[:3] = 35  # an item of three steps
    old, new = (rng.gamma(1, 1, (400, f)) * (rng.random((400, f)) < 0.3) for f in (4, 5))
    found = held_similarity([sparse.csr_array(old), sparse.csr_array(new)], items)
    means = pd.DataFrame(np.column_stack([old, new])).groupby(items).mean()
    often = np.bincount(items)[means.index] >= 5
    expected = means[often].corr().to_numpy()[:4, 4:]
    assert not often.all()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_percentile_of_a_match_by_hand():
    similarity = np.array([[0.9, 0.1, 0.5], [0.2, 0.2, 0.2], [0.1, 0.5, 0.9]])
    np.testing.assert_allclose(percentile_of_match(similarity, np.array([0, 1, 1])), [1, 0.5, 0.5])
    assert np.isnan(percentile_of_match(similarity[:, :1], np.zeros(3, int))).all()


@pytest.mark.parametrize("density", [0.01, 0.5])
def test_sparse_and_dense_products_give_the_exact_correlation(density):
    rng = np.random.default_rng(4)
    x, y = (sparse.random_array((900, f), density=density, rng=rng, format="csc") for f in (70, 60))
    x = sparse.csc_array(sparse.hstack([x, np.zeros((900, 1)), np.full((900, 1), 3.0)]))
    exact = correlation(Levelled.of(x), Levelled.of(y))
    np.testing.assert_allclose(correlations(x, y), exact, atol=2e-6)
