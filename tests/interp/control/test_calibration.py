"""Miscalibration and greedy re-ranking: worked out by hand, and against a loop over all items."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import rel_entr

from interp.control.calibration import (
    calibrated_lists,
    concept_weights,
    list_mix,
    miscalibration,
    past_mix,
)
from recmodels.sequences import Histories

# Items: A alone, B alone, A and B, none.
LABELS = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=bool)
WEIGHTS = concept_weights(LABELS)


def test_mixes_by_hand():
    assert WEIGHTS.tolist() == [[1, 0], [0, 1], [0.5, 0.5], [0, 0]]
    histories = Histories(pd.RangeIndex(2), np.array([0, 0, 2, 3, 3]), np.array([0, 4, 5]))
    np.testing.assert_allclose(past_mix(histories, WEIGHTS), [[2.5 / 3, 0.5 / 3], [0, 0]])
    np.testing.assert_allclose(list_mix(np.array([[1, 2], [0, -1], [3, -1]]), WEIGHTS), [[0.25, 0.75], [1, 0], [0, 0]])


def test_miscalibration_by_hand():
    past = np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5], [0.0, 0.0]])
    mix = np.array([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    third = 0.5 * np.log(0.5 / (0.99 + 0.005)) + 0.5 * np.log(0.5 / 0.005)
    np.testing.assert_allclose(miscalibration(past, mix), [0, np.log(100), third, np.nan], atol=1e-15)
    rng = np.random.default_rng(0)
    past, mix = rng.dirichlet(np.ones(5), 7), rng.dirichlet(np.full(5, 0.3), (3, 7))
    expected = rel_entr(past, 0.99 * mix + 0.01 * past).sum(axis=-1)
    np.testing.assert_allclose(miscalibration(past, mix), expected)


def slow(scores, weights, past, strength, k):
    """The greedy algorithm, item by item."""
    chosen = []
    for _ in range(k):
        worth = np.full(len(scores), -np.inf)
        for item in range(len(scores)):
            if item not in chosen and np.isfinite(scores[item]):
                mix = list_mix(np.array([[*chosen, item]]), weights)
                worth[item] = (1 - strength) * scores[item] - strength * miscalibration(past[None], mix)[0]
        chosen.append(int(worth.argmax()) if np.isfinite(worth).any() else -1)
    return chosen


def test_kinds_of_items_give_the_lists_of_all_items():
    rng = np.random.default_rng(1)
    weights = concept_weights(rng.random((30, 3)) < 0.4)
    scores, past = rng.normal(size=(6, 30)), rng.dirichlet(np.ones(3), 6)
    scores[0, :27] = -np.inf  # three items are left
    strengths = [0.0, 0.4, 0.9]
    lists = calibrated_lists(torch.from_numpy(scores), weights, past, strengths, k=4)
    for place, strength in enumerate(strengths):
        assert [slow(*row, strength, 4) for row in zip(scores, [weights] * 6, past, strict=True)] == lists[
            place
        ].tolist()
    assert (lists[0, 1:] == (-scores).argsort(axis=1)[1:, :4]).all()
    far = [miscalibration(past[1:], list_mix(part[1:], weights)).mean() for part in lists]
    assert far[2] < far[1] < far[0]
    assert lists[0, 0, 3] == -1


@pytest.mark.parametrize("k", [1, 3])
def test_the_past_alone_is_as_close_as_the_first_place_allows(k):
    past = np.array([[0.5, 0.5]])
    lists = calibrated_lists(torch.tensor([[3.0, 2.0, 1.0, 0.0]]), WEIGHTS, past, [1.0], k)
    assert lists[0, 0, 0] == 2  # the item with both
