"""Steers in the features of another dictionary, by hand."""

import pytest
import torch

from interp.control.translation import Counterpart, translate
from interp.steering.edits import Edit, Push, Steer
from recmodels.errors import InputError

COUNTERPARTS = {3: Counterpart(7, 2.0), 4: Counterpart(0, 0.5)}


def test_values_are_scaled_and_factors_are_not():
    steer = Steer(
        (
            Edit(3, 1.5, "set", "all", 0.5, "Horror"),
            Edit(4, {"ann": 2.0, "bo": -1.0}, "add"),
            Edit(3, 0.25, "scale"),
            Edit(4, 6.0, "cap", (-1, -2)),
        ),
        "blocks.0",
        "last",
        "a" * 64,
    )
    carried = translate(steer, COUNTERPARTS, "final", "b" * 64)
    assert carried == Steer(
        (
            Edit(7, 3.0, "set", "all", 0.5, "Horror"),
            Edit(0, {"ann": 1.0, "bo": -0.5}, "add"),
            Edit(7, 0.25, "scale"),
            Edit(0, 3.0, "cap", (-1, -2)),
        ),
        "final",
        "last",
        "b" * 64,
    )
    assert {edit.dictionary for edit in carried.edits} == {"b" * 64}


def test_a_direction_is_refused():
    steer = Steer((Push(torch.ones(4), 1.0),), "blocks.0")
    with pytest.raises(InputError, match="pushes along a direction, which another recommender does not have"):
        translate(steer, COUNTERPARTS, "blocks.0", "b" * 64)
