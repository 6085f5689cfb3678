"""Steers in every form that can be written, against traces and against one history at a time."""

import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from interp.control.steered_lists import steered_lists
from interp.model.envoys import RecommenderEnvoy
from interp.steering.parsing import Meanings
from interp.steering.serialization import from_json, to_json
from recmodels.errors import InputError

CLOSE = {"rtol": 0, "atol": 1e-5}


@pytest.fixture(scope="module")
def some(histories):
    """A few histories of different lengths."""
    return histories.select(np.arange(9))


@pytest.mark.parametrize("at", ["last", (-2, -1), "all"])
def test_a_value_per_user(rec, some, at):
    values = dict(zip(some.users, np.linspace(-2, 2, len(some)), strict=True))
    spared = values.popitem()[0]
    with rec.steer({5: values}, at=at):
        together = rec.score(some)
        batched = torch.cat([rec.score(batch) for batch in some.batches(3)])
    with rec.steer({5: values}, some, at=at):
        traced = rec.scores.save()
    assert torch.equal(traced, together)
    torch.testing.assert_close(batched, together, **CLOSE)
    for row, user in enumerate(some.users):
        with rec.steer(rec.steer_of({})) if user == spared else rec.steer({5: values[user]}, at=at):
            alone = rec.score(some.select(np.array([row])))
        torch.testing.assert_close(together[row : row + 1], alone, **CLOSE)


def test_a_value_per_user_in_invokes_and_lists_and_for_tokens(rec, recommender, some):
    first, second = some.select(slice(2)), some.select(slice(2, None))
    named = {5: {some.users[1]: 3.0, some.users[3]: -3.0}}
    with rec.steer(named):
        expected = rec.score(some)
        with rec.trace() as tracer:
            with tracer.invoke(first):
                one = rec.scores.save()
            with tracer.invoke(second):
                two = rec.scores.save()
    torch.testing.assert_close(torch.cat([one, two]), expected, **CLOSE)
    lists = steered_lists(rec, some, [rec.steer_of(named)])
    with rec.steer(named):
        np.testing.assert_array_equal(lists[0], rec.rank(some))
    with rec.steer({5: {1: 3.0, 3: -3.0}}, recommender.model.inference_inputs(some)):
        numbered = rec.scores.save()
    torch.testing.assert_close(numbered, expected, **CLOSE)


def test_chosen_steps_and_weights_equal_what_a_trace_writes(rec, some):
    with rec.trace(some):
        features = rec.blocks[0].features
        features[:, [-3, -1], 7] = 0.5 * features[:, [-3, -1], 7] + 2
        expected = rec.scores.save()
    with rec.steer({7: 4.0}, at=(-1, -3), weight=0.5):
        torch.testing.assert_close(rec.score(some), expected, **CLOSE)


def test_a_steer_is_kept_and_used_again(rec, some):
    kept = rec.steer_of({5: 2.0}, op="add")
    with rec.steer({5: 2.0}, op="add"):
        expected = rec.score(some)
    with rec.steer(from_json(to_json(kept))):
        assert torch.equal(rec.score(some), expected)
    with pytest.raises(InputError, match="is for the features of dictionary ffffffffffff, not of"):
        rec.steer(replace(kept, dictionary="f" * 64))


def test_names_and_units_once_a_dictionary_has_meanings(recommender, sae, some):
    units = pd.DataFrame({"std": 0.5, "p99": 4.0}, index=range(sae.n_features))
    rec = RecommenderEnvoy(recommender).attach(sae, Meanings({"Sci-Fi": (5, 7)}, units))
    with rec.steer({5: 2.0, 7: 2.0}):
        expected = rec.score(some)
    with rec.steer({"Sci-Fi": 0.5}, unit="p99"):
        assert torch.equal(rec.score(some), expected)
    with pytest.raises(InputError, match="feature 5 is set to 2 for Sci-Fi and then set to 1"):
        rec.steer({"Sci-Fi": 2.0, 5: 1.0})
    with pytest.raises(InputError, match="what 'Sci-Fi' means is not known"):
        rec.attach(sae).steer({"Sci-Fi": 2.0})


@pytest.mark.parametrize(
    ("edits", "how"),
    [
        ({}, {}),
        ([], {"op": "ablate"}),
        ({3: 0.0, 7: 0.0}, {"op": "add", "at": "all"}),
        ({3: 1.0}, {"op": "scale", "at": (-2, -1)}),
        ({3: 5.0}, {"weight": 0.0}),
        ({3: 1e6}, {"op": "cap"}),
        ({3: -1e6}, {"op": "floor"}),
    ],
)
def test_an_edit_of_nothing_is_bit_identical_to_none(rec, recommender, some, edits, how):
    expected = recommender.score(some)
    if not edits:
        with pytest.raises(InputError, match=r"no feature is named, .*; a steer of nothing is steer_of\(\{\}\)"):
            rec.steer(edits, **how)
        edits, how = rec.steer_of(edits, **how), {}
    with rec.steer(edits, **how):
        assert torch.equal(rec.score(some), expected)
        with rec.steer(edits, **how):
            assert torch.equal(rec.score(some), expected)
        with pytest.raises(RuntimeError, match="inside"), rec.steer({3: 5.0}):
            raise RuntimeError("inside")
        assert torch.equal(rec.score(some), expected)
    with rec.steer(edits, some, **how):
        traced = rec.scores.save()
    assert torch.equal(traced, expected)
    (lists,) = steered_lists(rec, some, [rec.steer_of(edits, **how)])
    np.testing.assert_array_equal(lists, recommender.rank(some))
    together = []
    thread = threading.Thread(target=lambda: together.append(rec.score(some)))
    with rec.steer(edits, **how):
        thread.start()
        thread.join()
    assert torch.equal(together[0], expected)
