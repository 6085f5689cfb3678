import numpy as np
import pandas as pd
import pytest
import torch

from interp.concepts import concepts_of
from interp.control.sweeps import (
    SweepPoint,
    concept_shares,
    direction_points,
    monotone,
    set_points,
    sweep,
    unit,
    user_overlap,
    user_shares,
)
from interp.features.probes import Probes, fit_probes
from interp.steering.edits import Edit, Steer
from recmodels.ranking import list_metrics


def test_concept_shares_by_hand():
    labels = np.array([[True, False], [True, True], [False, False], [False, True]])
    lists = np.array([[0, 1], [2, 3], [1, -1]])
    # user by user: concept 0 has 2/2, 0/2, 1/1; concept 1 has 1/2, 1/2, 1/1
    np.testing.assert_allclose(concept_shares(lists, labels), [2 / 3, 2 / 3])


def test_overlap_by_hand():
    before, after = np.array([[1, 2], [3, -1], [-1, -1]]), np.array([[2, 9], [3, 4], [-1, 5]])
    assert user_overlap(before, after).tolist() == [0.5, 1.0, 0.0]


def test_monotone_by_hand():
    rows = [("up", v, s) for v, s in ((-1, 0.1), (0, 0.1), (1, 0.3), (9, 0.0))]
    rows += [("down", v, s) for v, s in ((-1, 0.2), (0, 0.1), (1, 0.3))]
    rows += [("flat", v, 0.2) for v in (-1, 0, 1)] + [("up", np.nan, 0.9)]
    table = pd.DataFrame(rows, columns=["target", "value", "share"])
    assert monotone(table).to_dict() == {"up": True, "down": False, "flat": False}
    assert not monotone(table, 20, 30).any()  # nothing was measured there


def test_user_shares_by_hand():
    labels = np.array([[True, False], [True, True], [False, False]])
    assert user_shares(np.array([[0, 2], [1, -1]]), labels).tolist() == [[0.5, 0.0], [1.0, 1.0]]


def test_what_is_done_for_a_figure(sae):
    points = set_points(sae, {"a": 5, "b": 7}, [-1.0, 2.0])
    assert [(d.method, d.target, d.feature, d.value) for d in points] == [
        (method, target, feature, value)
        for method in ("set", "replace")
        for target, feature in (("a", 5), ("b", 7))
        for value in (-1.0, 2.0)
    ]
    assert points[1].steer == Steer((Edit(5, 2.0),), "blocks.0", "none")
    assert points[-1].steer == Steer((Edit(7, 2.0),), "blocks.0", "all")


def test_directions_are_of_length_one_among_normalised_activations(sae):
    weights = np.arange(1.0, 33.0)[None]
    probes = Probes(["a"], weights, np.zeros(1), sae.mean, sae.std)
    by_feature, by_probe = (d.steer.edits[0] for d in direction_points(sae, probes, {"a": 5}, [3.0]))
    for push in (by_feature, by_probe):
        assert push.factor == 3.0
        assert push.direction.norm().item() == pytest.approx(sae.std, rel=1e-5)
    decoder = sae.dictionary.decoder.weight[:, 5]
    torch.testing.assert_close(by_feature.direction, decoder / decoder.norm() * sae.std)
    cosine = by_probe.direction.numpy() @ weights[0] / (np.linalg.norm(weights) * sae.std)
    assert cosine == pytest.approx(1, rel=1e-5)


def test_a_sweep_is_one_steer_after_another(rec, sae, stores, histories, planted):
    concepts = concepts_of(planted.items, "concepts")
    few = histories.select(np.arange(20))
    targets, values = {"concept-02": 5, "concept-07": 11}, [-3.0, 6.0]
    probes = fit_probes(stores["sae"], concepts)
    points = [*set_points(sae, targets, values), *direction_points(sae, probes, targets, values)]
    metrics, shares = sweep(rec, few, points, concepts, k=5)
    inputs, truth = few.split_last()
    vocabulary = rec.recommender.vocabulary
    labels = concepts.labels(vocabulary.ids)
    plain = rec.rank(inputs, 5)
    assert len(metrics) == 4 * 2 * 3
    assert metrics.groupby(["method", "target"], sort=False).first().shape[0] == 8
    nothing = [
        SweepPoint(m, t, 0, np.nan, Steer((), "blocks.0")) for m, t in metrics.groupby(["method", "target"]).groups
    ]
    for point in [*points, *nothing]:
        with rec.steer(point.steer):
            lists = rec.rank(inputs, 5)
        expected = concept_shares(lists, labels)
        row, found = (
            table[
                (table["method"] == point.method)
                & (table["target"] == point.target)
                & (table["value"].isna() if np.isnan(point.value) else table["value"] == point.value)
            ]
            for table in (metrics, shares)
        )
        assert row["share"].item() == expected[concepts.index(point.target)]
        assert row["overlap"].item() == user_overlap(plain, lists).mean()
        for name, measured in list_metrics(lists, truth, np.arange(len(vocabulary))).items():
            assert row[name].item() == measured
        np.testing.assert_array_equal(found["share"], expected)


def test_a_direction_of_no_length_stays_none():
    assert unit(torch.zeros(3), 2.0).tolist() == [0, 0, 0]
    assert unit(torch.tensor([3.0, 4.0]), 2.0).tolist() == pytest.approx([1.2, 1.6])
