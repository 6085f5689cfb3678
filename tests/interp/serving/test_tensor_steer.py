import math
from dataclasses import replace

import pandas as pd
import pytest
import torch
from tiny_recommenders import every_steer, random_sae, tiny_envoy

from interp.deployment.canonical import canonical
from interp.serving.dictionary_tensors import DictionaryTensors
from interp.serving.tensor_steer import TensorSteer
from interp.steering.edits import Edit, Push, Steer
from recmodels.errors import InputError

HIDDEN = 2 * torch.randn(5, 7, 16, generator=torch.Generator().manual_seed(3))
USERS = ["ann", "bob", "cyd", 7, "dee"]
STEERS = every_steer(tiny_envoy("gptrec"))


def unbound(steer):
    """The same for the features of any dictionary."""
    edits = tuple(replace(edit, dictionary=None) if isinstance(edit, Edit) else edit for edit in steer.edits)
    return Steer(edits, steer.site, steer.reconstruct)


def applied(steer, hidden, users):
    """On the last steps alone, as the service does."""
    output = hidden.clone()
    steps = slice(None) if steer.reach is None else slice(-steer.reach, None)
    output[:, steps] = steer(hidden[:, steps], steer.values(users))
    return output


@pytest.mark.parametrize("kind", ["unsquared", "gated", "top_k", "jump_relu", "multi_scale"])
@pytest.mark.parametrize("name", STEERS)
@pytest.mark.parametrize("width", [7, 2])
def test_it_does_what_the_steer_does(kind, name, width):
    sae, hidden = random_sae(kind, "none"), HIDDEN[:, -width:]
    steer = unbound(STEERS[name])
    expected = steer.apply(hidden, sae, pd.Index(USERS, dtype=object))
    result = applied(TensorSteer(steer, canonical(sae, HIDDEN.flatten(0, 1))), hidden, USERS)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)
    if name != "far" or width == 7:
        assert (expected != hidden).any()


@pytest.fixture
def by_hand():
    """Two features of two entries: relu(hidden entries − 1), each of which writes one entry, doubled."""
    eye = torch.eye(2)
    return DictionaryTensors("hand", torch.ones(2), eye, torch.zeros(2), 2 * eye, torch.tensor([10.0, 20.0]))


def test_by_hand(by_hand):
    hidden = torch.tensor([[[3.0, 5.0], [2.0, 0.0]]])  # features (2, 4), then (1, 0)
    steer = TensorSteer(Steer((Edit(0, 4.0), Edit(1, 0.5, "scale", "all")), ""), by_hand)
    # Feature 1 loses 2 at the first step: 4 of what it writes. Feature 0 gains 3 at the last: 6.
    assert applied(steer, hidden, ["ann"]).tolist() == [[[3.0, 1.0], [8.0, 0.0]]]
    replaced = TensorSteer(Steer((Edit(0, 4.0),), "", "last"), by_hand)
    assert applied(replaced, hidden, ["ann"]).tolist() == [[[3.0, 5.0], [18.0, 20.0]]]


def test_nan_leaves_every_bit(by_hand):
    sae = canonical(random_sae("gated", "none"), HIDDEN.flatten(0, 1))
    for steer in STEERS.values():
        module = TensorSteer(unbound(steer), sae)
        values = torch.full((5, len(module.columns)), math.nan)
        assert torch.equal(module(HIDDEN, values), HIDDEN)


def test_a_steer_of_one_kind_takes_one_round(by_hand):
    """Twenty features cost no more operations than one; edits of the same feature stay in order."""
    sae = canonical(random_sae("unsquared", "none"), HIDDEN.flatten(0, 1))
    twenty = TensorSteer(Steer(tuple(Edit(n, float(n)) for n in range(20)), ""), sae)
    assert len(twenty.rounds) == 1
    assert twenty.part.n_features == 20
    order = [Edit(0, 1.0, "add"), Edit(1, 2.0, "scale"), Edit(0, 2.0, "scale"), Edit(1, 1.0, "add")]
    assert [step.columns for step in TensorSteer(Steer(tuple(order), ""), sae).rounds] == [{0: 0}, {1: 1, 0: 2}, {1: 3}]


def test_how_far_back_it_reaches(by_hand):
    reach = {name: TensorSteer(Steer(s.edits, "", s.reconstruct), by_hand).reach for name, s in SMALL.items()}
    assert reach == {"last": 1, "steps": 4, "all": None, "reconstruct": None, "push": 2}


SMALL = {
    "last": Steer((Edit(0, 1.0),), ""),
    "steps": Steer((Edit(0, 1.0), Edit(1, 1.0, at=(-2, -4))), ""),
    "all": Steer((Edit(0, 1.0), Edit(1, 1.0, at="all")), ""),
    "reconstruct": Steer((Edit(0, 1.0),), "", "all"),
    "push": Steer((Push(torch.ones(2), 1.0, (-2,)),), ""),
}


@pytest.mark.parametrize(
    ("steer", "message"),
    [
        (Steer((Edit(2, 1.0),), ""), "no feature 2"),
        (Steer((Edit(0, 1.0),), "", dictionary="other"), "dictionary other"),
        (Steer((Push(torch.ones(3), 1.0),), ""), "has 2 entries"),
    ],
)
def test_what_a_dictionary_cannot_carry_out_is_refused(steer, message, by_hand):
    with pytest.raises(InputError, match=message):
        TensorSteer(steer, by_hand)
