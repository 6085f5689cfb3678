"""Lists that follow the users' own past, on the small recommender of planted data."""

import numpy as np
import pandas as pd
import pytest

from interp.concepts import concepts_of
from interp.control.calibration import concept_weights, list_mix, miscalibration, past_mix
from interp.control.least_collateral import LeastCollateral, learn_weights, store_histories
from interp.control.mix_trials import MixTrials
from interp.control.own_mix import calibrate
from interp.control.steered_lists import steered_lists
from interp.model.envoys import RecommenderEnvoy
from recmodels.errors import InputError

K = 5


@pytest.fixture(scope="module")
def world(recommender, sae, stores, planted, histories):
    rec = RecommenderEnvoy(recommender, sae)
    concepts, ids = concepts_of(planted.items, "concepts"), recommender.vocabulary.ids
    labels = concepts.labels(ids)
    sets = {name: labels[:, place] for place, name in enumerate(concepts.names)}
    weights = learn_weights(rec, store_histories(stores["sae"], rec), "blocks.0", sets, n=6)
    steers = {
        name: LeastCollateral(name, own.set_index("feature")["weight"], sets[name], "blocks.0", sae.fingerprint, {})
        for name, own in weights.groupby("concept", sort=False)
    }
    return rec, steers, concepts, pd.Series(np.arange(1, len(ids) + 1), ids), histories.select(np.arange(40))


@pytest.fixture(scope="module")
def calibration(world):
    return calibrate(*world, by=0.2, k=K)


def test_lists_follow_the_past_as_the_answer_says(world, calibration):
    rec, _, concepts, _, users = world
    inputs, _ = users.split_last()
    weights = concept_weights(concepts.labels(rec.recommender.vocabulary.ids))
    past = past_mix(inputs, weights)
    with rec.steer(calibration.steer):
        steered = rec.rank(inputs, K)
    np.testing.assert_array_equal(steered, steered_lists(rec, inputs, [calibration.steer], K)[0])
    for lists, column in ((rec.rank(inputs, K), "before"), (steered, "after")):
        np.testing.assert_allclose(calibration.users[column], miscalibration(past, list_mix(lists, weights)))
    means = calibration.users[["before", "after"]].mean()
    assert calibration.reached
    assert means["after"] <= 0.8 * means["before"]
    row = calibration.miscalibration.iloc[0]
    assert row[["before", "after"]].tolist() == pytest.approx(means.tolist())
    assert row["change_high"] < 0
    assert (calibration.users["after"] <= calibration.users["before"] + 1e-9).all()
    assert "of them steered" in repr(calibration)
    assert "miscalibration" in calibration._repr_html_()


def test_users_who_need_nothing_are_left_alone(world, calibration):
    still = calibration.users["n_concepts"] == 0
    assert 0 < still.sum() < len(still)
    assert calibration.steer.users == set(calibration.users.loc[~still, "user"])
    turned = (calibration.amounts != 0).sum(axis=1)
    assert turned.tolist() == calibration.users["n_concepts"].tolist()
    assert calibration.receipt.n_users == len(still)


def test_who_pays_least_goes_furthest():
    nothing = np.zeros((3, 2, 1))
    far = np.array([[1.0, 1.0], [0.5, 0.5], [0.0, 0.0]])
    expected = np.array([[1.0, 0.5], [0.8, 0.48], [0.5, 0.45]])  # the second user pays a tenth
    trials = MixTrials(nothing, nothing.astype(int), far, expected)
    assert trials.closest(0.5).tolist() == [0, 2]
    assert trials.closest(0.75).tolist() == [1, 2]
    assert trials.closest(1.0).tolist() == [2, 2]


def test_out_of_reach_is_said(world):
    far = calibrate(*world, by=1.0, k=K)
    assert not far.reached
    assert "out of reach: 100% less" in far.answer
    assert far.users["after"].mean() < far.users["before"].mean()


def test_what_makes_no_sense(world):
    rec, steers, concepts, popularity, users = world
    for wrong in (0, 1.5, "half", True, float("nan")):
        with pytest.raises(InputError, match="the part of the miscalibration that is to go"):
            calibrate(*world, by=wrong)
    with pytest.raises(InputError, match="one for each user"):
        calibrate(rec, steers, concepts, popularity, users.select(np.array([0, 0])))
    with pytest.raises(InputError, match="no concepts to turn"):
        calibrate(rec, {}, concepts, popularity, users)
