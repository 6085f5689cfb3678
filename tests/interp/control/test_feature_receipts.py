"""Receipts of all features, against receipts of single steers, and costs against plain re-ranking."""

import numpy as np
import pandas as pd
import pytest

from interp.concepts import Concepts, concepts_of
from interp.control.baselines import Raise, boosted_lists
from interp.control.feature_receipts import (
    AMOUNTS,
    BY_CORRELATION,
    BY_OTHER_USERS,
    Boosts,
    Target,
    Users,
    feature_receipts,
)
from interp.control.receipts import steering_receipt
from interp.control.sweeps import user_shares
from recmodels.metrics import user_ndcg

SITE = "blocks.0"
FOLLOWS, MOVES, DEAD = 5, 9, 11  # a feature with a concept of its own, one without, and one that is never on


@pytest.fixture(scope="module")
def concepts(planted):
    return concepts_of(planted.items, "concepts")


@pytest.fixture(scope="module")
def popularity(split, recommender):
    return split.recommender["item"].value_counts().reindex(recommender.vocabulary.ids, fill_value=0)


@pytest.fixture(scope="module")
def features(concepts):
    return pd.DataFrame(
        {
            "feature": [FOLLOWS, MOVES, DEAD],
            "p99": [1.5, 2.0, 0.0],
            "concept": concepts.names[2],
            "correlation": [0.5, 0.19, 0.9],
        }
    )


@pytest.fixture
def users(histories):
    return histories.select(np.arange(30))


@pytest.fixture
def tables(rec, users, features, concepts, popularity):
    return feature_receipts(rec, users, features, concepts, popularity, SITE)


def test_each_receipt_is_that_of_the_steer_alone(rec, users, features, concepts, popularity, tables):
    receipts, _, costs = tables
    assert costs["feature"].tolist() == [FOLLOWS, MOVES]
    for feature, p99 in ((FOLLOWS, 1.5), (MOVES, 2.0)):
        steer = rec.steer_of({feature: p99}, site=SITE, op="add")
        alone = steering_receipt(rec, users, steer, concepts, popularity)
        rows = receipts[receipts["feature"] == feature]
        for part, measured in (
            (alone.measures.set_index("measure"), rows[rows["concept"] == ""].set_index("measure")),
            (alone.shares.set_index("concept"), rows[rows["measure"] == "share"].set_index("concept")),
        ):
            numbers = part.select_dtypes("float").columns
            pd.testing.assert_frame_equal(measured[numbers], part[numbers], check_names=False)


def test_curves_are_of_every_amount_and_bands_of_the_change(rec, users, concepts, tables):
    inputs, truth = users.split_last()
    labels, column = concepts.labels(rec.recommender.vocabulary.ids), 2
    curve = tables[1].query(f"feature == {FOLLOWS}").set_index("amount")
    assert curve.index.tolist() == sorted([0.0, *AMOUNTS])
    for amount in curve.index:
        with rec.steer({FOLLOWS: 1.5 * amount}, op="add"):
            lists = rec.rank(inputs)
        assert curve.loc[amount, "share"] == pytest.approx(user_shares(lists, labels)[:, column].mean())
        assert curve.loc[amount, "ndcg"] == pytest.approx(user_ndcg(lists, truth).mean())
    for name in ("share", "ndcg"):
        assert curve.loc[0.0, [f"{name}_low", f"{name}_high"]].tolist() == pytest.approx([curve.loc[0.0, name]] * 2)
        assert (curve[f"{name}_low"] <= curve[name] + 1e-12).all()
        assert (curve[name] <= curve[f"{name}_high"] + 1e-12).all()


def test_what_is_chosen_by_its_effect_is_measured_on_other_users(rec, users, concepts, tables):
    costs = tables[2].set_index("feature")
    assert costs.loc[FOLLOWS, ["concept", "chosen_by", "users"]].tolist() == [concepts.names[2], BY_CORRELATION, 30]
    assert costs.loc[MOVES, ["chosen_by", "users"]].tolist() == [BY_OTHER_USERS, 15]
    inputs, _ = users.split_last()
    labels, plain = concepts.labels(rec.recommender.vocabulary.ids), rec.rank(inputs)
    with rec.steer({MOVES: 2.0}, op="add"):
        change = user_shares(rec.rank(inputs), labels) - user_shares(plain, labels)
    largest = int(np.abs(change[::2].mean(axis=0)).argmax())
    assert costs.loc[MOVES, "concept"] == concepts.names[largest]
    assert costs.loc[MOVES, "share"] == pytest.approx(change[1::2, largest].mean())


def test_re_ranking_is_read_where_it_has_the_same_share():
    """By hand: two users, a list of one; of four boosts, the second gives half a share and the third the whole."""
    truth, has = np.array([0, 1]), np.array([[False], [False], [True], [True]])
    users = Users(None, truth, np.array([[0], [1]]), has, np.ones(4))
    boosts = Boosts.__new__(Boosts)
    boosts.users = users
    lists = np.array([[[0], [1]], [[2], [1]], [[2], [3]]])
    shares = np.stack([users.shares(some, 0) for some in lists])
    assert shares.tolist() == [[0, 0], [1, 0], [1, 1]]
    boosts._curves = {(0, True): (shares, np.stack([user_ndcg(some, truth) for some in lists]))}
    target = Target(0, BY_CORRELATION, np.arange(2))
    assert boosts.ndcg_at(target, 0.0).tolist() == [1, 1]
    assert boosts.ndcg_at(target, 0.25).tolist() == [0.5, 1]  # half of the way to the second
    assert boosts.ndcg_at(target, 0.75).tolist() == [0, 0.5]
    assert boosts.ndcg_at(target, 1.0).tolist() == [0, 0]
    assert np.isnan(boosts.ndcg_at(target, 1.5)).all()
    one = Target(0, BY_OTHER_USERS, np.array([1]))  # whose list is as it was until the third
    assert boosts.ndcg_at(one, 0.5).tolist() == [0.5]


def test_costs_stand_beside_plain_re_ranking(rec, users, concepts, tables):
    row = tables[2].set_index("feature").loc[FOLLOWS]
    assert row["share_after"] - row["share_before"] == pytest.approx(row["share"])
    inputs, truth = users.split_last()
    labels = concepts.labels(rec.recommender.vocabulary.ids)[:, [2]]
    sign = 1 if row["share"] >= 0 else -1
    (fine,) = boosted_lists(rec, inputs, [Raise(labels[:, 0], [sign * step / 50 for step in range(200)])])
    shares = np.array([user_shares(lists, labels).mean() for lists in fine])
    place = int(np.flatnonzero(sign * shares >= sign * row["share_after"] - 1e-9)[0])
    quality = [user_ndcg(lists, truth).mean() - user_ndcg(fine[0], truth).mean() for lists in fine]
    assert row["boost"] == pytest.approx(quality[place], abs=0.02)
    assert row["ahead"] == pytest.approx(row["ndcg"] - row["boost"])
    assert row["ahead_low"] <= row["ahead"] <= row["ahead_high"]


def test_without_concepts_there_is_only_the_quality(rec, users, features, popularity):
    none = Concepts.none(rec.recommender.vocabulary.ids)
    receipts, curves, costs = feature_receipts(rec, users, features.assign(concept=""), none, popularity, SITE)
    assert set(receipts["concept"]) == {""}
    assert "ndcg@10" in set(receipts["measure"])
    assert curves["share"].isna().all()
    assert curves["ndcg"].notna().all()
    assert costs[["concept", "chosen_by"]].eq("").all(axis=None)
    assert costs[["share", "boost", "ahead"]].isna().all(axis=None)
    assert costs["ndcg"].notna().all()
