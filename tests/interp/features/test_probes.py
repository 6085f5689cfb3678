import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from interp.concepts import Concepts, concepts_of
from interp.features.probes import Probes, fit_probes, probe_scores, unseen_item_scores


def test_a_probe_is_a_logistic_regression_on_normalised_activations(stores, planted):
    concepts = concepts_of(planted.items, "concepts")
    probes = fit_probes(stores["sae"], concepts)
    store = stores["sae"]
    x = (np.asarray(store.activations, dtype=np.float64) - store.mean) / store.std
    y = concepts.labels(store.rows["item"])[:, concepts.index("concept-03")]
    independent = LogisticRegression(max_iter=5000, tol=1e-8).fit(x, y)
    place = probes.concepts.index("concept-03")
    decisions = probes.decide(store.activations)[:, place]
    np.testing.assert_allclose(decisions, independent.decision_function(x), rtol=0, atol=0.001)


def test_probes_find_what_was_planted(stores, planted):
    concepts = concepts_of(planted.items, "concepts")
    scores = probe_scores(fit_probes(stores["sae"], concepts), stores["test"], concepts)
    assert list(scores["concept"]) == concepts.names
    assert scores["auc"].min() > 0.9


def test_scores_by_hand(stores):
    """Decision values are the first neuron itself; one concept is on no item and is left out."""
    store = stores["test"]
    items = pd.Index(store.rows["item"].unique())
    matrix = np.zeros((len(items), 2), dtype=bool)
    matrix[::2, 0] = True
    concepts = Concepts(["even", "none"], items, matrix)
    d = store.activations.shape[1]
    probes = Probes(["even", "none"], np.eye(2, d), np.zeros(2), 0.0, 1.0)
    table = probe_scores(probes, store, concepts)
    assert table["concept"].tolist() == ["even"]
    first, has = store.activations[:, 0].astype(float), concepts.labels(store.rows["item"])[:, 0]
    assert table["correlation_decision"][0] == pytest.approx(np.corrcoef(first, has)[0, 1])
    assert table["correlation_probability"][0] == pytest.approx(np.corrcoef(expit(first), has)[0, 1])
    above = (first[has][:, None] > first[~has]).mean() + (first[has][:, None] == first[~has]).mean() / 2
    assert table["auc"][0] == pytest.approx(above)


def test_concepts_that_all_rows_have_are_not_probed(stores):
    store = stores["sae"]
    items = pd.Index(store.rows["item"].unique())
    matrix = np.ones((len(items), 2), dtype=bool)
    matrix[::3, 1] = False
    assert fit_probes(store, Concepts(["all", "some"], items, matrix)).concepts == ["some"]


def test_a_probe_that_learnt_nothing_tells_nothing(stores):
    """It has no direction, and its answer goes with no concept."""
    store = stores["test"]
    items = pd.Index(store.rows["item"].unique())
    concepts = Concepts(["even"], items, (np.arange(len(items)) % 2 == 0)[:, None])
    probes = Probes(["even"], np.zeros((1, store.activations.shape[1])), np.array([0.3]), 0.0, 1.0)
    row = probe_scores(probes, store, concepts).iloc[0]
    assert row[["correlation_probability", "correlation_decision", "auc"]].tolist() == [0, 0, 0.5]
    assert not probes.direction("even").any()


def test_unseen_items_by_hand(stores, planted):
    """One pair of halves: each is scored by scikit-learn's regression of the other."""
    concepts = concepts_of(planted.items, "concepts")
    first = np.random.default_rng(0).random(len(concepts.items)) < 0.5
    table = unseen_item_scores(stores["sae"], stores["test"], concepts, first[None]).set_index("concept")
    training, test = (
        (store, first[concepts.items.get_indexer(store.rows["item"])], concepts.labels(store.rows["item"])[:, 2])
        for store in (stores["sae"], stores["test"])
    )
    mean, std = stores["sae"].mean, stores["sae"].std
    values = []
    for half in (True, False):
        rows, others = training[1] == half, test[1] != half
        x, z = ((np.asarray(s.activations, float) - mean) / std for s in (training[0], test[0]))
        model = LogisticRegression(max_iter=5000, tol=1e-8).fit(x[rows], training[2][rows])
        values.append(np.corrcoef(model.predict_proba(z[others])[:, 1], test[2][others])[0, 1])
    assert table.loc[concepts.names[2], "correlation_probability"] == pytest.approx(np.mean(values), abs=0.01)


def test_a_probe_that_learnt_items_by_heart_fails_on_others(stores):
    """The concept is drawn by lot: on the same items a probe knows it, on unseen ones it guesses."""
    items = pd.Index(np.union1d(stores["sae"].rows["item"], stores["test"].rows["item"]))
    rng = np.random.default_rng(5)
    concepts = Concepts(["drawn"], items, rng.random((len(items), 1)) < 0.3)
    seen = probe_scores(fit_probes(stores["sae"], concepts), stores["test"], concepts)["auc"].item()
    halves = rng.random((10, len(items))) < 0.5
    unseen = unseen_item_scores(stores["sae"], stores["test"], concepts, halves)["auc"].item()
    assert seen > 0.65
    assert unseen < 0.58


def test_a_planted_concept_is_known_on_unseen_items(stores, planted):
    concepts = concepts_of(planted.items, "concepts")
    halves = np.random.default_rng(0).random((2, len(concepts.items))) < 0.5
    scores = unseen_item_scores(stores["sae"], stores["test"], concepts, halves)
    assert list(scores["concept"]) == concepts.names
    assert scores["auc"].min() > 0.85


def test_halves_that_teach_or_test_nothing_are_left_out(stores):
    """Only items of the first half have the concept: it can be learnt there, but not tested on the others."""
    items = pd.Index(np.union1d(stores["sae"].rows["item"], stores["test"].rows["item"]))
    first = np.arange(len(items)) % 2 == 0
    concepts = Concepts(["first"], items, first[:, None] & (np.arange(len(items)) % 3 == 0)[:, None])
    assert unseen_item_scores(stores["sae"], stores["test"], concepts, first[None]).empty
