"""Other ways to turn concepts up: directions worked out by hand, boosts against a plain re-ranking, whole tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import encode
from interp.analyses.equal_share.tables import equal_share
from interp.analyses.other_methods.tables import BOOSTS, SEEDS, other_methods
from interp.concepts import concepts_of
from interp.concepts.alignment import align
from interp.control.baselines import (
    RAISED,
    Raise,
    baseline_points,
    boosted_lists,
    mean_difference,
    neuron_direction,
    random_direction,
)
from interp.control.equal_share import at_equal_share
from interp.control.least_collateral import AMOUNTS
from interp.control.sweeps import direction_points, measure_points, set_points, sweep, unit
from interp.control.user_amounts import PRICES
from interp.features.probes import fit_probes
from interp.model.envoys import RecommenderEnvoy
from interp.plots.cost_plots import METHODS
from interp.steering.edits import Push, Steer

VALUES = [0.0, 3.0, 6.0]


@pytest.fixture(scope="module")
def concepts(planted):
    return concepts_of(planted.items, "concepts")


@pytest.fixture(scope="module")
def targets(stores, concepts):
    """Two concepts, with their best neurons of either sign, as in the table `concepts`."""
    store = stores["test"]
    x = np.asarray(store.activations, dtype=np.float64)
    top = align(x, concepts.labels(store.rows["item"]), concepts.names).top()
    top = top.rename(columns={"abs_feature": "abs_neuron", "abs_correlation": "neuron_abs_correlation"})
    return top[["concept", "abs_neuron", "neuron_abs_correlation"]].head(2).assign(feature=(5, 11))


def test_mean_difference_by_hand():
    x = np.float32([[1, 0], [3, 2], [0, 10], [0, 20], [0, 30]])
    store = ActivationStore(None, x, None, "blocks.0", "someone", 0.0, 1.0)
    # (2, 1) − (0, 20)
    assert mean_difference(store, np.array([True, True, False, False, False])).tolist() == [2.0, -19.0]


def test_neurons_and_random_directions():
    assert neuron_direction(4, 2, 0.3).tolist() == [0, 0, 1, 0]
    assert neuron_direction(4, 2, -0.3).tolist() == [0, 0, -1, 0]
    assert torch.equal(random_direction(64, 1), random_direction(64, 1))
    assert abs(torch.cosine_similarity(random_direction(64, 1), random_direction(64, 2), dim=0)) < 0.5


def test_doses_are_unit_directions_that_mean_more_of_the_concept(stores, concepts, targets):
    store = stores["sae"]
    doses = baseline_points(store, concepts, targets, [2.0])
    assert [(dose.method, dose.target) for dose in doses] == [
        (method, target) for target in targets["concept"] for method in ("mean_difference", "neuron")
    ]
    labels = concepts.labels(store.rows["item"])
    for dose in doses:
        (push,) = dose.steer.edits
        assert (push.factor, dose.steer.site) == (2.0, store.site)
        assert push.direction.norm().item() == pytest.approx(store.std, rel=1e-5)
        has = labels[:, concepts.index(dose.target)]
        along = np.asarray(store.activations) @ push.direction.numpy()
        assert along[has].mean() > along[~has].mean()
    assert [dose.feature for dose in doses[1::2]] == targets["abs_neuron"].tolist()


def test_a_neuron_that_means_less_is_turned_down(stores, concepts, targets):
    turned = targets.assign(neuron_abs_correlation=-targets["neuron_abs_correlation"])
    one, other = (
        [dose.steer.edits[0].direction for dose in baseline_points(stores["sae"], concepts, table, [1.0])]
        for table in (targets, turned)
    )
    assert torch.equal(one[0], other[0])  # a mean difference knows by itself
    assert torch.equal(one[1], -other[1])


def test_a_concept_that_no_row_has_gets_no_mean_difference(stores, concepts, targets):
    name = targets["concept"].iloc[0]
    matrix = concepts.matrix.copy()
    matrix[:, concepts.index(name)] = False
    doses = baseline_points(stores["sae"], replace(concepts, matrix=matrix), targets, [1.0])
    assert [dose.method for dose in doses if dose.target == name] == ["neuron"]


def test_boosts_are_a_plain_reranking(rec, histories, concepts, monkeypatch):
    monkeypatch.setattr("interp.control.baselines.USERS", 7)
    few, boosts = histories.select(np.arange(20)), [-1.5, 0.0, 0.4]
    has = concepts.labels(rec.recommender.vocabulary.ids)[:, 2]
    _, lists = boosted_lists(rec, few, [Raise(~has, [1.0], 8), Raise(has, boosts)], k=5)
    scores = rec.score(few).numpy().astype(np.float64)
    for boost, found in zip(boosts, lists, strict=True):
        for user, row in enumerate(scores):
            raised = row + boost * row.std(ddof=1) * has
            raised[few.select([user]).codes] = -np.inf
            assert found[user].tolist() == np.argsort(-raised)[:5].tolist()
    np.testing.assert_array_equal(lists[1], rec.rank(few, 5))


def test_boosts_of_few_candidates_reorder_only_these(rec, histories, concepts):
    few = histories.select(np.arange(20))
    has = concepts.labels(rec.recommender.vocabulary.ids)[:, 2]
    raises = [Raise(has, [0.0, 50.0]), Raise(has, [0.0, 50.0], candidates=8)]
    wide, (all_of_it, lists) = rec.rank(few, 8), boosted_lists(rec, few, raises, k=5)
    np.testing.assert_array_equal(lists[0], all_of_it[0])
    for user in range(20):
        own, others = (wide[user][has[wide[user]] == wanted] for wanted in (True, False))
        assert lists[1, user].tolist() == [*own, *others][:5]
    assert has[lists[1]].mean() < has[all_of_it[1]].mean()


@pytest.fixture(scope="module")
def some(histories):
    return histories.select(np.arange(20))


@pytest.fixture(scope="module")
def swept(recommender, sae, stores, some, concepts, targets):
    """The recommender, the table `steering`, and what is made of it."""
    rec = RecommenderEnvoy(recommender, sae)
    chosen = dict(zip(targets["concept"], (5, 11), strict=True))
    probes = fit_probes(stores["sae"], concepts)
    doses = [*set_points(sae, chosen, VALUES), *direction_points(sae, probes, chosen, VALUES)]
    steering, _ = sweep(rec, some, doses, concepts)
    names, store = tuple(targets["concept"]), stores["sae"]
    made = other_methods(rec, some, names, targets, concepts, VALUES, store, encode(store, sae))
    return rec, steering, made | equal_share(steering, made["baselines"])


def test_the_tables_hold_all_methods(swept, targets):
    _, steering, made = swept
    baselines, found = made["baselines"], made["equal_share"]
    assert list(baselines) == list(steering)
    amounts = {"profile": VALUES, "mean_difference": VALUES, "neuron": VALUES, "random": VALUES, "boost": BOOSTS}
    amounts |= {"least": AMOUNTS, **dict.fromkeys(("least_user", "boost_user", "final_price"), PRICES)}
    amounts |= dict.fromkeys(("boost_few", "final_user"), (0.0, *RAISED))
    assert baselines.groupby(["target", "method"]).size().to_dict() == {
        (target, method): 1 + len(doses) for target in targets["concept"] for method, doses in amounts.items()
    }
    # The unsteered model is the same for all, and so is a dose of nothing.
    for rows in (baselines[baselines["value"].isna()], baselines[baselines["value"] == 0]):
        assert len(rows) == 22
        np.testing.assert_allclose(rows["ndcg@10"], steering.iloc[0]["ndcg@10"])
        np.testing.assert_allclose(rows["overlap"], 1)
    pd.testing.assert_frame_equal(found, at_equal_share(pd.concat([steering, baselines], ignore_index=True)))
    assert set(found["method"]) == set(METHODS)  # all of them are drawn


def test_boosts_move_shares_from_nothing_to_all_that_there_is(swept, some, concepts, recommender):
    """At most the items with the concept that a user has not had: some users have fewer than 10 of them."""
    baselines, labels = swept[2]["baselines"], concepts.labels(recommender.vocabulary.ids)
    for target, rows in baselines[baselines["method"] == "boost"].groupby("target"):
        has = labels[:, concepts.index(target)]
        left = [has.sum() - has[np.unique(history)].sum() for history in some.split_last()[0]]
        share = rows.sort_values("value")["share"].dropna().to_numpy()[: len(BOOSTS)]
        assert (np.diff(share) >= 0).all()
        assert share[0] == 0
        assert share[-1] == pytest.approx(np.minimum(left, 10).mean() / 10)


def test_random_rows_are_means_over_directions(swept, stores, some, concepts, targets):
    rec, _, made = swept
    store, inputs, target = stores["sae"], some.split_last()[0], targets["concept"].iloc[1]
    rows = []
    for seed in SEEDS:
        push = Push(unit(random_direction(store.activations.shape[1], seed), store.std), 6.0)
        with rec.steer(Steer((push,), store.site)):
            lists = rec.rank(inputs, 10)
        named = {"method": "random", "target": target, "feature": -1, "value": 6.0}
        rows.append(measure_points(rec, some, [named], lists[None], concepts)[0].iloc[1])
    expected = pd.DataFrame(rows)
    assert expected["overlap"].nunique() > 1
    table = made["baselines"].set_index(["method", "target", "value"])
    for column in ("share", "ndcg@10", "overlap"):
        assert table.at[("random", target, 6.0), column] == pytest.approx(expected[column].mean())
