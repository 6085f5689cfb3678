"""Many values of the last step together equal one traced pass for each, for both models."""

import numpy as np
import pytest
import torch

from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import block_number, score_last_step
from interp.steering.edits import Edit, Steer

SITES = ("embedding", "blocks.0.mlp", "blocks.0", "blocks.1", "final")
STEER = Steer((Edit(3, 6.0, "set", "all"), Edit(8, 2.0, "add")), "blocks.0")
MODELS = pytest.mark.parametrize("model", ["gptrec", "bert4rec"])


@pytest.fixture
def few(histories):
    """Ten users with histories of different lengths."""
    few = histories.select(np.arange(10))
    assert len(set(few.lengths)) > 4
    return few


def values(rec, users, count=5):
    d = rec.recommender.model.config.hidden_size
    return torch.randn(users, count, d, generator=torch.Generator().manual_seed(0))


def compare(rec, few, site):
    """The fast path against one traced pass per value, with the earlier steps changed as well."""
    model = rec.recommender.model
    hidden, last = 1.3 * rec.hidden(few, site), values(rec, len(few))
    with torch.no_grad():
        fast = model.scorer(score_last_step(rec, few, site, hidden, last), model.item_embeddings())
    for e in range(last.shape[1]):
        changed = torch.cat([hidden[:, :-1], last[:, e : e + 1]], dim=1)
        with torch.no_grad(), rec.trace(few):
            rec.site(site).output = changed
            expected = rec.scores.save()
        torch.testing.assert_close(fast[:, e], expected, atol=1e-4, rtol=0)
    return fast


@MODELS
@pytest.mark.parametrize("site", SITES)
def test_scores_are_those_of_one_traced_pass_per_value(steerable, few, model, site):
    compare(steerable[model], few, site)


@MODELS
@pytest.mark.parametrize("site", SITES)
def test_scores_are_those_of_one_traced_pass_per_value_under_a_steer(steerable, few, model, site):
    rec = steerable[model]
    plain = compare(rec, few, site)
    with rec.steer(STEER):
        assert block_number(rec, site) is None
        steered = compare(rec, few, site)
    # Before the steer's site its edits act on the values; from there on, only through the earlier steps.
    if site in ("embedding", "blocks.0.mlp"):
        assert (steered - plain).abs().max() > 1e-2


@pytest.mark.parametrize("rows", [3, 20])
def test_values_of_more_rows_than_fit_one_pass(steerable, few, monkeypatch, rows):
    monkeypatch.setattr("interp.model.last_step._ROWS", rows)
    compare(steerable["gptrec"], few, "embedding")


@MODELS
def test_a_value_per_user_is_that_users_own(steerable, few, model):
    """The hidden states as they are give the scores as they are, whatever else is scored beside them."""
    rec, net = steerable[model], steerable[model].recommender.model
    for site in SITES:
        hidden = rec.hidden(few, site)
        last = torch.cat([values(rec, len(few), 2), hidden[:, -1:]], dim=1)
        with torch.no_grad():
            scores = net.scorer(score_last_step(rec, few, site, hidden, last)[:, 2], net.item_embeddings())
        torch.testing.assert_close(scores, rec.score(few), atol=1e-4, rtol=0)


@MODELS
def test_at_a_block_nothing_before_it_runs_again(steerable, few, model, monkeypatch):
    rec = steerable[model]
    hidden = rec.hidden(few, "blocks.0")

    def refuse(*args, **kwargs):
        raise AssertionError("a pass through the whole model")

    monkeypatch.setattr(RecommenderEnvoy, "trace", refuse)
    monkeypatch.setattr(type(rec.recommender.model), "encode", refuse)
    assert score_last_step(rec, few, "blocks.0", hidden, values(rec, len(few))).shape == (10, 5, hidden.shape[2])


def test_a_model_in_training_mode_is_scored_without_dropout(steerable, few):
    rec = steerable["gptrec"]
    model, hidden, last = rec.recommender.model, rec.hidden(few, "blocks.0"), values(rec, len(few))
    expected = score_last_step(rec, few, "blocks.0", hidden, last)
    model.train()
    try:
        assert torch.equal(score_last_step(rec, few, "blocks.0", hidden, last), expected)
        assert model.training
    finally:
        model.eval()


def test_the_number_of_a_block(steerable):
    rec = steerable["gptrec"]
    assert [block_number(rec, site) for site in SITES] == [None, None, 0, 1, None]
