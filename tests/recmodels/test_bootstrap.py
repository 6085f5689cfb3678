"""What an interval tells, and how many users it takes to say so."""

import numpy as np
import pytest

from recmodels.bootstrap import FEWEST, Resampling, bootstrap_counts, is_above_zero, percentile_interval


@pytest.mark.parametrize(
    ("low", "high", "tells"),
    [
        (0.1, 0.2, True),
        (-0.2, -0.1, False),
        (-0.1, 0.1, None),
        (0.0, 0.1, None),
        (-0.1, 0.0, None),
        (np.nan, np.nan, None),
    ],
)
def test_an_interval_tells_a_side_unless_0_is_in_it(low, high, tells):
    assert is_above_zero(low, high, FEWEST) is tells
    assert is_above_zero(low, high, FEWEST - 1) is None


def test_users_who_differ_by_nothing_but_chance_seldom_tell_anything():
    """Signs by the toss of a coin: two users agree half of the time, and their interval then leaves out 0."""
    rng = np.random.default_rng(0)

    def false_alarms(users):
        weights = bootstrap_counts(users, Resampling(200)) / users
        worlds = rng.choice([-1.0, 1.0], (users, 400))
        bounds = zip(*percentile_interval(weights @ worlds), strict=True)
        return np.mean([is_above_zero(low, high, max(users, FEWEST)) is not None for low, high in bounds])

    assert false_alarms(2) == pytest.approx(0.5, abs=0.08)
    assert false_alarms(FEWEST - 1) > 0.05 > false_alarms(FEWEST) - 0.02
