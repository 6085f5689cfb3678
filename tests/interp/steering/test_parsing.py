import numpy as np
import pandas as pd
import pytest
import torch

from interp.steering.edits import Edit, Push, Steer
from interp.steering.parsing import Meanings, steer_of
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def meanings():
    features = pd.DataFrame(
        {
            "feature": [0, 1, 2, 3, 4],
            "concept": ["War", "Sci-Fi", "Sci-Fi", "Sci-Fi", "War"],
            "correlation": [0.1, 0.3, 0.19, 0.6, 0.25],
            "std": [0.5, 0.25, 0.1, 2.0, 0.0],
            "p99": [4.0, 2.0, 1.0, 8.0, 0.0],
        }
    )
    # The top feature of War is better aligned with Sci-Fi.
    concepts = pd.DataFrame({"concept": ["Sci-Fi", "War"], "feature": [3, 1]})
    return Meanings.of_tables(features, concepts)


def test_a_concept_is_its_top_feature_and_those_aligned_with_nothing_else_more(meanings):
    assert meanings.concepts == {"Sci-Fi": (3, 1), "War": (1, 4)}


def test_a_mapping_makes_a_steer():
    made = steer_of({3: 2.0, np.int64(1): np.float32(-1)}, "blocks.1", op="add", at="all", reconstruct="last")
    assert made == Steer((Edit(3, 2.0, "add", "all"), Edit(1, -1.0, "add", "all")), "blocks.1", "last")
    assert all(type(edit.feature) is int and type(edit.value) is float for edit in made.edits)
    series = pd.Series([0.5, 0.0], index=[3, 1])
    assert steer_of(series, "final", weight=0.25).edits == (Edit(3, 0.5, weight=0.25), Edit(1, 0.0, weight=0.25))


@pytest.mark.parametrize(("at", "steps"), [(-2, (-2,)), ([-1, -3], (-1, -3)), ((-1,), (-1,)), ("all", "all")])
def test_steps_in_every_form(at, steps):
    assert steer_of({0: 1}, "final", at=at).edits[0].at == steps


@pytest.mark.parametrize(("unit", "values"), [("activation", (2.0, 2.0)), ("std", (4.0, 0.5)), ("p99", (16.0, 4.0))])
def test_a_concept_in_the_units_of_its_features(meanings, unit, values):
    made = steer_of({"Sci-Fi": 2}, "blocks.0", unit=unit, meanings=meanings)
    assert made.edits == tuple(
        Edit(feature, value, concept="Sci-Fi") for feature, value in zip((3, 1), values, strict=True)
    )
    assert made.concepts == ["Sci-Fi"]


def test_values_by_user_have_the_unit_of_the_feature(meanings):
    made = steer_of({3: {"ann": 1, "bob": -0.5}, 1: pd.Series({"ann": 2})}, "final", unit="p99", meanings=meanings)
    assert made.edits == (Edit(3, {"ann": 8.0, "bob": -4.0}), Edit(1, {"ann": 4.0}))


def test_clamp_and_ablate(meanings):
    made = steer_of({1: (0.5, 2)}, "final", op="clamp", unit="std", meanings=meanings)
    assert made.edits == (Edit(1, 0.125, "floor"), Edit(1, 0.5, "cap"))
    by_user = steer_of({1: {"ann": (0, 1), "bob": [2, 3]}}, "final", op="clamp")
    assert by_user.edits == (Edit(1, {"ann": 0, "bob": 2}, "floor"), Edit(1, {"ann": 1, "bob": 3}, "cap"))
    assert steer_of([4, "Sci-Fi"], "final", op="ablate", meanings=meanings).edits == (
        Edit(4, 0.0),
        Edit(3, 0.0, concept="Sci-Fi"),
        Edit(1, 0.0, concept="Sci-Fi"),
    )


def test_edits_are_taken_as_they_are():
    edits = [Edit(1, 2.0, "floor"), Push(torch.ones(2), 1.0)]
    assert steer_of(edits, "final").edits == tuple(edits)


@pytest.mark.parametrize(
    ("edits", "how", "message"),
    [
        ({"Jazz": 1}, {}, "^there is no concept 'Jazz': choose one of Sci-Fi, War$"),
        ({4: 1}, {"unit": "std"}, "^feature 4 is never active, so it has no std: give its value in activation$"),
        ({1: 1}, {"unit": "max"}, "^unit is 'max': choose one of activation, std, p99$"),
        ({1: 1}, {"op": "mul"}, "^op is 'mul': choose one of set, add, scale, floor, cap, clamp, ablate$"),
        ({1: 1}, {"op": "scale", "unit": "std"}, '^scale has no unit: leave out unit="std"$'),
        ({1: 1}, {"op": "clamp"}, r"^feature 1 is clamped by 1: give a pair \(floor, cap\)$"),
        ({1: 1}, {"op": "ablate"}, '^op is "ablate", which takes no values: give a list of features$'),
        ([1, 2], {}, r"^\[1, 2\] has no values: give a mapping such as .*, or op=\"ablate\" to set them to 0$"),
        ("Sci-Fi", {}, "^cannot read edits from 'Sci-Fi': give a mapping, such as {\"Horror\": 1.0}$"),
        (5, {}, "^cannot read edits from 5: give a mapping, such as"),
        ("Sci-Fi", {"op": "ablate"}, "^cannot read edits from 'Sci-Fi': give a list of features, such as"),
        ({"Sci-Fi": {}}, {}, "^'Sci-Fi' has a value for no user, so nothing would change"),
        ({"Sci-Fi": "1"}, {"unit": "p99"}, r"^'Sci-Fi' is steered by '1': give a number between ±"),
        ({"Sci-Fi": {"ann": None}}, {}, r"^'Sci-Fi' is steered by None: give a number"),
        ({"Sci-Fi": (3, 1)}, {"op": "clamp"}, r"^'Sci-Fi' is clamped by \(3, 1\), whose floor is above its cap: swap"),
        ({1: 1e30}, {}, r"^feature 1 is steered by 1e\+30: give a number between ±1e\+09$"),
    ],
)
def test_mistakes_are_explained_in_one_line(meanings, edits, how, message):
    with pytest.raises(InputError, match=message):
        steer_of(edits, "final", meanings=meanings, **how)


def test_without_a_study_names_and_units_mean_nothing():
    with pytest.raises(InputError, match=r"^what 'Sci-Fi' means is not known here: .* `study.recommender`$"):
        steer_of({"Sci-Fi": 1}, "final")
    with pytest.raises(InputError, match=r"^the p99 of features is not known here: .* `study.recommender`$"):
        steer_of({1: 1}, "final", unit="p99")


def test_whole_floats_name_features_as_whole_numbers_do():
    keys = (1.0, np.float64(1), np.int64(1), torch.tensor(1.0))
    assert {steer_of({key: 2.0}, "final").edits for key in keys} == {(Edit(1, 2.0),)}


def test_a_concept_is_found_in_either_spelling_of_unicode():
    composed, decomposed = "Caf\u00e9", "Cafe\u0301"
    meanings = Meanings({composed: (1,)}, pd.DataFrame({"std": {1: 1.0}, "p99": {1: 1.0}}))
    assert steer_of({decomposed: 1.0}, "final", meanings=meanings).concepts == [composed]
