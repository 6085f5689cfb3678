"""Unseen items and permuted concepts, on planted candidates whose worth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from interp.concepts import Concepts, alignment, evidence
from interp.concepts.evidence import ItemTest, Rows

ITEMS, USERS, STEPS = 120, 40, 30


def concepts_of(matrix):
    return Concepts([f"c{column}" for column in range(matrix.shape[1])], pd.Index(range(len(matrix))), matrix)


def rows_of(rng, candidates, noise=0.3):
    """Users' random items, popular ones more often; candidates are functions of items [i, f], plus noise."""
    share = np.arange(1, ITEMS + 1.0)
    items = rng.choice(ITEMS, USERS * STEPS, p=share / share.sum())
    values = (candidates[items] + noise * rng.random((len(items), candidates.shape[1]))).clip(0)
    return Rows(sparse.csc_array(values * (values > noise)), items, np.repeat(np.arange(USERS), STEPS))


@pytest.fixture(scope="module")
def planted():
    """A feature of the concept, detectors of single items, and features of nothing."""
    rng = np.random.default_rng(0)
    matrix = np.zeros((ITEMS, 2), dtype=bool)
    matrix[rng.permutation(ITEMS)[:40], 0] = True
    matrix[110:114, 1] = True  # popular, but its items have nothing in common
    detectors = np.eye(ITEMS)[108:120]
    candidates = np.column_stack([matrix[:, 0], *detectors, rng.random((ITEMS, 5)) > 0.8]).astype(float)
    concepts = concepts_of(matrix)
    rows, others = rows_of(rng, candidates), rows_of(rng, candidates)
    return evidence.evidence_of(ItemTest(concepts, rows.items, others.items), rows, others)


def test_a_feature_of_the_concept_passes(planted):
    row = planted.concepts.set_index("concept").loc["c0"]
    assert row["passes"]
    assert row["candidate"] == 0
    assert row["unseen_items_p"] == 1 / (1 + evidence.PERMUTATIONS)
    assert row["unseen_items"] == pytest.approx(row["correlation"], abs=0.05)
    assert row["unseen_items_low"] < row["unseen_items"] < row["unseen_items_high"]
    assert row["unseen_both"] == pytest.approx(row["unseen_users"], abs=0.05)
    assert row["unseen_items_auc"] > 0.95
    assert planted.candidates["passes"][0]


def test_a_detector_of_single_items_does_not(planted):
    row = planted.concepts.set_index("concept").loc["c1"]
    assert row["correlation"] > 0.4  # as the paper measures, it looks like a feature of the concept
    assert row["unseen_items"] < 0.1
    assert not row["passes"]
    assert not planted.candidates["passes"][1:].any()


def test_p_values_of_concepts_that_mean_nothing_are_uniform():
    rng = np.random.default_rng(1)
    candidates = rng.random((ITEMS, 20)) * (rng.random((ITEMS, 20)) > 0.5)
    concepts = concepts_of(rng.random((ITEMS, 200)) > rng.uniform(0.5, 0.95, 200))
    rows = rows_of(rng, candidates)
    table = evidence.evidence_of(ItemTest(concepts, rows.items, rows.items), rows, rows).concepts
    for column in ("p", "auc_p", "unseen_items_p"):
        assert stats.kstest(table[column], "uniform").pvalue > 0.01, column
    assert table["passes"].mean() < 0.05


def test_the_same_rows_give_the_same_numbers(planted):
    again = []
    for _ in range(2):
        rng = np.random.default_rng(2)
        candidates = rng.random((ITEMS, 3))
        rows = rows_of(rng, candidates)
        test = ItemTest(concepts_of(rng.random((ITEMS, 3)) > 0.7), rows.items, rows.items)
        again.append(evidence.evidence_of(test, rows, rows))
    pd.testing.assert_frame_equal(again[0].concepts, again[1].concepts)
    assert (again[0].resamples == again[1].resamples).all()


def test_unseen_users_are_chosen_on_other_users():
    """The other users' activations are swapped, so that they choose the wrong candidate."""
    rng = np.random.default_rng(3)
    matrix = np.zeros((ITEMS, 1), dtype=bool)
    matrix[rng.permutation(ITEMS)[:40], 0] = True
    candidates = np.column_stack([matrix[:, 0], rng.random(ITEMS) > 0.5]).astype(float)
    rows, others = rows_of(rng, candidates), rows_of(rng, candidates[:, ::-1])
    row = evidence.evidence_of(ItemTest(concepts_of(matrix), rows.items, others.items), rows, others).concepts.iloc[0]
    assert row["correlation"] > 0.9
    assert row["unseen_items"] > 0.9
    assert abs(row["unseen_users"]) < 0.3
    assert abs(row["unseen_both"]) < 0.3


@pytest.mark.parametrize("entries", [1, 10**9])
@pytest.mark.parametrize("form", [sparse.csc_array, np.asarray])
def test_the_null_is_that_of_permuted_labels_of_rows(monkeypatch, form, entries):
    """Sums by item, in blocks of columns and with sparse labels, beside rows that are given other labels."""
    monkeypatch.setattr(evidence, "PERMUTATIONS", 7)
    monkeypatch.setattr(alignment, "ENTRIES", entries)
    rng = np.random.default_rng(5)
    rows = rows_of(rng, rng.random((ITEMS, 6)))
    rows = Rows(form(rows.activations.toarray()), rows.items, rows.users)
    test = ItemTest(concepts_of(rng.random((ITEMS, 3)) > 0.6), rows.items, rows.items)
    table = evidence.evidence_of(test, rows, rows).concepts
    slow = []
    for order in [np.arange(len(test.items)), *test.orders]:
        labels = test.labels[order][test.row]
        scores = alignment.align(rows.activations, labels, test.names)
        best = scores.correlation.argmax(axis=0)
        slow.append([x[best, range(3)] for x in (scores.correlation, scores.auc, scores.sensitivity)])
    (observed, null), reached = (slow[0], np.mean(slow[1:], axis=0)), np.array(slow[1:]) >= slow[0]
    for place, name in enumerate(("correlation", "auc", "sensitivity")):
        prefix = "" if name == "correlation" else f"{name}_"
        np.testing.assert_allclose(table[name], observed[place], atol=1e-12)
        np.testing.assert_allclose(table[f"{prefix}null"], null[place], atol=1e-6)
        np.testing.assert_allclose(table[f"{prefix}p"], (1 + reached[:, place].sum(axis=0)) / 8)


def test_there_is_no_evidence_where_there_can_be_none(monkeypatch):
    """Concepts of one item, of all and of none; features that are never active; two users."""
    monkeypatch.setattr(evidence, "PERMUTATIONS", 50)
    rng = np.random.default_rng(6)
    matrix = np.column_stack([np.arange(ITEMS) == 119, np.ones(ITEMS), np.zeros(ITEMS), rng.random(ITEMS) > 0.5])
    items = np.append(rng.integers(0, ITEMS, 59), 119)
    detector = np.where(items == 119, 1.0, 0.0)
    rows = Rows(sparse.csc_array(np.column_stack([np.zeros(60), detector, np.zeros(60)])), items, np.arange(60) % 2)
    result = evidence.evidence_of(ItemTest(concepts_of(matrix.astype(bool)), items, items), rows, rows)
    table = result.concepts.set_index("concept")
    assert list(table.index) == ["c0", "c3"]  # what all items have, or none, nothing can follow
    assert table.at["c0", "correlation"] == pytest.approx(1)
    assert table.at["c0", "unseen_items"] == 0  # its only item is on one half: what is chosen there fails on the other
    assert not table["passes"].any()
    assert not result.candidates["passes"].any()
    dead = Rows(sparse.csc_array((60, 3)), items, rows.users)
    nothing = evidence.evidence_of(ItemTest(concepts_of(matrix.astype(bool)), items, items), dead, dead)
    assert nothing.concepts[["unseen_items_p", "p", "unseen_items_q"]].eq(1).all(axis=None)
    assert nothing.concepts[["correlation", "unseen_items", "unseen_items_low"]].eq(0).all(axis=None)
    assert not nothing.concepts.isna().any(axis=None)
