"""Tables beyond the paper, against plain steers, one at a time, on the planted world."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from interp.activations.feature_matrix import encode, statistics
from interp.analyses.causal import tables as causal
from interp.analyses.explanations import tables as explanations
from interp.analyses.popularity import tables as exposure
from interp.analyses.receipts.tables import receipts
from interp.concepts import Concepts, concepts_of
from interp.concepts.alignment import align
from interp.control.causal_map import agreement, causal_map
from interp.control.popularity import popularity_steer
from interp.control.sweeps import concept_shares, user_overlap
from interp.features.examples import SEED
from recmodels.metrics import long_tail_share, ndcg

SITE = "blocks.0"


@pytest.fixture(scope="module")
def concepts(planted):
    return concepts_of(planted.items, "concepts")


@pytest.fixture(scope="module")
def activations(stores, sae):
    return encode(stores["test"], sae)


@pytest.fixture(scope="module")
def features(activations):
    """The columns of the table `features` that are read."""
    return statistics(activations).reset_index()


@pytest.fixture(scope="module")
def aligned(activations, stores, concepts):
    return align(activations, concepts.labels(stores["test"].rows["item"]), concepts.names).table()


@pytest.fixture(scope="module")
def counts(split, recommender):
    ids = recommender.vocabulary.ids
    return split.recommender["item"].value_counts().reindex(ids, fill_value=0)


def item_table(counts):
    """The columns of the table `items` that are read."""
    return counts.rename("popularity").rename_axis("item").reset_index()


@pytest.fixture
def test_users(histories):
    return histories.select(slice(0, 30))


def test_a_causal_map_takes_as_many_users_as_it_may(rec, test_users, features, aligned, concepts, monkeypatch):
    active = features.set_index("feature")["p99"][lambda units: units > 0]
    # Room for 20 users and a rest that is not enough for one more.
    monkeypatch.setattr(causal, "LISTS", 2 * len(active) * 20 + 1)
    made = causal.causal(rec, SITE, test_users, features, aligned, concepts)
    drawn = np.sort(np.random.default_rng(SEED).choice(30, 20, replace=False))
    users = test_users.split_last()[0].select(drawn)
    expected = causal_map(rec, users, active, concepts)
    pd.testing.assert_frame_equal(made["causal"], expected.table())
    pd.testing.assert_frame_equal(made["moved_items"], expected.item_changes)
    found = agreement(expected, aligned)
    overall = made["causal_agreement"].set_index("score")
    assert overall["value"].to_dict() == {
        "rank_correlation": found.rank_correlation,
        "top_matches": found.top_matches,
    }
    assert tuple(overall["chance"]) == found.by_chance
    assert tuple(overall["p"]) == found.p_values
    assert overall[["features", "users"]].to_numpy().tolist() == [[len(active), 20]] * 2
    pd.testing.assert_frame_equal(made["causal_concepts"], found.concepts)


def test_one_concept_has_no_ranks(rec, test_users, features, aligned, concepts):
    one = Concepts(concepts.names[:1], concepts.items, concepts.matrix[:, :1])
    only = aligned[aligned["concept"] == concepts.names[0]]
    made = causal.causal(rec, SITE, test_users, features[:3], only, one)
    assert set(made["causal"]["concept"]) == set(one.names)
    assert made["causal_agreement"].empty
    assert made["causal_concepts"].empty


def test_exposure_by_strength_is_that_of_the_steers(rec, stores, activations, test_users, concepts, counts):
    made = exposure.popularity(rec, stores["test"], activations, test_users, concepts, item_table(counts))
    rows = made["popularity"].set_index(["strength", "measure"])
    assert tuple(rows.index.get_level_values(0).unique()) == exposure.STRENGTHS
    assert (rows.loc[0.0, "change"] == 0).all()
    inputs, truth = test_users.split_last()
    plain, popularity = rec.rank(inputs), counts.to_numpy()
    with rec.steer(popularity_steer(made["popularity_features"], SITE, 4.0)):
        lists = rec.rank(inputs)
    assert rows.loc[(4.0, "overlap"), "after"] == pytest.approx(user_overlap(plain, lists).mean())
    assert rows.loc[(4.0, "overlap"), "after"] < 1
    for side, some in (("before", plain), ("after", lists)):
        assert rows.loc[(4.0, "long_tail_share@10"), side] == pytest.approx(long_tail_share(some, popularity))
        assert rows.loc[(4.0, "mean_popularity@10"), side] == pytest.approx(popularity[some].mean())
        assert rows.loc[(4.0, "ndcg@10"), side] == pytest.approx(ndcg(some, truth))


def test_exposure_is_empty_where_no_step_has_a_popular_item(rec, stores, activations, test_users, concepts, counts):
    one = pd.Series(np.where(np.arange(len(counts)) == 0, 1, 0), counts.index)
    others = stores["test"].rows["item"] != counts.index[0]
    store = replace(stores["test"], rows=stores["test"].rows[others], activations=stores["test"].activations[others])
    made = exposure.popularity(rec, store, activations[np.flatnonzero(others)], test_users, concepts, item_table(one))
    assert list(made) == ["popularity_features", "popularity"]
    assert all(table.empty for table in made.values())


def test_explanations_are_checked_by_ablations(rec, test_users, monkeypatch):
    monkeypatch.setattr(explanations, "EXPLAINED", 6)
    made = explanations.explanations(rec, SITE, test_users)
    rows, summary = made["explanations"], made["explanation_agreement"].set_index("place")
    assert rows["user"].nunique() == 6
    sizes = rows["attribution"].abs().groupby(rows["user"], sort=False)
    assert all(size.is_monotonic_decreasing for _, size in sizes)
    inputs = test_users.split_last()[0]
    vocabulary = rec.recommender.vocabulary
    for row in rows.groupby("user").nth(0).head(3).itertuples():
        one = inputs.select(np.array([inputs.users.get_loc(row.user)]))
        code = rec.rank(one, 1)[0, 0]
        assert vocabulary.ids[code] == row.item
        with torch.no_grad():
            before = rec.score(one)[0]
            with rec.steer({row.feature: 0.0}, at="all"):
                after = rec.score(one)[0]
        drop = (before[code] - before.mean() - after[code] + after.mean()).item()
        assert row.ablation == pytest.approx(drop, abs=1e-5)
        assert row.agree == (drop * row.attribution > 0)
    assert summary["pairs"].tolist() == [len(rows), *rows["place"].value_counts().sort_index()]
    assert summary["agree"].iloc[0] == rows["agree"].mean() > 0.8
    assert summary["gradient_agrees"].iloc[0] == (rows["gradient"] * rows["ablation"] > 0).mean()
    first = rows[rows["place"] == 1]
    assert summary.loc[1, "agree"] == (first["attribution"] * first["ablation"] > 0).mean()
    assert summary.loc[1, "attribution"] == pytest.approx(first["attribution"].abs().mean())
    assert summary.loc[1, "correlation"] == pytest.approx(np.corrcoef(first["attribution"], first["ablation"])[0, 1])


def test_receipts_are_of_the_standard_steer(rec, test_users, features, aligned, concepts, counts):
    top = aligned.loc[aligned.groupby("concept")["correlation"].idxmax(), ["concept", "feature"]].iloc[[4, 1]]
    names = tuple(top["concept"])
    table = receipts(rec, SITE, test_users, names, top, features, item_table(counts), concepts, {})["receipts"]
    assert table["target"].unique().tolist() == top["concept"].tolist()
    inputs, truth = test_users.split_last()
    labels, plain = concepts.labels(rec.recommender.vocabulary.ids), rec.rank(inputs)
    for target, feature in top.itertuples(index=False):
        rows = table[table["target"] == target]
        value = features.set_index("feature").loc[feature, "p99"]
        assert (rows["feature"] == feature).all()
        assert (rows["value"] == value).all()
        with rec.steer({feature: value}):
            lists = rec.rank(inputs)
        shares = rows[rows["measure"] == "share"].set_index("concept").loc[concepts.names]
        np.testing.assert_allclose(shares["before"], concept_shares(plain, labels))
        np.testing.assert_allclose(shares["after"], concept_shares(lists, labels))
        assert shares.loc[target, "change"] > 0
        others = rows[rows["concept"] == ""].set_index("measure")
        assert others.loc["ndcg@10", "after"] == pytest.approx(ndcg(lists, truth))
        assert others.loc["overlap", "after"] == pytest.approx(user_overlap(plain, lists).mean())
