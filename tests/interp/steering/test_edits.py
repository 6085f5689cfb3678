import pandas as pd
import pytest
import torch

from interp.steering.edits import Edit, Push, Steer
from interp.steering.validation import check_steer
from recmodels.errors import InputError

B, S, D = 3, 4, 5


class Orthogonal:
    """A linear dictionary of two orthonormal directions: it misses the other three dimensions."""

    n_features = 2
    fingerprint = "orthogonal"

    def __init__(self):
        self.directions = torch.linalg.qr(torch.randn(D, 2, generator=torch.Generator().manual_seed(0)))[0].T

    def encode(self, hidden):
        return hidden @ self.directions.T

    def decode(self, features):
        return features @ self.directions + 0.5

    def write(self, change):
        return change @ self.directions


@pytest.fixture(scope="module")
def coder():
    return Orthogonal()


@pytest.fixture
def hidden():
    return torch.randn(B, S, D, generator=torch.Generator().manual_seed(1))


def steer(*edits, reconstruct="none"):
    return Steer(edits, "blocks.0", reconstruct)


NAMES = pd.Index(["ann", "bob", "cid"])
STEPS = {"last": [S - 1], "all": range(S), (-1,): [S - 1], (-3, -1): [S - 3, S - 1], (-9,): []}


@pytest.mark.parametrize("weight", [1.0, 0.25])
@pytest.mark.parametrize("at", STEPS)
@pytest.mark.parametrize("value", [0.5, {"cid": -2.0, "ann": 1.0, "dan": 7.0}])
@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("set", lambda before, value: value),
        ("add", lambda before, value: before + value),
        ("scale", lambda before, value: before * value),
        ("floor", max),
        ("cap", min),
    ],
)
def test_an_edit_changes_one_feature_where_it_says(at, value, op, weight, expected):
    before = torch.randn(B, S, 3, generator=torch.Generator().manual_seed(2))
    after = before.clone()
    Edit(1, value, op, at, weight).apply(after, NAMES)
    for user, name in enumerate(NAMES):
        for step in range(S):
            for feature in range(3):
                one = value.get(name) if isinstance(value, dict) else value
                was = float(before[user, step, feature])
                would = was
                if feature == 1 and step in STEPS[at] and one is not None:
                    would = (1 - weight) * was + weight * expected(was, one)
                assert float(after[user, step, feature]) == pytest.approx(would)


def test_users_without_labels_are_numbered():
    features = torch.zeros(3, 2, 4)
    Edit(1, {0: 2.0, 2: 3.0}).apply(features)
    assert features[:, -1, 1].tolist() == [2, 0, 3]
    assert not features[:, 0].any()


@pytest.mark.parametrize(("at", "changed"), [("last", [S - 1]), ("all", range(S))])
def test_the_hidden_state_moves_along_the_feature_only(coder, hidden, at, changed):
    given = hidden.clone()
    steered = steer(Edit(1, 7.0, "add", at)).apply(hidden, coder)
    expected = hidden.clone()
    for step in changed:
        expected[:, step] += 7 * coder.directions[1]
    torch.testing.assert_close(steered, expected)
    assert torch.equal(hidden, given)


@pytest.mark.parametrize("op", ["set", "scale"])
@pytest.mark.parametrize("at", ["last", "all"])
def test_the_steered_state_reads_as_asked(coder, hidden, op, at):
    steps = slice(None) if at == "all" else slice(-1, None)
    before = coder.encode(hidden)
    after = coder.encode(steer(Edit(0, {0: 1.0, 1: -2.0, 2: 3.0}, op, at)).apply(hidden, coder))
    asked = torch.tensor([[1.0], [-2.0], [3.0]])
    asked = asked.expand(B, S) if op == "set" else asked * before[..., 0]
    torch.testing.assert_close(after[:, steps, 0], asked[:, steps], atol=1e-5, rtol=0)
    torch.testing.assert_close(after[..., 1], before[..., 1], atol=1e-5, rtol=0)


def test_edits_are_made_one_after_the_other(coder, hidden):
    edits = (Edit(0, 2.0, "set"), Edit(0, 3.0, "scale"), Edit(0, 1.0, "add"), Edit(1, 0.0, "set"))
    assert check_steer(steer(*edits), coder).edits == edits
    features = coder.encode(steer(*edits).apply(hidden, coder))[:, -1]
    torch.testing.assert_close(features, torch.tensor([[7.0, 0.0]] * B), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("reconstruct", "replaced"), [("none", []), ("last", [S - 1]), ("all", range(S))])
@pytest.mark.parametrize("at", ["last", "all"])
def test_where_the_reconstruction_replaces_the_state(coder, hidden, reconstruct, replaced, at):
    steered = steer(Edit(0, 4.0, "set", at), reconstruct=reconstruct).apply(hidden, coder)
    features = coder.encode(hidden)
    Edit(0, 4.0, "set", at).apply(features)
    kept = hidden + (features - coder.encode(hidden)) @ coder.directions
    rebuilt = features @ coder.directions + 0.5
    assert (kept - rebuilt).abs().amax(dim=(0, 2)).min() > 0.1
    expected = [rebuilt[:, step] if step in replaced else kept[:, step] for step in range(S)]
    torch.testing.assert_close(steered, torch.stack(expected, dim=1))


@pytest.mark.parametrize("reconstruct", ["last", "all"])
def test_reconstruction_without_edits(coder, hidden, reconstruct):
    steered = steer(reconstruct=reconstruct).apply(hidden, coder)
    rebuilt = coder.decode(coder.encode(hidden))
    first = 0 if reconstruct == "all" else S - 1
    torch.testing.assert_close(steered[:, first:], rebuilt[:, first:])
    assert torch.equal(steered[:, :first], hidden[:, :first])


def test_features_set_to_what_they_are_change_nothing(coder, hidden):
    features = coder.encode(hidden)[:, -1]
    edits = [Edit(f, dict(enumerate(features[:, f].tolist()))) for f in range(2)] + [
        Edit(0, 0.0, "add", "all"),
        Edit(1, 1.0, "scale", "all"),
    ]
    torch.testing.assert_close(steer(*edits).apply(hidden, coder), hidden, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("at", "first"), [("last", S - 1), ("all", 0)])
def test_a_direction_is_added_where_asked(coder, hidden, at, first):
    direction = torch.arange(1.0, hidden.shape[-1] + 1)
    steered = steer(Push(direction, -2.0, at)).apply(hidden, coder)
    torch.testing.assert_close(steered[:, first:], hidden[:, first:] - 2 * direction)
    assert torch.equal(steered[:, :first], hidden[:, :first])


def test_a_direction_is_added_after_features_and_reconstruction(coder, hidden):
    direction, edit = torch.ones(hidden.shape[-1]), Edit(0, 4.0)
    both = steer(Push(direction, 3.0), edit, reconstruct="all").apply(hidden, coder)
    alone = steer(edit, reconstruct="all").apply(hidden, coder)
    torch.testing.assert_close(both[:, -1], alone[:, -1] + 3)
    assert torch.equal(both[:, :-1], alone[:, :-1])


def test_a_direction_must_fit(coder, hidden):
    with pytest.raises(InputError, match=rf"has {hidden.shape[-1]} entries, not shape \(99,\)"):
        steer(Push(torch.ones(99), 1.0)).apply(hidden, coder)


def test_only_a_steer_that_does_nothing_is_empty():
    assert steer().empty
    assert not steer(Edit(0, 0.0, "add")).empty
    assert not steer(reconstruct="last").empty


@pytest.mark.parametrize(("at", "first"), [("last", 3), ("all", 0), ((-2,), 2), ((-1, -4), 0), ((-9,), 3)])
def test_steps_before_the_first_chosen_one_are_left_alone(coder, hidden, at, first):
    steered = steer(Edit(0, 4.0, "set", at), Edit(1, 4.0, "set", "last")).apply(hidden, coder)
    assert torch.equal(steered[:, :first], hidden[:, :first])
    changed = (steered != hidden).any(dim=2).all(dim=0)
    assert changed.tolist() == [step in STEPS.get(at, {-2: [2]}.get(at[0], [0, 3])) or step == 3 for step in range(S)]


def test_the_concepts_of_a_steer_are_named_once():
    edits = [Edit(0, 1.0, concept="Drama"), Edit(1, 1.0, concept="Drama"), Edit(2, 1.0), Edit(3, 1.0, concept="War")]
    assert steer(*edits, Push(torch.ones(D), 1.0)).concepts == ["Drama", "War"]
    assert not steer(*edits).by_user
    assert steer(Edit(0, {7: 1.0})).by_user
