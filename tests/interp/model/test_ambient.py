"""Steers in force: whose, for how long, and what does not go with the body of a trace."""

import asyncio
import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from interp.model.envoys import RecommenderEnvoy
from interp.steering.parsing import Meanings
from recmodels.errors import InputError
from recmodels.recommender import Recommender

# ruff: noqa: SIM117, nesting is what is tested


@pytest.fixture(scope="module")
def some(histories):
    return histories.select(np.arange(4))


def steering(rec, value, some):
    with rec.steer({3: value}):
        yield rec.score(some)
        yield rec.score(some)


def test_blocks_that_end_out_of_order_take_away_their_own_steer_only(rec, some):
    plain = rec.score(some)
    with rec.steer({3: 2.0}):
        second = rec.score(some)
    early, late = steering(rec, 4.0, some), steering(rec, 2.0, some)
    next(early), next(late)
    early.close()
    assert torch.equal(next(late), second)
    late.close()
    assert not rec.steered
    assert torch.equal(rec.score(some), plain)


def test_a_task_that_outlives_the_block_is_steered_no_more(rec, some):
    async def later(go):
        await go.wait()
        return rec.score(some)

    async def main():
        go = asyncio.Event()
        with rec.steer({3: 4.0}):
            task = asyncio.create_task(later(go))
            await asyncio.sleep(0)
        go.set()
        return await task

    assert torch.equal(asyncio.run(main()), rec.score(some))


def test_one_steer_object_has_one_block_at_a_time(rec, some):
    steer = rec.steer({3: 4.0})
    with steer:
        first = rec.score(some)
        with pytest.raises(InputError, match="in force already"), steer:
            pass
        assert torch.equal(rec.score(some), first)
    with steer:
        assert torch.equal(rec.score(some), first)
    assert torch.equal(rec.steer({3: 4.0})(rec.score)(some), first)


def inside_a_body(rec, some):
    with rec.trace(some):
        with rec.steer({3: 4.0}):
            rec.scores.save()


def around_an_invoke(rec, some):
    with rec.trace() as tracer:
        with rec.steer({3: 4.0}):
            with tracer.invoke(some):
                rec.scores.save()


def made_before_the_trace(rec, some):
    steer = rec.steer({3: 4.0})
    with rec.trace(some):
        with steer:
            rec.scores.save()


def lists_inside_a_body(rec, some):
    with rec.trace(some):
        rec.recommend(some)
        rec.scores.save()


def lists_after_an_invoke(rec, some):
    with rec.trace() as tracer:
        with tracer.invoke(some):
            rec.scores.save()
        rec.rank(some)


def a_trace_inside_a_trace(rec, some):
    with rec.trace(some):
        with rec.trace(some):
            rec.scores.save()


@pytest.mark.parametrize(
    "call",
    [
        inside_a_body,
        around_an_invoke,
        made_before_the_trace,
        lists_inside_a_body,
        lists_after_an_invoke,
        a_trace_inside_a_trace,
    ],
)
def test_what_has_no_effect_in_a_trace_is_refused(rec, some, call):
    plain = rec.score(some)
    with pytest.raises(InputError, match="a trace of this recommender is open"):
        call(rec, some)
    assert not rec.steered
    assert torch.equal(rec.score(some), plain)


@pytest.mark.parametrize(
    ("edits", "how", "says"),
    [
        ({3: {"nobody": 5.0}}, {}, "none of these users"),
        ({3: {}}, {"op": "add"}, "a value for no user"),
        ({3: 5.0}, {"at": (-60, -61)}, "changes step -60 and no later one"),
    ],
)
def test_a_steer_that_reaches_nobody_is_refused(rec, some, edits, how, says):
    with pytest.raises(InputError, match=says), rec.steer(edits, **how):
        rec.recommend(some)
    with pytest.raises(InputError, match=says), rec.steer(edits, some, **how) as tracer:
        tracer.result.save()
    assert not rec.steered


def test_values_by_user_are_not_for_rows_that_happen_to_have_the_number(rec, recommender):
    item = recommender.vocabulary.ids[0]
    with pytest.raises(InputError, match="name no users"), rec.steer({3: {1: 5.0, 942: 2.0}}):
        rec.recommend([[item], [item]])
    with rec.steer({3: {1: 5.0, 942: 2.0}}):
        rec.recommend({942: [item], 7: [item]})


def test_what_belongs_to_another_dictionary_is_refused(rec, recommender, sae):
    weights = copy.deepcopy(sae.dictionary)
    with torch.no_grad():
        next(weights.parameters()).mul_(2)
    other = RecommenderEnvoy(recommender, replace(sae, dictionary=weights))
    series = pd.Series({3: 1.0})
    series.attrs["dictionary"] = sae.fingerprint
    assert rec.steer_of(2 * series).edits[0].value == 2.0
    for edits in (series, 2 * series, rec.steer_of({3: 1.0})):
        with pytest.raises(InputError, match="is for the features of dictionary"):
            other.steer(edits)
    with pytest.raises(InputError, match="is for the features of dictionary"):
        other.attach(other.blocks[0].sae, Meanings({}, pd.DataFrame(), sae.fingerprint))


def test_gradients_in_any_invoke(rec, some):
    one, two = some.select(slice(2)), some.select(slice(2, None))
    with rec.trace(two):
        hidden = rec.blocks[0].output
        hidden.requires_grad_()
        with rec.scores[:, 0].sum().backward():
            alone = hidden.grad.save()
    with rec.trace() as tracer:
        with tracer.invoke(one):
            plain = rec.scores.save()
        with tracer.invoke(two):
            hidden = rec.blocks[0].output
            hidden.requires_grad_()
            with rec.scores[:, 0].sum().backward():
                beside = hidden.grad.save()
    width = alone.shape[1]
    torch.testing.assert_close(beside[:, -width:], alone, rtol=0, atol=1e-5)
    torch.testing.assert_close(plain, rec.score(one), rtol=0, atol=1e-5)


def test_an_invoke_meets_another_at_a_barrier_with_its_rows(rec, some):
    one, two = some.select(slice(1)), some.select(slice(0, 1))
    with rec.trace() as tracer:
        barrier = tracer.barrier(2)
        with tracer.invoke(one):
            rows = rec.blocks[0].output
            rows[:, -1, 0] += 5
            barrier()
            edited = rec.scores.save()
        with tracer.invoke(two):
            barrier()
            plain = rec.scores.save()
    torch.testing.assert_close(plain, rec.score(one), rtol=0, atol=1e-5)
    assert not torch.allclose(edited, plain, atol=1e-3)


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        ([[10_000]], "there is no token 10000"),
        ([[-1, 2]], "there is no token -1"),
        ([[1.0]], "type float32"),
        ([1, 2], r"shape \(2,\)"),
        ([[1, 0]], "not on the left"),
        ([[1] * 99], "has 99 tokens"),
    ],
)
def test_tokens_that_cannot_be_read(rec, tokens, says):
    with pytest.raises(InputError, match=says):
        rec.trace(torch.tensor(tokens), trace=False)


def test_envoys_are_not_copied(rec, some):
    plain = rec.score(some)
    for envoy in (rec, rec.blocks, rec.blocks[0], rec.steer({3: 1.0})):
        for how in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(InputError, match="copied or pickled"):
                how(envoy)
    assert torch.equal(rec.score(some), plain)


def test_expected_scores_and_weights_from_elsewhere_are_compared(recommender, some):
    ids = recommender.vocabulary.ids
    keys = [tuple(ids[some[row]]) for row in range(2)]
    scores = pd.DataFrame(recommender.score(some)[:2].numpy(), pd.Index(keys, tupleize_cols=False), ids)
    RecommenderEnvoy(recommender, expected=scores)
    RecommenderEnvoy(recommender, expected={keys[0]: {item: scores.loc[[keys[0]], item].item() for item in ids[3:6]}})
    with pytest.raises(InputError, match="was expected: the model has other weights"):
        RecommenderEnvoy(
            recommender, expected={keys[0]: dict(zip(ids[3:6], scores.iloc[0, 3:6] + [1, 0, 0], strict=True))}
        )
    changed = Recommender(copy.deepcopy(recommender.model), recommender.vocabulary)
    assert changed.fingerprint == recommender.fingerprint
    changed.model.get_input_embeddings().weight.data += 1
    with pytest.raises(InputError, match="weights of this recommender have changed"):
        RecommenderEnvoy(changed)
