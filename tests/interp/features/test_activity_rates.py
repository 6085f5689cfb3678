"""Rates of activation in two periods: by hand, against a plain bootstrap, and on planted drift."""

import numpy as np
import pytest
from scipy import sparse, stats

from interp.features.activity_rates import rates
from recmodels.bootstrap import Resampling


def drawn(rng, users, rate, steps=20, between=0.3):
    """Steps of users with rates [f] of their own around a common one: bool [n, f] and int [n]."""
    own = np.clip(rate * rng.gamma(1 / between, between, (users, len(rate))), 0, 1)
    number = np.repeat(np.arange(users), steps)
    return sparse.csr_array(rng.random((len(number), len(rate))) < own[number]), number


def test_rates_and_changes_by_hand():
    before = sparse.csr_array(np.array([[1, 0], [1, 0], [0, 0], [0, 0]], dtype=bool))
    after = sparse.csr_array(np.array([[0, 0], [1, 0], [0, 0]], dtype=bool))
    table = rates((before, after), (np.array([0, 0, 1, 1]), np.array([1, 1, 2])))
    assert table["before"].tolist() == [0.5, 0]
    assert table["after"].tolist() == pytest.approx([1 / 3, 0])
    assert table["change"].tolist() == pytest.approx([-1 / 6, 0])
    assert table.loc[1, ["p", "q"]].tolist() == [1, 1]
    assert table["drift"].tolist() == ["", ""]


def test_intervals_are_those_of_a_plain_bootstrap_of_users():
    rng = np.random.default_rng(0)
    (early, first), (late, second) = drawn(rng, 30, np.array([0.3])), drawn(rng, 25, np.array([0.4]))
    second = second + 10  # twenty users are in both
    table = rates((early, late), (first, second), Resampling(resamples=4000)).loc[0]
    draws, early, late = [], early.toarray()[:, 0], late.toarray()[:, 0]
    for _ in range(4000):
        weights = np.bincount(rng.integers(0, 35, 35), minlength=35)
        parts = [np.average(values, weights=weights[users]) for values, users in ((early, first), (late, second))]
        draws.append(parts[1] - parts[0])
    expected = np.quantile(draws, [0.025, 0.975])
    np.testing.assert_allclose([table["change_low"], table["change_high"]], expected, atol=0.012)
    z = table["change"] / np.std(draws)
    assert table["p"] == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.03)


def test_planted_drift_is_found_and_nothing_else():
    rng = np.random.default_rng(1)
    rate = rng.uniform(0.05, 0.3, 60)
    later = rate.copy()
    later[0], later[1] = 0.6, 0.0
    early, late = drawn(rng, 150, rate), drawn(rng, 150, later)
    table = rates((early[0], late[0]), (early[1], late[1] + 150)).set_index("feature")
    assert table.loc[[0, 1], "drift"].tolist() == ["rises", "fades"]
    assert (table.loc[2:, "drift"] != "").sum() <= 3


def test_without_drift_p_values_are_uniform_although_steps_of_a_user_belong_together():
    rng = np.random.default_rng(2)
    early, late = drawn(rng, 80, np.full(400, 0.15)), drawn(rng, 80, np.full(400, 0.15))
    p = rates((early[0], late[0]), (early[1], late[1] + 80))["p"]
    assert 0.02 < (p < 0.05).mean() < 0.09
    # Steps taken for independent would find drift three times as often.
    both = [np.asarray(part.mean(axis=0)).ravel() for part in (early[0], late[0])]
    naive = (both[1] - both[0]) / np.sqrt(sum(rate * (1 - rate) / len(early[1]) for rate in both))
    assert (2 * stats.norm.sf(np.abs(naive)) < 0.05).mean() > 0.12
