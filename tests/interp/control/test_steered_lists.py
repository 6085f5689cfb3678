"""The fast path of many steers equals one steer after another, for both models."""

import numpy as np
import pytest
import torch

from interp.control.steered_lists import last_step_lists, shares_all_before, steered_lists
from interp.steering.edits import Edit, Push, Steer
from recmodels import item_blocks
from recmodels.item_blocks import in_blocks

SITES = ("blocks.0", "blocks.1", "embedding")


def steers(rec, site):
    direction = torch.linspace(-1, 1, rec.recommender.model.config.hidden_size)
    every = [(), (Edit(3, 5.0),), (Edit(3, -5.0), Edit(8, 2.0, "add")), (Edit(1, 3.0, "scale"), Push(direction, 4.0))]
    found = [Steer(edits, site, reconstruct) for edits in every for reconstruct in ("none", "last", "all")]
    return [*found, Steer((Edit(3, 5.0, "set", "all"),), site), Steer((Push(direction, 1.0, "all"),), site)]


@pytest.mark.parametrize("model", ["gptrec", "bert4rec"])
@pytest.mark.parametrize("site", SITES)
def test_lists_are_those_of_one_steer_after_another(steerable, histories, model, site):
    rec = steerable[model]
    few = histories.select(np.arange(40))
    assert len(set(few.lengths)) > 5  # so that padding takes part
    fast = steered_lists(rec, few, steers(rec, site), k=7)
    for steer, lists in zip(steers(rec, site), fast, strict=True):
        with rec.steer(steer):
            np.testing.assert_array_equal(lists, rec.rank(few, 7))


@pytest.mark.parametrize("model", ["gptrec", "bert4rec"])
@pytest.mark.parametrize("block", [0, 1])
def test_scores_are_those_of_a_trace(steerable, histories, model, block):
    rec = steerable[model]
    few = histories.select(np.arange(12))
    d = rec.recommender.model.config.hidden_size
    values = torch.randn(12, 5, d, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), rec.trace(few):
        hidden = rec.blocks[block].output.save()
    tokens = rec.recommender.model.inference_inputs(few)
    with torch.no_grad():
        model = rec.recommender.model
        fast = model.scorer(model.scored_after(block, tokens, hidden, values), model.item_embeddings())
    for e in range(5):
        with torch.no_grad(), rec.trace(few):
            rec.blocks[block].output[:, -1] = values[:, e]
            expected = rec.scores.save()
        torch.testing.assert_close(fast[:, e], expected, atol=1e-4, rtol=0)


def test_what_is_shared(steerable):
    rec = steerable["gptrec"]
    assert shares_all_before(rec, Steer((Edit(0, 1.0),), "blocks.1", "all"))
    assert not shares_all_before(rec, Steer((Edit(0, 1.0, "set", "all"),), "blocks.1"))
    assert not shares_all_before(rec, Steer((Edit(0, 1.0),), "embedding"))
    with rec.steer({0: 1.0}, site="blocks.0"):
        assert not shares_all_before(rec, Steer((), "blocks.1"))


def test_ambient_steers_still_count(steerable, histories):
    rec, few = steerable["gptrec"], histories.select(np.arange(10))
    outer, inner = Steer((Edit(2, 9.0),), "blocks.1"), Steer((Edit(3, 5.0),), "blocks.0")
    with rec.steer(outer):
        (lists,) = steered_lists(rec, few, [inner], k=5)
        with rec.steer(inner):
            np.testing.assert_array_equal(lists, rec.rank(few, 5))


@pytest.mark.parametrize("rows", [1, 2, 10])
def test_more_steers_than_fit_one_pass(steerable, histories, monkeypatch, rows):
    rec, few = steerable["gptrec"], histories.select(np.arange(8))
    monkeypatch.setattr("interp.control.steered_lists._SCORES", rows * len(rec.recommender.vocabulary))
    monkeypatch.setattr("interp.control.steered_lists._USERS", 3)
    many = [Steer((Edit(3, float(value)),), "blocks.0") for value in range(5)]
    lists = steered_lists(rec, few, many, k=5)
    assert lists.shape == (5, 8, 5)
    for steer, one in zip(many, lists, strict=True):
        with rec.steer(steer):
            np.testing.assert_array_equal(one, rec.rank(few, 5))


@pytest.mark.parametrize("model", ["gptrec", "bert4rec"])
@pytest.mark.parametrize("values", [1, 5, 9])
def test_lists_in_blocks_of_items_are_those_of_all_scores(steerable, histories, monkeypatch, model, values):
    rec, few = steerable[model], histories.select(np.arange(9))
    d = rec.recommender.model.config.hidden_size
    hidden = rec.hidden(few, "blocks.0")
    moves = torch.randn(9, values, d, generator=torch.Generator().manual_seed(values))
    args = rec, few, "blocks.0", hidden, hidden[:, -1:] + moves, 7
    assert not in_blocks(rec.recommender.model)
    dense = last_step_lists(*args)
    monkeypatch.setattr(item_blocks, "MANY", 0)
    monkeypatch.setattr(item_blocks, "BLOCK", 8)
    monkeypatch.setattr("interp.control.steered_lists.ROWS", 8)  # fewer than values, or for some users at once
    assert in_blocks(rec.recommender.model)
    assert last_step_lists(*args).tolist() == dense.tolist()
    assert len(np.unique(dense[:, 0], axis=0)) > (values > 1)
