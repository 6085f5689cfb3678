import pandas as pd
import pytest

from interp.concepts.suggestions import unknown_concept

CONCEPTS = ["War", "Sci-Fi", "Romance"]
LABELS = pd.DataFrame(
    {
        "feature": [3, 5, 8, 9, 12, 14, 15, 20],
        "label": ["1997", "1997", "1997", "1997", "Star Trek", "War & Love", "1998", "1998"],
        "labelled": [True, True, True, True, True, True, True, False],
    }
)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sci-fi", ": did you mean 'Sci-Fi'?"),
        ("Romanse", ": did you mean 'Romance'?"),
        ("Western", ": choose one of Romance, Sci-Fi, War"),
        ("1997", ", but features 3, 5, 8 and 1 more are labelled so: study.features[3]"),
        ("1998", ", but feature 15 is labelled so: study.features[15]"),
        ("Star Trek", ", but feature 12 is labelled so: study.features[12]"),
    ],
)
def test_a_name_that_is_no_concept(name, says):
    assert unknown_concept(name, CONCEPTS, LABELS) == f"there is no concept {name!r}{says}"


def test_without_labels_concepts_alone_are_suggested():
    assert unknown_concept("1997", CONCEPTS) == "there is no concept '1997': choose one of Romance, Sci-Fi, War"


@pytest.mark.parametrize("name", ["Horror", "5"])
def test_items_without_an_attribute_have_features_by_number(name):
    says = "the items have no attribute, so steer features by number; a dose needs a concept"
    assert unknown_concept(name, []) == f"there is no concept {name!r}: {says}"


def test_two_features_and_a_concept_that_is_close():
    labels = LABELS.assign(label="Wars").head(2)
    says = "there is no concept 'Wars', but features 3 and 5 are labelled so: study.features[3]; did you mean 'War'?"
    assert unknown_concept("Wars", CONCEPTS, labels) == says
