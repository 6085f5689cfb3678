import numpy as np
import pandas as pd
import pytest

from interp.concepts import concepts_of
from interp.steering import concept_shares, monotone, overlap, sweep
from recmodels.ranking import list_metrics


def test_concept_shares_by_hand():
    labels = np.array([[True, False], [True, True], [False, False], [False, True]])
    lists = np.array([[0, 1], [2, 3], [1, -1]])
    # user by user: concept 0 has 2/2, 0/2, 1/1; concept 1 has 1/2, 1/2, 1/1
    np.testing.assert_allclose(concept_shares(lists, labels), [2 / 3, 2 / 3])


def test_overlap_by_hand():
    assert overlap(np.array([[1, 2], [3, -1]]), np.array([[2, 9], [3, 4]])) == pytest.approx(0.75)


def test_monotone_by_hand():
    rows = [("up", v, s) for v, s in ((-1, 0.1), (0, 0.1), (1, 0.3), (9, 0.0))]
    rows += [("down", v, s) for v, s in ((-1, 0.2), (0, 0.1), (1, 0.3))]
    rows += [("flat", v, 0.2) for v in (-1, 0, 1)] + [("up", np.nan, 0.9)]
    table = pd.DataFrame(rows, columns=["target", "value", "share"])
    assert monotone(table).to_dict() == {"up": True, "down": False, "flat": False}


@pytest.mark.parametrize("reconstruct", ["none", "all"])
def test_a_sweep_is_one_steer_after_another(rec, histories, planted, reconstruct):
    concepts = concepts_of(planted.items, "concepts")
    few = histories.select(np.arange(20))
    targets = {"concept-02": 5, "concept-07": 11}
    metrics, shares = sweep(rec, few, targets, concepts, [-3.0, 6.0], k=5, reconstruct=reconstruct)
    inputs, truth = few.split_last()
    vocabulary = rec.recommender.vocabulary
    labels = concepts.labels(vocabulary.ids)
    plain = rec.rank(inputs, 5)
    for target, feature in targets.items():
        for value in (np.nan, -3.0, 6.0):
            lists = plain
            if not np.isnan(value):
                with rec.steer({feature: value}, reconstruct=reconstruct):
                    lists = rec.rank(inputs, 5)
            at = metrics["value"].isna() if np.isnan(value) else metrics["value"] == value
            row = metrics[at & (metrics["target"] == target)].iloc[0]
            expected = concept_shares(lists, labels)
            assert row["share"] == expected[concepts.index(target)]
            assert row["overlap"] == overlap(plain, lists)
            for name, measured in list_metrics(lists, truth, np.arange(len(vocabulary))).items():
                assert row[name] == measured
            at = shares["value"].isna() if np.isnan(value) else shares["value"] == value
            np.testing.assert_array_equal(shares[at & (shares["target"] == target)]["share"], expected)
