import re

import numpy as np
import pytest
import torch

from interp.steering.edits import Edit, Push, Steer
from interp.steering.validation import check_steer
from recmodels.errors import InputError


class Ten:
    """A dictionary of ten features."""

    n_features = 10
    fingerprint = "f" * 64


def steer(*edits, **more):
    return Steer(edits, "blocks.0", **more)


@pytest.mark.parametrize("feature", [0, 9, np.int64(1)])
@pytest.mark.parametrize("value", [0, -2.5, np.float32(1), {"ann": 1, "bob": -0.5}, {}])
@pytest.mark.parametrize("at", ["last", "all", (-1,), (-64, -1)])
def test_what_can_be_done(feature, value, at):
    asked = steer(Edit(feature, value, "add", at, 0.5), reconstruct="last", dictionary="f" * 64)
    assert check_steer(asked, Ten()) is asked


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (steer(Edit(10, 1.0)), "there is no feature 10: this dictionary has features 0 to 9"),
        (steer(Edit(-1, 1.0)), "there is no feature -1: this dictionary has features 0 to 9"),
        (steer(Edit(0.0, 1.0)), "there is no feature 0.0: this dictionary has features 0 to 9"),
        (steer(Edit(0, float("nan"))), "feature 0 is steered by nan: give a number between ±1e+09"),
        (steer(Edit(1, float("-inf"))), "feature 1 is steered by -inf: give a number between ±1e+09"),
        (
            steer(Edit(1, {"ann": 1.0, "bob": float("nan")})),
            "feature 1 is steered by nan: give a number between ±1e+09",
        ),
        (steer(Edit(0, "strong")), "feature 0 is steered by 'strong': give a number between ±1e+09"),
        (steer(Edit(0, None)), "feature 0 is steered by None: give a number between ±1e+09"),
        (steer(Edit(0, True)), "feature 0 is steered by True: give a number between ±1e+09"),
        (steer(Edit(0, 1e30)), "feature 0 is steered by 1e+30: give a number between ±1e+09"),
        (steer(Edit(0, 10**400)), f"feature 0 is steered by 1{'0' * 58}…: give a number between ±1e+09"),
        (steer(Edit(True, 1.0)), "there is no feature True: this dictionary has features 0 to 9"),
        (steer(5), "a steer holds 5: give it edits and pushes"),
        (steer(Push([1.0], 1.0)), "a direction is a list: give a tensor"),
        (steer(Edit(0, torch.ones(2))), "feature 0 is steered by tensor([1., 1.]): give a number between ±1e+09"),
        (steer(Edit(0, 1.0, "mul")), "op is 'mul': choose one of set, add, scale, floor, cap"),
        (
            steer(Edit(0, 1.0, at="first")),
            'at is \'first\': choose "last", "all" or steps from the end such as (-1, -2)',
        ),
        (steer(Edit(0, 1.0, at=(0,))), "at is (0,): count steps from the end, such as (-1, -2) for the last two"),
        (steer(Edit(0, 1.0, at=())), "at is (): count steps from the end, such as (-1, -2) for the last two"),
        (steer(Edit(3, 1.0, weight=1.5)), "the weight is 1.5: give a number from 0 to 1"),
        (steer(Edit(0, 1.0), reconstruct="some"), "reconstruct is 'some': choose one of none, last, all"),
        (
            steer(Push(torch.ones(2), float("nan"))),
            "a direction or its factor is not finite: give numbers of at most 1e+09",
        ),
        (
            steer(Push(torch.ones(2), 1.0, (1,))),
            "at is (1,): count steps from the end, such as (-1, -2) for the last two",
        ),
        (
            steer(dictionary="e" * 64),
            "this steer is for the features of dictionary eeeeeeeeeeee, not of ffffffffffff, which mean something "
            "else: carry it there by interp.carry, or write it again",
        ),
    ],
)
def test_mistakes_are_explained_in_one_line(asked, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_steer(asked, Ten())


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([Edit(1, 2.0), Edit(1, 0.0)], "set to 2 and then set to 0"),
        ([Edit(1, 2.0, "add"), Edit(1, 0.0)], "raised by 2 and then set to 0"),
        ([Edit(1, 2.0, at="all"), Edit(1, 0.0)], "set to 2 and then set to 0"),
        ([Edit(1, 2.0, at=(-1, -2)), Edit(1, 1.0)], "set to 2 and then set to 1"),
        (
            [Edit(1, 2.0, "floor"), Edit(1, 1.0, "cap")],
            "kept above 2 and then kept below 1",
        ),
        (
            [Edit(1, 1.0, "cap"), Edit(1, 2.0, "floor")],
            "kept below 1 and then kept above 2",
        ),
        ([Edit(1, 2.0), Edit(1, 1.0, "cap")], "set to 2 and then kept below 1"),
        ([Edit(1, 1.0), Edit(1, 2.0, "floor")], "set to 1 and then kept above 2"),
        (
            [Edit(1, 2.0, concept="War"), Edit(1, 1.0, concept="Action")],
            "set to 2 for War and then set to 1 for Action",
        ),
        (
            [Edit(1, {"ann": 2.0}), Edit(1, {"ann": 1.0, "bob": 1.0})],
            "set to values by user and then set to values by user",
        ),
        (
            [Edit(1, {"ann": 0.0, "bob": 2.0}, "floor"), Edit(1, 1.0, "cap")],
            "kept above values by user and then kept below 1",
        ),
    ],
)
def test_contradictions_are_refused(edits, message):
    with pytest.raises(InputError, match=f"^feature 1 is {re.escape(message)}: keep one of these$"):
        check_steer(steer(*edits), Ten())


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(1, 2.0), Edit(2, 0.0)],
        [Edit(1, 2.0, concept="War"), Edit(1, 2.0, concept="Action")],
        [Edit(1, 2.0), Edit(1, 2.0, "cap"), Edit(1, 1.0, "floor")],
        [Edit(1, 2.0), Edit(1, 0.5, "scale"), Edit(1, 1.0, "add")],
        [Edit(1, 2.0), Edit(1, 0.0, at=(-2,))],
        [Edit(1, 2.0), Edit(1, 0.0, weight=0.5)],
        [Edit(1, 1.0, "floor"), Edit(1, 1.0, "cap")],
        [Edit(1, 2.0, "floor", "last"), Edit(1, 1.0, "cap", (-2,))],
        [Edit(1, {"ann": 2.0}), Edit(1, {"bob": 1.0})],
        [Edit(1, {"ann": 2.0}, "floor"), Edit(1, {"bob": 1.0}, "cap")],
    ],
)
def test_edits_that_only_build_on_each_other_are_not_contradictions(edits):
    check_steer(steer(*edits), Ten())
