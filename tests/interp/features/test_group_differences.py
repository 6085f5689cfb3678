"""Two groups of users: values by hand, and how often chance alone passes."""

import numpy as np
import pytest

from interp.features.group_differences import corrected, differences
from recmodels.bootstrap import Resampling


def test_means_differences_and_p_by_hand():
    a, b = np.array([[0.2, 0.0], [0.4, 0.0], [0.6, 0.0]]), np.array([[0.1, 0.0], [0.3, 0.0]])
    table = differences(a, b)
    assert table["a"].tolist() == pytest.approx([0.4, 0])
    assert table["b"].tolist() == pytest.approx([0.2, 0])
    assert table["difference"].tolist() == pytest.approx([0.2, 0])
    # Of the 10 ways to draw three of these five users, four differ by 0.2 or more: the actual one, {0.4, 0.6, 0.3}
    # (0.283), {0.2, 0.1, 0.3} (-0.3) and {0.2, 0.4, 0.1} (-0.217).
    assert table["p"][0] == pytest.approx(4 / 10, abs=0.02)
    # The second measure is 0 for everybody: no test, so the first is the only one.
    assert table["p"][1] == table["q"][1] == 1
    assert table["q"][0] == pytest.approx(table["p"][0])


def test_an_interval_is_that_of_resampled_means_within_each_group():
    # Of two users with 0 and 1, a resampled mean is 0, ½ or 1 with chances ¼, ½, ¼; the other group is constant.
    table = differences(np.array([[0.0], [1.0]]), np.full((3, 1), 0.25), Resampling(2000))
    assert (table["a_low"][0], table["a_high"][0]) == (0, 1)
    assert (table["b_low"][0], table["b_high"][0]) == (0.25, 0.25)
    assert (table["difference_low"][0], table["difference_high"][0]) == (-0.25, 0.75)


def test_groups_without_spread_that_differ_are_told_apart():
    # One way in C(7, 3) = 35 to draw them.
    assert differences(np.ones((3, 1)), np.zeros((4, 1)))["q"][0] == pytest.approx(1 / 35, abs=0.01)


def test_q_counts_only_what_was_tested():
    assert corrected(np.array([0.01, 0.5, 0.04]), np.array([True, False, True])).tolist() == pytest.approx(
        [0.02, 1, 0.04]
    )
    assert corrected(np.array([0.01]), np.array([False])).tolist() == [1]


@pytest.mark.parametrize("sizes", [(5, 40), (20, 20)])
def test_chance_alone_rarely_passes(sizes):
    """Skewed rates, as of features that few users have, in groups drawn at random."""
    rng, wrong = np.random.default_rng(0), 0
    for seed in range(50):
        values = rng.beta(0.3, 2.0, (sum(sizes), 30)) * (rng.random((sum(sizes), 30)) < 0.2)
        table = differences(values[: sizes[0]], values[sizes[0] :], Resampling(2, seed=seed), permutations=999)
        wrong += bool((table["q"] <= 0.05).any())
    assert wrong <= 8  # 2.5 are expected at most, more than 8 in one run of a thousand
