"""Envoys against plain PyTorch hooks on the bare model: an implementation that knows nothing of nnsight."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from recmodels.errors import InputError
from recmodels.gptrec import GPTRec, GPTRecConfig
from recmodels.recommender import Recommender
from recmodels.vocabulary import Vocabulary

CLOSE = {"rtol": 0, "atol": 1e-5}


@pytest.fixture(scope="module")
def some(histories):
    """A few histories of different lengths."""
    return histories.select(np.arange(9))


@contextmanager
def hooked(recommender, change=None, block=0):
    """Record a block's output on the bare model, after changing it."""
    seen = []

    def hook(module, inputs, output):
        output = output if change is None else change(output)
        seen.append(output)
        return output

    handle = recommender.model.backbone.h[block].register_forward_hook(hook)
    try:
        yield seen
    finally:
        handle.remove()


def last_step(hidden, change):
    return torch.cat([hidden[:, :-1], change(hidden[:, -1:])], dim=1)


def test_reads_what_a_hook_reads(rec, recommender, some):
    with hooked(recommender) as seen:
        expected = recommender.score(some)
    with rec.trace(some):
        hidden = rec.blocks[0].output.save()
        features = rec.blocks[0].features.save()
        scores = rec.scores.save()
    assert torch.equal(hidden, seen[0])
    assert torch.equal(scores, expected)
    assert torch.equal(features, rec.blocks[0].sae.encode(seen[0]))
    assert not hidden.requires_grad


def test_histories_that_change_are_read_anew(rec, some):
    """Their tokens are made once for a pass, and not kept after it."""
    own = some.select(slice(0, 2))
    before = rec.hidden(own, "blocks.0")
    own.codes[:] = own.codes[::-1].copy()
    assert not torch.equal(rec.hidden(own, "blocks.0"), before)


def test_last_step_is_the_last_real_one_whatever_the_padding(rec, some):
    with rec.trace(some):
        together = rec.blocks[0].features[:, -1].save()
    for row in range(len(some)):
        with rec.trace(some.select(np.array([row]))):
            alone = rec.blocks[0].features[:, -1].save()
        torch.testing.assert_close(alone[0], together[row], **CLOSE)


def test_writing_features_keeps_the_error(rec, recommender, sae, some):
    def change(hidden):
        old = sae.encode(hidden)[..., 7:8]
        return hidden + (2.0 - old) * sae.directions[7]

    with hooked(recommender, lambda hidden: last_step(hidden, change)):
        expected = recommender.score(some)
    with rec.trace(some):
        rec.blocks[0].features[:, -1, 7] = 2.0
        in_place = rec.scores.save()
    with rec.trace(some):
        features = rec.blocks[0].features.clone()
        features[:, -1, 7] = 2.0
        rec.blocks[0].features = features
        assigned = rec.scores.save()
    torch.testing.assert_close(in_place, expected, **CLOSE)
    torch.testing.assert_close(assigned, expected, **CLOSE)


@pytest.mark.parametrize("op", ["set", "add", "scale"])
@pytest.mark.parametrize("at", ["last", "all"])
@pytest.mark.parametrize("reconstruct", ["none", "last", "all"])
def test_steering_equals_hooks_in_both_forms(rec, recommender, sae, some, op, at, reconstruct):
    edits = {3: 1.5, 40: -2.0}

    def change(hidden):
        before = sae.encode(hidden)
        after = before.clone()
        steps = slice(None) if at == "all" else slice(-1, None)
        for feature, value in edits.items():
            old = before[:, steps, feature]
            new = {"set": torch.full_like(old, value), "add": old + value, "scale": old * value}[op]
            after[:, steps, feature] = new
        kept = hidden + sae.decode(after) - sae.decode(before)
        replaced = sae.decode(after)
        if reconstruct == "all":
            return replaced
        return torch.cat([kept[:, :-1], replaced[:, -1:]], 1) if reconstruct == "last" else kept

    with hooked(recommender, change):
        expected = recommender.score(some)
    with rec.steer(edits, op=op, at=at, reconstruct=reconstruct):
        ambient = rec.score(some)
    with rec.steer(edits, some, op=op, at=at, reconstruct=reconstruct):
        traced = rec.scores.save()
    torch.testing.assert_close(ambient, expected, **CLOSE)
    assert torch.equal(traced, ambient)
    assert not torch.allclose(expected, recommender.score(some), atol=1e-3)


def test_a_trace_inside_a_steer_sees_steered_hidden_states(rec, sae, some):
    with rec.trace(some):
        before = rec.blocks[0].output.save()
    with rec.steer({5: 3.0}, op="add"), rec.trace(some):
        after = rec.blocks[0].output.save()
    torch.testing.assert_close(after[:, -1] - before[:, -1], 3 * sae.directions[5].expand(len(some), -1), **CLOSE)
    assert torch.equal(after[:, :-1], before[:, :-1])


def test_a_steer_of_nothing_is_bit_identical_to_no_steer(rec, recommender, some):
    expected = recommender.score(some)
    assert torch.equal(rec.score(some), expected)
    with rec.steer(rec.steer_of({})):
        assert torch.equal(rec.score(some), expected)
    with rec.steer(rec.steer_of({}), some):
        traced = rec.scores.save()
    assert torch.equal(traced, expected)
    with pytest.raises(RuntimeError, match="inside"), rec.steer({3: 5.0}), rec.steer({4: 5.0}):
        raise RuntimeError("inside")
    assert torch.equal(rec.score(some), expected)


def test_features_set_to_their_own_values_change_nothing(rec, some):
    expected = rec.score(some)
    with rec.trace(some):
        features = rec.blocks[0].features.save()
    last = features[:, -1].tolist()
    by_user = [dict(zip(some.users, column, strict=True)) for column in zip(*last, strict=True)]
    with rec.steer(dict(enumerate(by_user))):
        torch.testing.assert_close(rec.score(some), expected, **CLOSE)
    with rec.trace(some):
        rec.blocks[0].features[:] = rec.blocks[0].features.clone()
        scores = rec.scores.save()
    torch.testing.assert_close(scores, expected, **CLOSE)


def test_steers_nest_and_unwind(rec, some):
    with rec.steer({3: 2.0, 4: -1.0}):
        both = rec.score(some)
    with rec.steer({3: 2.0}):
        outer = rec.score(some)
        with rec.steer({4: -1.0}):
            nested = rec.score(some)
        assert torch.equal(rec.score(some), outer)
    # The inner steer reads what the outer one wrote; both set one feature each, so order is nearly free.
    torch.testing.assert_close(nested, both, rtol=0, atol=0.1)
    assert not torch.equal(nested, outer)


def test_threads_do_not_see_each_others_steers(rec, some):
    expected = rec.score(some)
    with rec.steer({3: 4.0}):
        steered = rec.score(some)
    found: dict[str, list] = {"plain": [], "steered": []}

    def plain():
        found["plain"] = [rec.score(some) for _ in range(5)]

    def steer():
        with rec.steer({3: 4.0}):
            found["steered"] = [rec.score(some) for _ in range(5)]

    threads = [threading.Thread(target=work) for work in (plain, steer, plain)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found["plain"]) == 5
    assert all(torch.equal(scores, expected) for scores in found["plain"])
    assert all(torch.equal(scores, steered) for scores in found["steered"])


def test_invokes_share_one_forward_pass(rec, some):
    few = some.select(np.arange(3))
    with rec.steer({3: 4.0}):
        steered = rec.score(few)
    with rec.trace() as tracer:
        with tracer.invoke(some):
            plain = rec.scores.save()
        with tracer.invoke(few):
            rec.blocks[0].features[:, -1, 3] = 4.0
            edited = rec.scores.save()
    torch.testing.assert_close(plain, rec.score(some), **CLOSE)
    torch.testing.assert_close(edited, steered, **CLOSE)


def test_histories_in_the_users_own_ids(rec, recommender, some):
    ids = [recommender.vocabulary.decode(some[row]).tolist() for row in range(len(some))]
    with rec.trace(ids):
        scores = rec.scores.save()
    assert torch.equal(scores, rec.score(some))
    grid = rec.item_grid(ids)
    assert [[item for item in row if item is not None] for row in grid.tolist()] == [
        row[-recommender.model.config.max_history :] for row in ids
    ]
    assert rec.item_steps(ids).sum(dim=1).tolist() == [
        min(len(row), recommender.model.config.max_history) for row in ids
    ]


def test_recommend_is_the_bare_models_until_steered(rec, recommender, some):
    expected = recommender.recommend(some, k=5)
    assert rec.recommend(some, k=5).equals(expected)
    with rec.steer({3: 8.0}):
        assert not rec.recommend(some, k=5).equals(expected)


def test_scores_can_be_written(rec, some):
    with rec.trace(some) as tracer:
        rec.scores[:] = 0
        result = tracer.result.save()
    assert result.scores.abs().max() == 0


@pytest.mark.parametrize(
    ("edits", "options", "says"),
    [
        ({64: 1.0}, {}, "features 0 to 63"),
        ({-1: 1.0}, {}, "features 0 to 63"),
        ({"Sci-Fi": 1.0}, {}, "what 'Sci-Fi' means is not known"),
        ({1: float("nan")}, {}, "steered by nan: give a number"),
        ([1, 2], {}, "mapping"),
        ({1: 1.0}, {"weight": -1}, "the weight is -1"),
        ({}, {"at": "nowhere"}, '"last", "all" or steps'),
        ({True: 1.0}, {}, "no feature True"),
        ([Edit(1, 1.0)], {"op": "add"}, "already says its op"),
        (Steer((), "blocks.0"), {"op": "add"}, "give it alone"),
        ({1: 1.0}, {"op": "raise"}, "set, add, scale"),
        ({1: 1.0}, {"at": "first"}, '"last", "all" or steps'),
        ({1: 1.0}, {"reconstruct": "some"}, "none, last, all"),
        ({1: 1.0}, {"site": "blocks.9"}, r"choose one of embedding, .*blocks\.1, final$"),
        ({1: 1.0}, {"site": "blocks.1"}, r"no dictionary is attached at blocks\.1"),
    ],
)
def test_impossible_steers_are_refused_in_one_line(rec, edits, options, says):
    with pytest.raises(InputError, match=says) as error:
        rec.steer(edits, **options)
    assert "\n" not in str(error.value)


def test_a_dictionary_of_another_model_or_layer_is_refused(rec, recommender, sae):
    other = Recommender(GPTRec(recommender.model.config), recommender.vocabulary)
    with pytest.raises(InputError, match="trained on recommender"):
        RecommenderEnvoy(other, sae)
    elsewhere = replace(sae, provenance=replace(sae.provenance, site="blocks.7"))
    with pytest.raises(InputError, match="no site"):
        rec.attach(elsewhere)


def test_features_without_a_dictionary(recommender, some):
    with (
        pytest.raises(InputError, match="attach"),
        RecommenderEnvoy(recommender).trace(some) as tracer,
    ):
        features = tracer.envoy.blocks[0].features.save()  # noqa: F841


def test_unknown_items_are_named(rec):
    with pytest.raises(InputError, match="999999"):
        rec.recommend([[999999]])
    with pytest.raises(InputError, match="empty"):
        rec.recommend([[]])


def test_an_envoy_that_does_not_reproduce_the_model_is_refused(planted):
    class Fickle(GPTRec):
        """Scores that depend on how often the model ran: a trace cannot equal the bare model."""

        runs = 0

        def encode(self, input_ids):
            self.runs += 1
            return super().encode(input_ids) + self.runs

    ids = planted.items.index[:20]
    model = Fickle(GPTRecConfig(n_items=20, hidden_size=16, num_hidden_layers=1))
    with pytest.raises(InputError, match="differs from the bare model"):
        RecommenderEnvoy(Recommender(model, Vocabulary(ids)))
