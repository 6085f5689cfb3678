"""The causal map against one steer after another, and its agreement with correlations against SciPy and by hand."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from interp.activations.collecting import collect
from interp.activations.feature_matrix import encode, statistics
from interp.activations.training import train
from interp.concepts import concepts_of
from interp.concepts.alignment import align
from interp.control.causal_map import CausalMap, agreement, causal_map
from interp.control.sweeps import user_shares
from interp.model.envoys import RecommenderEnvoy
from interp.plots import causal_heatmap
from interp.sae_config import SAEConfig
from recmodels.errors import InputError

TINY = SAEConfig(n_features=32, steps=40, batch_size=64, warmup_steps=5, sparsity_warmup_steps=5)


@pytest.fixture(scope="module")
def concepts(planted):
    return concepts_of(planted.items, "concepts")


@pytest.fixture
def envoys(rec, bert4rec, split, tmp_path):
    other = RecommenderEnvoy(bert4rec)
    store = collect(other, split.sae_validation, tmp_path / "activations")
    return {"gptrec": rec, "bert4rec": other.attach(train(store, {"tiny": TINY}, tmp_path)["tiny"])}


@pytest.mark.parametrize("model", ["gptrec", "bert4rec"])
def test_a_map_is_one_steer_after_another(envoys, histories, concepts, model, monkeypatch):
    monkeypatch.setattr("interp.control.causal_map.STEERS", 4)
    rec, few = envoys[model], histories.select(np.arange(20))
    units = pd.Series([3.0, 0.0, 2.0, 1.5], index=[5, 8, 11, 2])
    found = causal_map(rec, few, units, concepts, amount=2.0, k=5)
    assert found.features == [5, 11, 2]  # a unit of 0 means never active
    table = found.table().set_index(["feature", "concept"])
    assert list(table.index) == list(product([5, 11, 2], concepts.names))
    labels = concepts.labels(rec.recommender.vocabulary.ids)
    plain = user_shares(rec.rank(few, 5), labels)
    for feature in found.features:
        changes = {}
        for name, sign in (("up", 1), ("down", -1)):
            with rec.steer({feature: sign * 2.0 * units[feature]}, op="add"):
                changes[name] = user_shares(rec.rank(few, 5), labels) - plain
        changes["effect"] = (changes["up"] - changes["down"]) / 2
        assert changes["effect"].any()
        for name, change in changes.items():
            np.testing.assert_allclose(table.loc[feature, name], change.mean(axis=0), atol=1e-12)
            np.testing.assert_allclose(table.loc[feature, f"{name}_se"], stats.sem(change, axis=0), atol=1e-12)
        np.testing.assert_allclose(table.loc[feature, "share"], plain.mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(found.effects.loc[11], table.loc[11, "effect"])
    # The map's lists came in two passes; those of the last feature are of the second.
    ids, lists_of = rec.recommender.vocabulary.ids, {}
    for name, sign in (("up", 1), ("down", -1)):
        with rec.steer({2: sign * 2.0 * units[2]}, op="add"):
            lists_of[name] = np.bincount(rec.rank(few, 5).ravel(), minlength=len(ids))
    change = lists_of["up"] - lists_of["down"]
    moved = found.item_changes[found.item_changes["feature"] == 2]
    assert set(found.item_changes["feature"]) <= {5, 11, 2}
    for direction, gain in (("promoted", change), ("suppressed", -change)):
        order = np.argsort(-gain, kind="stable")[: min(8, (gain > 0).sum())]
        rows = moved[moved["direction"] == direction]
        assert rows["item"].tolist() == ids[order].tolist()
        for name, lists in lists_of.items():
            assert rows[name].tolist() == lists[order].tolist()
        assert (rows["users"] == len(few)).all()


def by_hand():
    """Three features and three concepts; the last feature moves nothing."""
    says = np.array([[0.9, 0.1, -0.2], [0.0, 0.5, 0.3], [0.1, 0.2, 0.8]])
    does = np.array([[0.3, 0.0, -0.1], [0.1, 0.0, 0.2], [0.0, 0.0, 0.0]])
    names = ["a", "b", "c"]
    causal = CausalMap(
        [4, 6, 9], names, 1.0, np.stack([does, -does, does]), np.zeros((3, 3, 3)), np.zeros(3), pd.DataFrame()
    )
    rows = [(f, c, says[i, j]) for i, f in enumerate([4, 6, 9]) for j, c in enumerate(names)]
    return says, does, causal, pd.DataFrame(rows, columns=["feature", "concept", "correlation"])


def test_agreement_by_hand():
    _, _, causal, alignment = by_hand()
    # shuffled, and with rows that the map does not have
    more = pd.DataFrame([(7, "a", 0.9), (7, "b", 0.1), (7, "c", 0.1)], columns=alignment.columns)
    found = agreement(causal, pd.concat([more, alignment.iloc[::-1]]), permutations=50)
    # Feature 4: the same order, 1. Feature 6: ranks 1 3 2 and 2 1 3, 1 − 6 · (1 + 4 + 1) / 24 = −0.5. Feature 9: 0.
    np.testing.assert_allclose(found.features["rank_correlation"], [1.0, -0.5, 0.0], atol=1e-12)
    assert found.rank_correlation == pytest.approx(0.5 / 3)
    assert found.features["best_correlated"].tolist() == ["a", "b", "c"]
    assert found.features["most_raised"].tolist() == ["a", "c", None]
    assert found.top_matches == pytest.approx(1 / 3)
    # Concept a: 0.9 0.0 0.1 and 0.3 0.1 0.0; b: constant; c: −0.2 0.3 0.8 and −0.1 0.2 0.0.
    np.testing.assert_allclose(found.concepts["rank_correlation"], [0.5, 0.0, 0.5], atol=1e-12)
    assert found.concepts["feature"].tolist() == [4, 6, 9]
    assert found.concepts["effect"].tolist() == [0.3, 0.0, 0.0]
    assert found.concepts["place"].tolist() == [1, 1, 2]
    assert "by chance" in repr(found)


def test_chance_is_that_of_any_two_features():
    says, does, causal, alignment = by_hand()
    found = agreement(causal, alignment, permutations=4000)
    pairs = [0.0 if not d.any() else stats.spearmanr(s, d).statistic for s, d in product(says, does)]
    assert found.by_chance[0] == pytest.approx(np.mean(pairs), abs=0.02)
    matches = [d.max() > 0 and s.argmax() == d.argmax() for s, d in product(says, does)]
    assert found.by_chance[1] == pytest.approx(np.mean(matches), abs=0.02)
    # All six orders are alike likely; count those that reach what was measured.
    tables = np.reshape(pairs, (3, 3))
    orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    reached = np.mean([tables[range(3), o].mean() >= tables.diagonal().mean() - 1e-9 for o in orders])
    assert found.p_values[0] == pytest.approx(reached, abs=0.03)


def test_features_of_the_planted_world_do_what_they_say(rec, stores, histories, concepts):
    activations = encode(stores["test"], rec.blocks[0].sae)
    alignment = align(activations, concepts.labels(stores["test"].rows["item"]), concepts.names)
    units = statistics(activations)["p99"]
    causal = causal_map(rec, histories, units[units > 0], concepts)
    found = agreement(causal, alignment.table(), permutations=200)
    assert found.rank_correlation > 0.5
    assert found.top_matches > 0.5
    assert abs(found.by_chance[0]) < 0.1
    assert max(found.p_values) < 0.01
    rows = alignment.table().pivot(index="feature", columns="concept", values="correlation").loc[causal.features]
    effects, measured = causal.effects.to_numpy(), found.features["rank_correlation"].to_numpy()
    moves = np.ptp(effects, axis=1) > 0
    expected = [stats.spearmanr(*pair).statistic for pair in zip(rows.to_numpy()[moves], effects[moves], strict=True)]
    np.testing.assert_allclose(measured[moves], expected)
    assert not measured[~moves].any()
    columns = [stats.spearmanr(rows[name], causal.effects[name]).statistic for name in concepts.names]
    np.testing.assert_allclose(found.concepts["rank_correlation"], columns)


def test_a_figure_shows_the_effects():
    _, does, causal, _ = by_hand()
    concepts = pd.DataFrame({"concept": ["c", "a"], "feature": [9, 4]})
    (trace,) = causal_heatmap(causal.table(), concepts).data
    assert trace.x == ("c", "a")
    np.testing.assert_array_equal(trace.z, does[[2, 0]][:, [2, 0]])


def test_questions_that_cannot_be_answered(rec, histories, concepts):
    with pytest.raises(InputError, match="no feature has a unit"):
        causal_map(rec, histories, {3: 0.0}, concepts)
    with pytest.raises(InputError, match="at least two"):
        causal_map(rec, histories.select(np.arange(1)), {3: 1.0}, concepts)
    with pytest.raises(InputError, match="no feature 9999"):
        causal_map(rec, histories, {9999: 1.0}, concepts)
    _, _, causal, alignment = by_hand()
    with pytest.raises(InputError, match="has no feature 6"):
        agreement(causal, alignment[alignment["feature"] != 6])
    with pytest.raises(InputError, match="share 1 concepts"):
        agreement(causal, alignment[alignment["concept"] == "a"])
