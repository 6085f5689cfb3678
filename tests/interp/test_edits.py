import numpy as np
import pytest
import torch

from interp.edits import Edit, Push, Steer, steer_of
from recmodels.errors import InputError

B, S, D = 3, 4, 5


class Orthogonal:
    """A linear dictionary of two orthonormal directions: it misses the other three dimensions."""

    n_features = 2

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


USERS = torch.tensor([1.0, -2.0, 3.0])


@pytest.mark.parametrize("at", ["last", "all"])
@pytest.mark.parametrize("value", [2.5, USERS])
@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("set", lambda before, value: value),
        ("add", lambda before, value: before + value),
        ("scale", lambda before, value: before * value),
    ],
)
def test_an_edit_changes_one_feature_where_it_says(at, value, op, expected):
    before = torch.randn(B, S, 3, generator=torch.Generator().manual_seed(2))
    after = before.clone()
    Edit(1, value, op, at).apply(after)
    for user in range(B):
        for step in range(S):
            for feature in range(3):
                one = float(value[user]) if isinstance(value, torch.Tensor) else value
                changed = feature == 1 and (at == "all" or step == S - 1)
                was = float(before[user, step, feature])
                assert float(after[user, step, feature]) == pytest.approx(expected(was, one) if changed else was)


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
    after = coder.encode(steer(Edit(0, USERS, op, at)).apply(hidden, coder))
    asked = USERS[:, None].expand(B, S) if op == "set" else USERS[:, None] * before[..., 0]
    torch.testing.assert_close(after[:, steps, 0], asked[:, steps], atol=1e-5, rtol=0)
    torch.testing.assert_close(after[..., 1], before[..., 1], atol=1e-5, rtol=0)


def test_edits_are_made_one_after_the_other(coder, hidden):
    edits = (Edit(0, 2.0, "set"), Edit(0, 3.0, "scale"), Edit(0, 1.0, "add"), Edit(1, 0.0, "set"))
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
    edits = [Edit(f, features[:, f]) for f in range(2)] + [
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


def test_a_direction_must_fit_and_be_finite(coder, hidden):
    with pytest.raises(InputError, match="not finite"):
        steer(Push(torch.ones(2), float("nan"))).checked(coder)
    with pytest.raises(InputError, match="first"):
        steer(Push(torch.ones(2), 1.0, "first")).checked(coder)
    with pytest.raises(InputError, match=rf"has {hidden.shape[-1]} entries, not shape \(99,\)"):
        steer(Push(torch.ones(99), 1.0)).apply(hidden, coder)


def test_only_a_steer_that_does_nothing_is_empty():
    assert steer().empty
    assert not steer(Edit(0, 0.0, "add")).empty
    assert not steer(reconstruct="last").empty


def test_a_mapping_makes_a_steer():
    made = steer_of({3: 2.0, 1: -1.0}, "blocks.1", "add", "all", "last")
    assert made == Steer((Edit(3, 2.0, "add", "all"), Edit(1, -1.0, "add", "all")), "blocks.1", "last")
    assert steer_of(made, "blocks.0", "set", "last", "none") is made


@pytest.mark.parametrize("feature", [0, 1, np.int64(1)])
@pytest.mark.parametrize("value", [0, -2.5, np.float32(1), USERS, torch.tensor(2.0)])
def test_what_can_be_done(coder, hidden, feature, value):
    asked = steer(Edit(feature, value, "add", "all"), reconstruct="last")
    assert asked.checked(coder) is asked
    assert asked.apply(hidden, coder).shape == hidden.shape


@pytest.mark.parametrize(
    ("edit", "reconstruct", "message"),
    [
        (Edit(2, 1.0), "none", "^there is no feature 2: this dictionary has features 0 to 1$"),
        (Edit(-1, 1.0), "none", "^there is no feature -1: .* 0 to 1$"),
        (Edit(0.0, 1.0), "none", r"^there is no feature 0\.0"),
        (Edit("Sci-Fi", 1.0), "none", "^there is no feature 'Sci-Fi'"),
        (Edit(0, float("nan")), "none", "^feature 0 is steered by nan: give a finite number$"),
        (Edit(1, float("-inf")), "none", "^feature 1 is steered by -inf: give a finite number$"),
        (
            Edit(1, torch.tensor([1.0, torch.inf])),
            "none",
            "^feature 1 is steered by .*: give a finite number$",
        ),
        (Edit(0, "strong"), "none", "^feature 0 is steered by 'strong': give a finite number$"),
        (Edit(0, None), "none", "^feature 0 is steered by None: give a finite number$"),
        (Edit(0, torch.ones(2, 2)), "none", "^feature 0 is steered by .*: give a finite number$"),
        (Edit(0, 1.0, op="mul"), "none", "^op is 'mul': choose one of set, add, scale$"),
        (Edit(0, 1.0, at="first"), "none", "^at is 'first': choose one of last, all$"),
        (Edit(0, 1.0), "some", "^reconstruct is 'some': choose one of none, last, all$"),
        (Edit(0, 1.0), None, "^reconstruct is None: choose one of"),
    ],
)
def test_mistakes_are_explained_in_one_line(coder, edit, reconstruct, message):
    with pytest.raises(InputError, match=message) as caught:
        steer(edit, reconstruct=reconstruct).checked(coder)
    assert "\n" not in str(caught.value)


def test_a_value_for_each_user_or_one_for_all():
    features = torch.zeros(3, 2, 4)
    Edit(1, torch.tensor(2.0)).apply(features)
    assert features[:, -1, 1].tolist() == [2, 2, 2]
    with pytest.raises(InputError, match="2 values, but 3 histories"):
        Edit(1, torch.tensor([1.0, 2.0])).apply(features)
