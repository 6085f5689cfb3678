import numpy as np
import pandas as pd
import pytest

from interp.concepts import concepts_of
from recmodels.errors import InputError

ITEMS = pd.DataFrame(
    {
        "title": list("ABCDE"),
        "genres": [("War", "Drama"), ["Drama"], (), None, np.array(["Western", None], dtype=object)],
        "year": pd.array([1995, 1996, None, 1995, 1995], dtype="Int64"),
        "language": ["en", float("nan"), "fr", "en", None],
        "tags": [("dark", "dark"), ("dark",), ("slow", "slow"), (), ()],
    },
    index=pd.Index([7, 3, 9, 1, 5], name="item"),
)


def members(concepts):
    """Items of every concept."""
    return {name: set(concepts.items[concepts.matrix[:, i]]) for i, name in enumerate(concepts.names)}


@pytest.mark.parametrize(
    ("column", "least", "expected"),
    [
        ("genres", 1, {"Drama": {7, 3}, "War": {7}, "Western": {5}}),
        ("genres", 2, {"Drama": {7, 3}}),
        ("year", 1, {"1995": {7, 1, 5}, "1996": {3}}),
        ("year", 3, {"1995": {7, 1, 5}}),
        ("language", 1, {"en": {7, 1}, "fr": {9}}),
        ("tags", 1, {"dark": {7, 3}, "slow": {9}}),
        # A repeated value does not make an item count twice.
        ("tags", 2, {"dark": {7, 3}}),
    ],
)
def test_which_item_has_what(column, least, expected):
    concepts = concepts_of(ITEMS, column, least)
    assert members(concepts) == expected
    assert concepts.names == sorted(expected)
    assert concepts.matrix.dtype == bool


def test_an_item_without_a_value_that_every_item_has_is_not_known():
    """Also of those whose value is too rare to be a concept it is known that they lack the others."""
    concepts = concepts_of(ITEMS, "language", 2, of_every_item=True)
    assert members(concepts) == {"en": {7, 1}}
    assert concepts.is_known([7, 3, 9, 1, 5]).tolist() == [True, False, True, True, False]
    assert concepts.is_known([5, 5, 1]).tolist() == [False, False, True]
    plain = concepts_of(ITEMS, "language", 2)
    assert plain.is_known([3, 5]).all()
    assert plain.fingerprint != concepts.fingerprint
    with pytest.raises(InputError, match="item 4 has no row in the item table"):
        concepts.is_known([4])


def test_the_most_frequent_values_are_kept():
    assert members(concepts_of(ITEMS, "genres", most_frequent=2)) == {"Drama": {7, 3}, "War": {7}}
    assert concepts_of(ITEMS, "tags", most_frequent=9).names == ["dark", "slow"]


def test_labels_follow_the_items_asked_for():
    concepts = concepts_of(ITEMS, "genres")
    drama, war = concepts.index("Drama"), concepts.index("War")
    labels = concepts.labels([3, 7, 3, 9])
    assert labels[:, drama].tolist() == [True, True, True, False]
    assert labels[:, war].tolist() == [False, True, False, False]
    assert concepts.labels([]).shape == (0, 3)


def test_planted_concepts_are_found(planted):
    concepts = concepts_of(planted.items, planted.attribute)
    expected = [[name in has for name in concepts.names] for has in planted.items["concepts"]]
    assert concepts.matrix.tolist() == expected
    assert len(concepts.names) == 8


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda: concepts_of(ITEMS, "mood"),
            r"no column 'mood': choose genres, year, language, tags, decade, franchise, translated, or title:WORDS",
        ),
        (
            lambda: concepts_of(ITEMS, "genres", 3),
            r"^no value of attribute 'genres' has 3 items: lower min_support$",
        ),
        (
            lambda: concepts_of(ITEMS[["genres"]].iloc[2:4], "genres"),
            r"^no item has a value of attribute 'genres': choose another one$",
        ),
        (lambda: concepts_of(ITEMS.assign(mood=""), "mood"), "^no item has a value of attribute 'mood'"),
        (lambda: concepts_of(ITEMS, "genres").labels([7, 2]), r"^item 2 has no row in the item table"),
        (lambda: concepts_of(ITEMS, "genres").labels(["7"]), r"^item '7' has no row in the item table"),
        (lambda: concepts_of(ITEMS, "genres").index("drama"), r"'drama': did you mean 'Drama'\?$"),
        (lambda: concepts_of(ITEMS, "genres").index("Jazz"), r"'Jazz': choose one of Drama, War, Western$"),
    ],
)
def test_mistakes_are_explained_in_one_line(ask, message):
    with pytest.raises(InputError, match=message) as caught:
        ask()
    assert "\n" not in str(caught.value)


def test_empty_names_are_no_concepts():
    items = pd.DataFrame({"title": list("abc"), "genre": ["", "x", None]}, index=[1, 2, 3])
    assert concepts_of(items, "genre").names == ["x"]
