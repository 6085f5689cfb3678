"""How much less one method costs than another, paired over users: by hand, and as a loop over resampled users."""

import numpy as np
import pandas as pd
import pytest

from interp.control.cost_intervals import (
    CANNOT_TELL,
    FAILS,
    HOLDS,
    PAIRS,
    Curve,
    cost_differences,
    level_costs,
    mean_costs,
    verdict,
)
from interp.control.equal_share import at_equal_share
from recmodels.bootstrap import Resampling, bootstrap_counts


def alike(share, ndcg, users=8):
    """A curve of users who are all alike."""
    return Curve(*(np.repeat(np.array(values)[:, None], users, axis=1) for values in (share, ndcg)))


def differences(curves, pairs, levels=(0.25, 0.75), plain=0.5, users=8):
    costs = level_costs(curves, levels, np.full(users, plain), Resampling(20))
    return cost_differences(costs, users, pairs).set_index(["method", "other", "times"])


def test_a_difference_by_hand():
    """At a quarter and three quarters boost has 0.45 and 0.35 left of 0.5, so −20% on average; set has 0.4 and 0.2."""
    curves = {"boost": alike([0.0, 1.0], [0.5, 0.3]), "set": alike([0.0, 0.5, 1.0], [0.5, 0.3, 0.1])}
    rows = differences(curves, [("set", "boost", 1.0), ("set", "boost", 2.0), ("set", "boost", 3.0)])
    assert rows["cost"].tolist() == pytest.approx([-0.4] * 3)
    assert rows["other_cost"].tolist() == pytest.approx([-0.2] * 3)
    assert rows["difference"].tolist() == pytest.approx([-0.2, 0, 0.2])
    # Users who are all alike leave nothing to chance.
    assert rows["low"].tolist() == pytest.approx([-0.2, 0, 0.2])
    assert rows["verdict"].tolist() == [FAILS, CANNOT_TELL, HOLDS]


def test_only_levels_that_both_reach_count():
    curves = {"boost": alike([0.0, 1.0], [0.5, 0.3]), "set": alike([0.0, 0.5], [0.5, 0.3])}
    row = differences(curves, [("set", "boost", 1.0)]).iloc[0]
    assert row["levels"] == 1
    assert row[["cost", "other_cost", "difference"]].tolist() == pytest.approx([-0.2, -0.1, -0.1])
    never = differences(curves, [("set", "boost", 1.0)], levels=(0.6, 0.75)).iloc[0]
    assert never["levels"] == 0
    assert never[["cost", "other_cost", "difference", "low", "high"]].isna().all()
    assert never["verdict"] == CANNOT_TELL


def test_a_difference_needs_no_cost_of_the_other_but_some_ndcg():
    gains = {"boost": alike([0.0, 1.0], [0.5, 0.6]), "set": alike([0.0, 1.0], [0.5, 0.7])}
    assert differences(gains, [("set", "boost", 1.0)])["difference"].tolist() == pytest.approx([0.1])
    # 1.3 times as much of a gain is not asked for.
    assert differences(gains, [("set", "boost", 1.3)])["difference"].tolist() == pytest.approx([0.1])
    assert np.isnan(mean_costs(level_costs(gains, [0.5], np.full(8, 0.5)))["ratio"]).all()
    assert differences(gains, [("set", "boost", 1.0)], plain=0.0)["difference"].isna().all()


def test_what_users_share_cancels():
    """Users differ a hundredfold, and all lose a tenth more by one method: each alone is unsure, the pair is not."""
    rng = np.random.default_rng(0)
    plain = 10 ** rng.uniform(-2, 0, 40)
    lost = rng.uniform(0.05, 0.9, 40)
    share = np.repeat([[0.0], [1.0]], 40, axis=1)
    curves = {
        name: Curve(share, np.stack([plain, plain * (1 - times * lost)]))
        for name, times in (("boost", 1), ("set", 1.1))
    }
    costs = level_costs(curves, [1.0], plain)
    alone = mean_costs(costs).set_index("method")
    assert alone.at["set", "cost_high"] > alone.at["boost", "cost"] > alone.at["set", "cost_low"]
    assert cost_differences(costs, 40, [("set", "boost", 1.0)])["verdict"].tolist() == [FAILS]
    assert cost_differences(costs, 40, [("set", "boost", 1.2)])["verdict"].tolist() == [HOLDS]


def test_intervals_are_those_of_users_drawn_one_sample_after_the_other():
    rng = np.random.default_rng(1)
    users, plain = 12, rng.uniform(0.3, 1, 12)
    curves = {
        name: Curve(np.sort(rng.uniform(0, 1, (5, users)), axis=0), rng.uniform(0, 1, (5, users))) for name in "ab"
    }
    curves["boost"] = Curve(np.linspace(0, 1, 5)[:, None] * np.ones(users), rng.uniform(0, 1, (5, users)))
    before, parts = 0.0, (0.4, 0.6)
    resampling = Resampling(15)

    def means(drawn):
        """The mean change of each method, from `at_equal_share` on the drawn users' rows."""
        rows = []
        for name, curve in curves.items():
            doses = [(value, curve.share[value, drawn].mean(), curve.ndcg[value, drawn].mean()) for value in range(5)]
            table = pd.DataFrame([(np.nan, before, plain[drawn].mean()), *doses], columns=["value", "share", "ndcg@10"])
            rows.append(table.assign(method=name, target="A"))
        found = at_equal_share(pd.concat(rows), parts=parts, reference="boost")
        return found.groupby("method")["change"].agg(lambda values: values.mean(skipna=False))

    counts = bootstrap_counts(users, resampling).astype(int)
    slow = [means(np.repeat(np.arange(users), count)) for count in counts]
    gaps = np.array([one["a"] - min(one["b"], 1.5 * one["b"]) for one in slow])
    costs = level_costs(curves, parts, plain, resampling)
    row = cost_differences(costs, users, [("a", "b", 1.5)]).iloc[0]
    assert row["difference"] == pytest.approx(means(np.arange(users)) @ pd.Series({"a": 1, "b": -1.5, "boost": 0}))
    assert [row["low"], row["high"]] == pytest.approx(np.nanquantile(gaps, [0.025, 0.975]))


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.01, 0.02, HOLDS),
        (0.0, 0.1, CANNOT_TELL),
        (0.0, 0.0, CANNOT_TELL),
        (1e-12, 1e-12, CANNOT_TELL),  # rounding
        (-0.1, 0.0, CANNOT_TELL),
        (-0.1, 0.1, CANNOT_TELL),
        (-0.2, -0.1, FAILS),
        (np.nan, np.nan, CANNOT_TELL),
    ],
)
def test_a_verdict_needs_an_interval_on_one_side(low, high, says):
    assert verdict(low, high, 6) == says
    assert verdict(low, high, 5) == CANNOT_TELL


def test_two_users_who_disagree_tell_nothing():
    share = np.array([[0.0, 0.0], [1.0, 1.0]])
    plain = np.array([0.5, 0.5])
    curves = {
        "boost": Curve(share, np.stack([plain, [0.1, 0.5]])),
        "set": Curve(share, np.stack([plain, [0.5, 0.1]])),
    }
    row = cost_differences(level_costs(curves, [1.0], plain), 2, [("set", "boost", 1.0)]).iloc[0]
    assert (row["difference"], row["verdict"]) == (pytest.approx(0), CANNOT_TELL)
    assert row["low"] < 0 < row["high"]


def test_every_pair_is_compared():
    curves = {name: alike([0.0, 1.0], [0.5, 0.3]) for name in {name for pair in PAIRS for name in pair[:2]}}
    rows = cost_differences(level_costs(curves, [0.5], np.full(8, 0.5), Resampling(5)), 8)
    assert list(rows[["method", "other", "times"]].itertuples(index=False, name=None)) == list(PAIRS)
    assert rows["verdict"].tolist() == [HOLDS if times > 1 else CANNOT_TELL for _, _, times in PAIRS]
