"""An amount for each user, and what methods cost beside re-ranking: worked out by hand, and against all choices."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from interp.control.cost_intervals import Curve, level_costs, mean_costs
from interp.control.equal_share import at_equal_share
from interp.control.user_amounts import PRICES, amounts_by_price, price_for
from recmodels.bootstrap import Resampling

# Two users, three amounts. The second user pays a tenth of what the first pays for the same share.
EXPECTED = np.array([[1.0, 0.5], [0.8, 0.48], [0.5, 0.45]])
SHARE = np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]])


def test_who_pays_least_gets_more_first():
    places = amounts_by_price(EXPECTED, SHARE, np.array([0.0, 0.03, 0.05, 0.1, 0.5, 1.0]))
    assert places[:, 1].tolist() == [0, 0, 1, 2, 2, 2]  # 0.02 for the first half, 0.03 for the second
    assert places[:, 0].tolist() == [0, 0, 0, 0, 1, 2]  # 0.2 and 0.3 for a half


def test_no_choice_of_amounts_is_cheaper_at_the_same_share():
    rng = np.random.default_rng(0)
    share = np.sort(rng.uniform(0, 1, (4, 5)), axis=0)
    expected = -np.sort(-rng.uniform(0, 1, (4, 5)), axis=0)
    users = np.arange(5)
    choices = [np.array(choice) for choice in product(range(4), repeat=5)]
    totals = np.array([(share[choice, users].mean(), expected[choice, users].mean()) for choice in choices])
    means = []
    for place in amounts_by_price(expected, share, np.array(PRICES)):
        mean_share, mean_expected = share[place, users].mean(), expected[place, users].mean()
        assert totals[totals[:, 0] >= mean_share - 1e-12, 1].max() <= mean_expected + 1e-12
        means.append(mean_share)
    assert (np.diff(means) >= -1e-12).all()


def test_a_price_for_a_share():
    price, place = price_for(EXPECTED, SHARE, 0.5)
    assert place.tolist() == [0, 2]
    assert price == pytest.approx(0.06, abs=1e-3)  # the second user's second half costs 0.03 for 0.5
    assert price_for(EXPECTED, SHARE, 0.0)[1].tolist() == [0, 0]
    price, place = price_for(EXPECTED[:2], SHARE[:2], 0.8)
    assert np.isinf(price)
    assert place.tolist() == [1, 1]


def curve(share, ndcg):
    """A curve of four users who are all alike."""
    return Curve(np.repeat(np.array(share)[:, None], 4, axis=1), np.repeat(np.array(ndcg)[:, None], 4, axis=1))


def test_costs_by_hand():
    curves = {"boost": curve([0.0, 1.0], [0.5, 0.3]), "least": curve([0.0, 0.5, 1.0], [0.5, 0.3, 0.1])}
    rows = mean_costs(level_costs(curves, [0.25, 0.75], np.full(4, 0.5), Resampling(20))).set_index("method")
    assert rows.loc["boost", ["cost", "ratio"]].tolist() == pytest.approx([-0.2, 1])
    assert rows.loc["least", ["cost", "ratio"]].tolist() == pytest.approx([-0.4, 2])
    # Users who are all alike leave nothing to chance.
    assert rows.loc["least", ["ratio_low", "ratio_high"]].tolist() == pytest.approx([2, 2])


def test_costs_that_are_not_reached():
    curves = {"boost": curve([0.0, 1.0], [0.5, 0.3]), "least": curve([0.0, 0.5], [0.5, 0.4])}
    rows = mean_costs(level_costs(curves, [0.25, 0.75], np.full(4, 0.5), Resampling(20))).set_index("method")
    assert rows.loc["least"].isna().all()
    free = {"boost": curve([0.0, 1.0], [0.5, 0.5])}
    rows = mean_costs(level_costs(free, [0.5], np.full(4, 0.5), Resampling(20))).set_index("method")
    assert (rows.at["boost", "cost"], np.isnan(rows.at["boost", "ratio"])) == (0, True)


def test_costs_are_those_at_equal_share():
    rng = np.random.default_rng(0)
    curves = {
        name: Curve(np.sort(rng.uniform(0, 1, (6, 30)), axis=0), rng.uniform(0, 1, (6, 30)))
        for name in ("boost", "replace")
    }
    plain = rng.uniform(0, 1, 30)
    before = 0.02
    parts = [
        pd.DataFrame({"value": [np.nan, *range(6)], "share": [before, *x.share.mean(axis=1)]}).assign(
            **{"ndcg@10": [plain.mean(), *x.ndcg.mean(axis=1)], "method": name, "target": "A"}
        )
        for name, x in curves.items()
    ]
    slow = at_equal_share(pd.concat(parts), parts=(0.4, 0.6, 0.8))
    levels = slow["share"].unique()
    fast = mean_costs(level_costs(curves, levels, plain, Resampling(50))).set_index("method")
    for method, rows in slow.groupby("method"):
        assert fast.at[method, "cost"] == pytest.approx(rows["change"].mean())
    assert (fast["cost_low"] <= fast["cost"]).all()
    assert (fast["cost"] <= fast["cost_high"]).all()
