"""Goals of more than one concept, on the small recommender."""

import numpy as np
import pandas as pd
import pytest

from interp.concepts import concepts_of
from interp.control.least_collateral import LeastCollateral, learn_weights, share_of, store_histories
from interp.control.mix_doses import AtMost, at_most, find_mix_dose, goals_of, read_goals, single_share, together
from interp.model.envoys import RecommenderEnvoy
from recmodels.errors import InputError

MORE, LESS, K = "concept-02", "concept-05", 5


@pytest.fixture(scope="module")
def world(recommender, sae, stores, planted, histories):
    rec = RecommenderEnvoy(recommender, sae)
    concepts, ids = concepts_of(planted.items, "concepts"), recommender.vocabulary.ids
    labels = concepts.labels(ids)
    sets = {name: labels[:, concepts.index(name)] for name in (MORE, LESS)}
    weights = learn_weights(rec, store_histories(stores["sae"], rec), "blocks.0", sets)
    steers = {
        name: LeastCollateral(name, own.set_index("feature")["weight"], sets[name], "blocks.0", sae.fingerprint, {})
        for name, own in weights.groupby("concept", sort=False)
    }
    return rec, concepts, pd.Series(np.arange(1, len(ids) + 1), ids), steers, histories.select(np.arange(40))


def test_words_by_hand():
    assert read_goals(["Horror=0.3", "Drama<=0.2", "a=b=1"]) == {"Horror": 0.3, "Drama": AtMost(0.2), "a=b": 1.0}
    assert read_goals(["Horror>=0.3"]) == {"Horror": 0.3}
    for wrong in ("Horror", "Horror=", "=0.3", "<=0.3", ">=0.3"):
        with pytest.raises(InputError, match="cannot read the goal"):
            read_goals([wrong])
    with pytest.raises(InputError, match="two goals"):
        read_goals(["A=0.1", "A<=0.2"])
    assert single_share(["Horror", "0.3"]) == 0.3
    assert single_share(["Horror=0.3", "Drama<=0.2"]) is None
    assert single_share(["Horror=0.3", "Drama"]) is None  # of which `read_goals` says what is missing
    assert [str(goal) for goal in goals_of({"A": 0.1, "B": at_most(0.2)}, 5)] == [
        "at least 10% A in the top 5",
        "at most 20% B in the top 5",
    ]


def test_steers_add_up(world):
    *_, steers, _ = world
    both = together(list(steers.values()), [2.0, -0.5])
    expected = (2.0 * steers[MORE].weights).add(-0.5 * steers[LESS].weights, fill_value=0)
    assert {edit.feature: edit.value for edit in both.edits} == pytest.approx(expected.to_dict())


def test_all_goals_are_met_at_once(world):
    rec, concepts, popularity, steers, users = world
    plain = rec.rank(users.split_last()[0], K)
    was = {name: share_of(plain, steer.has).mean() for name, steer in steers.items()}
    goals = goals_of({MORE: was[MORE] + 0.2, LESS: at_most(was[LESS] / 2)}, K)
    dose = find_mix_dose(rec, goals, steers, concepts, popularity, users)
    assert dose.reached
    with rec.steer(dose.steer):
        lists = rec.rank(users.split_last()[0], K)
    after = [share_of(lists, steers[name].has).mean() for name in (MORE, LESS)]
    np.testing.assert_allclose(dose.goals["after"], after)
    assert after[0] >= was[MORE] + 0.2 - 1e-9
    assert after[1] <= was[LESS] / 2 + 1e-9
    assert set(dose.receipt.shares.loc[dose.receipt.shares["target"], "concept"]) == {MORE, LESS}
    assert "at most" in repr(dose)


def test_nothing_is_done_where_all_is_there(world):
    rec, concepts, popularity, steers, users = world
    dose = find_mix_dose(rec, goals_of({MORE: 0.001, LESS: at_most(1.0)}, K), steers, concepts, popularity, users)
    assert dose.reached
    assert dose.steer.empty
    assert dose.receipt.moved.empty


def test_goals_out_of_reach_leave_no_more_to_be_desired_than_nothing(world):
    rec, concepts, popularity, steers, users = world
    rows = find_mix_dose(rec, goals_of({MORE: 0.9, LESS: 0.9}, K), steers, concepts, popularity, users).goals
    missed = [(rows["asked"] - rows[when]).clip(lower=0).sum() for when in ("before", "after")]
    assert not rows["reached"].all()
    assert missed[1] < missed[0]
