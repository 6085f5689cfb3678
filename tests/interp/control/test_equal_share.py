"""Quality at equal share: on curves worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from interp.control.equal_share import at_equal_share


def sweep(method, doses, target="A", plain=(0.1, 0.2)):
    """Rows of a method: the unsteered model's share and NDCG, then (value, share, NDCG) of each dose."""
    rows = [(np.nan, *plain), *doses]
    table = pd.DataFrame(rows, columns=["value", "share", "ndcg@10"])
    return table.assign(method=method, target=target, feature=3)


# Its largest share is 0.5, so that the levels of parts 0.25, 0.5 and 1 are 0.2, 0.3 and 0.5.
REPLACE = sweep("replace", [(2.0, 0.5, 0.05), (0.0, 0.1, 0.18), (1.0, 0.3, 0.10), (-1.0, 0.9, 0.2)])


def read(*sweeps, parts=(0.25, 0.5, 1.0)):
    table = at_equal_share(pd.concat(sweeps), parts=parts)
    return table.set_index(["target", "method", "part"]).sort_index()


def test_levels_are_parts_of_the_references_rise_above_0():
    found = read(REPLACE)
    np.testing.assert_allclose(found["share"], [0.2, 0.3, 0.5])  # the share 0.9 is of a negative value
    np.testing.assert_allclose(found["value"], [0.5, 1.0, 2.0])
    np.testing.assert_allclose(found["ndcg@10"], [0.14, 0.10, 0.05])
    np.testing.assert_allclose(found["change"], [-0.3, -0.5, -0.75])


def test_a_curve_is_read_where_it_first_gets_there():
    """Not where it is best: it has share 0.3 again, with a better NDCG, at value 4."""
    bent = sweep("set", [(1.0, 0.2, 0.16), (2.0, 0.4, 0.12), (3.0, 0.2, 0.19), (4.0, 0.3, 0.20)])
    found = read(REPLACE, bent).loc[("A", "set")]
    np.testing.assert_allclose(found["value"], [1.0, 1.5, np.nan])
    np.testing.assert_allclose(found["ndcg@10"], [0.16, 0.14, np.nan])
    np.testing.assert_allclose(found["change"], [-0.2, -0.3, np.nan])


def test_a_smallest_value_that_is_already_there_counts_as_it_is():
    found = read(REPLACE, sweep("boost", [(3.0, 0.45, 0.15), (-5.0, 0.0, 0.2)])).loc[("A", "boost")]
    np.testing.assert_allclose(found["value"], [3.0, 3.0, np.nan])
    np.testing.assert_allclose(found["ndcg@10"], [0.15, 0.15, np.nan])


def test_an_interpolated_point_is_what_users_have_who_get_either_dose_by_lot():
    """Means over users are linear in who gets what: half of them at each dose are midway in share and in quality."""
    rng = np.random.default_rng(0)
    share, quality = rng.uniform(0.2, 0.3, (2, 1000)), rng.uniform(0, 1, (2, 1000))
    share[1] += 0.2
    doses = [(value, share[value].mean(), quality[value].mean()) for value in (0, 1)]
    level = np.where(np.arange(2000) % 2, share[1].repeat(2), share[0].repeat(2)).mean()
    part = (level - 0.1) / (doses[1][1] - 0.1)
    found = read(sweep("replace", doses), parts=(part,)).iloc[0]
    assert found["value"] == pytest.approx(0.5)
    assert found["ndcg@10"] == pytest.approx(np.concatenate(quality).mean())


def test_targets_that_the_reference_does_not_turn_up_have_no_levels():
    flat = sweep("replace", [(0.0, 0.1, 0.2), (1.0, 0.1, 0.1)], target="B")
    found = read(REPLACE, flat, sweep("set", [(1.0, 0.9, 0.1)], target="B"))
    assert found.loc["B"][["share", "value", "ndcg@10", "change"]].isna().all(axis=None)
    assert found.loc[("A", "set")]["ndcg@10"].isna().all()  # was not run
    assert len(found) == 2 * 2 * 3


def test_there_is_no_change_of_nothing():
    nothing = sweep("replace", [(1.0, 0.5, 0.0)], plain=(0.1, 0.0))
    found = read(nothing)
    assert found["change"].isna().all()
    assert (found["ndcg@10"] == 0).all()


def test_only_negative_values_reach_nothing():
    assert read(sweep("replace", [(-2.0, 0.5, 0.1), (-1.0, 0.2, 0.1)]))["value"].isna().all()
