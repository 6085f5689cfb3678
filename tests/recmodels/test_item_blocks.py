"""Lists made in blocks of items are those that all scores at once give."""

import numpy as np
import pandas as pd
import pytest
import torch

from recmodels import best_items, item_blocks
from recmodels.errors import InputError
from recmodels.gptrec import GPTRec
from recmodels.item_blocks import best_in_blocks, in_blocks
from recmodels.recommender import Recommender
from recmodels.sequences import as_histories
from recmodels.vocabulary import Vocabulary

ITEMS = 57


@pytest.fixture
def recommender(monkeypatch):
    monkeypatch.setattr(item_blocks, "MANY", 50)
    monkeypatch.setattr(item_blocks, "BLOCK", 10)
    monkeypatch.setattr(item_blocks, "ROWS", 4)
    torch.manual_seed(0)
    config = GPTRec.config_class(n_items=ITEMS, max_history=6, hidden_size=8, num_hidden_layers=1)
    return Recommender(GPTRec(config), Vocabulary(pd.RangeIndex(ITEMS)))


def histories(recommender, n=13):
    rng = np.random.default_rng(0)
    lists = [rng.integers(ITEMS, size=rng.integers(1, 9)).tolist() for _ in range(n - 1)]
    return as_histories([*lists, list(range(ITEMS - 3))], recommender.vocabulary)


@pytest.mark.parametrize("keep_seen", [False, True])
@pytest.mark.parametrize("k", [1, 7, 30, 60])
def test_lists_of_a_recommender(recommender, monkeypatch, k, keep_seen):
    recommender = Recommender(recommender.model, recommender.vocabulary, keep_seen)
    rows = histories(recommender)
    assert in_blocks(recommender.model)
    blocked = recommender.rank(rows, k)
    monkeypatch.setattr(item_blocks, "MANY", ITEMS)
    assert not in_blocks(recommender.model)
    assert blocked.tolist() == recommender.rank(rows, k).tolist()


class Linear:
    """Scores that are whole numbers, so that many are equal."""

    def __init__(self, weights, bias=None):
        self.weights, self.bias = weights, bias

    def output_weights(self):
        return self.weights

    def output_bias(self):
        return self.bias


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("k", [1, 5, 20])
def test_equal_scores_are_ordered_by_code(monkeypatch, k, bias):
    monkeypatch.setattr(item_blocks, "BLOCK", 10)
    rng = torch.Generator().manual_seed(0)
    weights, hidden = (torch.randint(-1, 2, shape, generator=rng).float() for shape in ((ITEMS, 3), (9, 3)))
    levels = torch.randint(-1, 2, (ITEMS,), generator=rng).float() if bias else None
    rows, codes = torch.randint(9, (60,), generator=rng), torch.randint(ITEMS, (60,), generator=rng)
    scores = hidden @ weights.T + (levels if bias else 0)
    scores[rows, codes] = -torch.inf
    expected = [sorted(range(ITEMS), key=lambda code, row=row: (-row[code], code))[:k] for row in scores.tolist()]
    assert best_in_blocks(Linear(weights, levels), hidden, k, (rows, codes)).tolist() == expected


def test_scores_that_are_not_finite_are_refused(monkeypatch):
    monkeypatch.setattr(item_blocks, "BLOCK", 10)
    weights = torch.ones(ITEMS, 2)
    weights[41, 1] = torch.nan
    with pytest.raises(InputError, match="not finite"):
        best_in_blocks(Linear(weights), torch.ones(3, 2), 5)


@pytest.mark.parametrize("v", [4096, 5000, 9999])
@pytest.mark.parametrize("levels", [3, 50, 10**6])
def test_the_best_of_many_scores_are_those_of_sorting(v, levels):
    rng = torch.Generator().manual_seed(v + levels)
    scores = torch.randint(levels, (6, v), generator=rng).float()
    scores[0, 20:] = -torch.inf
    for k in (1, 10, 15, 40):
        codes, values = best_items.best_items(scores, k)
        order = scores.sort(dim=1, descending=True, stable=True)
        assert torch.equal(values, order.values[:, :k])
        assert torch.equal(codes, torch.where(order.values[:, :k].isneginf(), -1, order.indices[:, :k]))
