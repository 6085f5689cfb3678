import pandas as pd
import pytest

from interp.concepts import concepts_of
from interp.concepts.attributes import attribute, franchise
from recmodels.errors import InputError

TITLES = [
    "Star Wars: Episode IV - A New Hope (1977)",
    "Star Wars: Episode V - The Empire Strikes Back (1980)",
    "Godfather, The (1972)",
    "Godfather: Part II, The (1974)",
    "Rocky (1976)",
    "Rocky II (1979)",
    "Friday the 13th Part 2 (1981)",
    "Friday the 13th (1980)",
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
    "Seven (a.k.a. Se7en) (1995)",
    "King Kong (1933)",
    "King Kong (1976)",
    "<b>1900</b> (1976)",
    "2001",
    "",
]
ITEMS = pd.DataFrame(
    {"title": TITLES, "year": pd.array([1977, 1980, *[None] * 11, 2001, 2010], dtype="Int64")},
    index=pd.Index(range(10, 25), name="item"),
)


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Star Trek: First Contact (1996)", "Star Trek"),
        ("Godfather: Part II, The (1974)", "Godfather"),
        ("Halloween 4: The Return of Michael Myers (1988)", "Halloween"),
        ("Nightmare on Elm Street Part 2: Freddy's Revenge, A (1985)", "Nightmare on Elm Street"),
        ("Back to the Future Part III (1990)", "Back to the Future"),
        ("Naked Gun 33 1/3 - The Final Insult (1994)", "Naked Gun 33 1/3"),
        ("Apollo 13 (1995)", "Apollo"),
        ("2001", "2001"),
        ("(1999)", "(1999)"),
    ],
)
def test_what_a_series_has_in_common(title, stem):
    assert franchise(title) == (stem if stem != "(1999)" else "")


def test_a_franchise_has_two_different_titles():
    found = attribute(ITEMS, "franchise").dropna()
    assert found.to_dict() == {
        10: "Star Wars",
        11: "Star Wars",
        12: "Godfather",
        13: "Godfather",
        14: "Rocky",
        15: "Rocky",
        16: "Friday the 13th",
        17: "Friday the 13th",
    }


def test_decades_come_from_years():
    found = attribute(ITEMS, "decade")
    assert found.dropna().to_dict() == {10: "1970s", 11: "1980s", 23: "2000s", 24: "2010s"}


def test_years_that_are_no_numbers_have_no_decade():
    years = ["1977", 1985.0, "c. 1960", "1950-01-02", ("1950", "1951"), float("inf"), None, ""]
    found = attribute(pd.DataFrame({"title": list("abcdefgh"), "year": years}), "decade")
    assert found.dropna().to_dict() == {0: "1970s", 1: "1980s"}


def test_a_second_title_in_brackets_tells_a_translation():
    assert attribute(ITEMS, "translated").dropna().to_dict() == {18: "translated"}


def test_a_pattern_in_the_title():
    concepts = concepts_of(ITEMS, "title:star wars")
    assert concepts.names == ["star wars"]
    assert concepts.items[concepts.matrix[:, 0]].tolist() == [10, 11]
    assert concepts_of(ITEMS, "title:(1995").matrix.sum() == 2  # words, not a regular expression


def test_a_column_comes_before_what_is_derived():
    items = ITEMS.assign(decade="mine")
    assert set(attribute(items, "decade")) == {"mine"}


@pytest.mark.parametrize("name", ["mood", "title:", "title: "])
def test_unknown_attributes_are_named_with_the_known(name):
    with pytest.raises(InputError, match=r"no column .*: choose year, decade, franchise, translated, or title:WORDS"):
        attribute(ITEMS, name)
    with pytest.raises(InputError, match="choose franchise, translated, or"):
        attribute(ITEMS[["title"]], "decade")
