"""The same numbers whatever state of torch a process is in, and odd values refused in one line at every door."""

import copy
import fractions
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import torch

from interp.steering.edits import Edit, Push, Steer
from interp.steering.feature_names import feature_or_concept
from interp.steering.parsing import read_edits
from interp.steering.serialization import to_json
from recmodels.errors import InputError
from recmodels.recommender import Recommender


@contextmanager
def put_back(setter, value, usual):
    setter(value)
    try:
        yield
    finally:
        setter(usual)


STATES = {
    "float64": lambda rec: put_back(torch.set_default_dtype, torch.float64, torch.float32),
    "another device": lambda rec: put_back(torch.set_default_device, "meta", None),
    "training mode": lambda rec: put_back(rec.recommender.model.train, True, False),
    "autocast": lambda rec: torch.autocast("cpu", dtype=torch.bfloat16),
    "inference mode": lambda rec: torch.inference_mode(),
}


@pytest.mark.parametrize("state", STATES)
def test_states_of_the_process_change_no_number(rec, recommender, histories, state):
    some = histories.select(np.arange(3))

    def numbers():
        with rec.steer({3: 2.0}, op="add"):
            lists = rec.recommend(some, 5)
        return [lists, recommender.recommend(some, 5), pd.DataFrame(rec.blocks[0].sae.directions.numpy())]

    expected = numbers()
    with STATES[state](rec):
        found = numbers()
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_weights_of_another_precision_are_refused(recommender, histories):
    half = Recommender(copy.deepcopy(recommender.model).bfloat16(), recommender.vocabulary)
    with pytest.raises(InputError, match="weights are bfloat16: give float32"):
        half.score(histories.select(slice(1)))


class Silent:
    """Answers nothing about itself."""

    def __repr__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


ODD = [
    pd.NA,
    pd.DataFrame({"a": [1]}),
    pd.Series([1, 2], index=[3, 3]),
    np.array([[1, 2]]),
    np.array("x"),
    torch.ones(2),
    torch.empty((), device="meta"),
    1j,
    b"12",
    "a\nb\x1b[31m",
    10**400,
    float("nan"),
    True,
    [[1], [2]],
    {1, 2},
    Silent(),
    object,
]
DOORS = {
    "edits": lambda rec, odd: rec.steer_of(odd, op="floor"),
    "feature": lambda rec, odd: rec.steer_of([odd], op="ablate"),
    "value": lambda rec, odd: rec.steer_of({3: odd}),
    "user's value": lambda rec, odd: rec.steer_of({3: {"ann": odd}}),
    "pair": lambda rec, odd: rec.steer_of({3: (odd, 1)}, op="clamp"),
    "op": lambda rec, odd: rec.steer_of({3: 1}, op=odd),
    "at": lambda rec, odd: rec.steer_of({3: 1}, at=odd),
    "step": lambda rec, odd: rec.steer_of({3: 1}, at=(odd,)),
    "weight": lambda rec, odd: rec.steer_of({3: 1}, weight=odd),
    "unit": lambda rec, odd: rec.steer_of({3: 1}, unit=odd),
    "reconstruct": lambda rec, odd: rec.steer_of({3: 1}, reconstruct=odd),
    "site": lambda rec, odd: rec.steer_of({3: 1}, site=odd),
    "edit's feature": lambda rec, odd: rec.steer_of([Edit(odd, 1.0)]),
    "edit's value": lambda rec, odd: rec.steer_of([Edit(3, odd)]),
    "push": lambda rec, odd: rec.steer_of([Push(odd, odd)]),
    "steer": lambda rec, odd: rec.steer_of(Steer((odd,), "blocks.0")),
    "JSON": lambda rec, odd: to_json(Steer((Edit(3, odd),), "blocks.0")),
}


@pytest.mark.parametrize("door", DOORS)
def test_odd_values_are_refused_in_one_line(rec, door):
    for odd in ODD:
        if door == "edits" and isinstance(odd, pd.Series):
            odd = pd.Series([1.0, 2.0], index=[3, 3])
        if door == "weight" and odd is True:
            odd = "1"
        with pytest.raises(InputError) as error:
            DOORS[door](rec, odd)
        assert str(error.value).isprintable()


@pytest.mark.parametrize("two", [2, np.int64(2), np.float32(2), np.array(2.0), torch.tensor(2), fractions.Fraction(2)])
def test_numbers_of_every_library_are_numbers(rec, two):
    expected = rec.steer_of({3: 2.0}, at=(-2,))
    assert rec.steer_of({3: two}, at=(-2,)) == expected
    assert rec.steer_of({3: 2.0}, at=[np.int64(-2)]) == expected
    assert rec.steer_of({np.uint8(3): two}, at=-torch.tensor(2)) == expected


def test_a_name_that_is_two_things():
    concepts = ["12", "a=b", "rock", "last", "concept:rock", "x.json"]
    assert read_edits(["a=b=2", "last=1", "feature:12=1"], "set", concepts) == {"a=b": 2.0, "last": 1.0, 12: 1.0}
    assert read_edits(["concept:12", "7", "concept:x.json"], "ablate", concepts) == ["12", 7, "x.json"]
    assert feature_or_concept("12", concepts) == "12"  # in Python, text is a concept
    with pytest.raises(InputError, match="write concept:12 or feature:12"):
        read_edits(["12=1"], "set", concepts)
    with pytest.raises(InputError, match="write concept:concept:rock or concept:rock"):
        feature_or_concept("concept:rock", concepts)
    assert read_edits(["12=1"], "set", ["rock"]) == {12: 1.0}
