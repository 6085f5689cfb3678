"""Which concepts a study steers."""

import pandas as pd

from interp.control.targets import steering_targets

CONCEPTS = pd.DataFrame({"concept": list("ABCDEFG"), "feature": [1, 1, 2, 3, 4, 5, 6]})  # best aligned first
EVIDENCE = pd.DataFrame(
    {
        "source": ["features"] * 7 + ["neurons"] * 7,
        "concept": list("ABCDEFG") * 2,
        "passes": [True, True, False, True, False, True, True] + [True] * 7,
    }
)


def names(*arguments):
    return steering_targets(CONCEPTS, *arguments)["concept"].tolist()


def test_the_best_aligned_of_different_features():
    assert names() == ["A", "C", "D", "E", "F"]


def test_concepts_that_a_feature_follows_above_chance_come_first():
    assert names((), EVIDENCE) == ["A", "D", "F", "G", "C"]  # C is the best of the weak ones


def test_what_is_asked_for_is_steered_as_it_is():
    assert names(("E", "B"), EVIDENCE) == ["E", "B"]
