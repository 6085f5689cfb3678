"""Attributes of items, from columns of their table or derived: decades, franchises, patterns in the title.

An *attribute* is named by a text: a column of the item table, or one of

    decade            the decade of the column `year`, such as "1980s"
    franchise         films whose titles differ only after a colon, a number or "Part", such as "Star Wars"
    translated        "translated" where the title carries another one in brackets, as foreign films do
    title:Star Wars   "Star Wars" where the title contains these words, in any case

A script or another package adds its own by `register_attribute` (docs/plugins/dataset.md).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recmodels.errors import InputError
from recmodels.plugins import Registry

TITLE = "title:"
# "Godfather: Part II, The (1974)": the year, a second title, a trailing article, the part that marks a sequel.
BRACKETS = re.compile(r"\s*\([^()]*\)")
SECOND_TITLE = re.compile(r"\((?!a\.?k\.?a\b)[^()]+\)", re.IGNORECASE)
YEAR = re.compile(r"\s*\(\d{4}\)")
ARTICLE = re.compile(r",\s*(the|a|an|les?|la|das|der|die|il|el)$", re.IGNORECASE)
SEQUEL = re.compile(r"(:|\s-\s|,?\s+part\s|,?\s+(chapter|episode|vol\.?|volume)\s).*$", re.IGNORECASE)
NUMBER = re.compile(r"\s+(\d{1,2}|[ivx]{1,5}|\d½|\d 1/2)$", re.IGNORECASE)

WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Derived:
    """An attribute that follows from the item table.

    Attributes:
        values: gives one value, a tuple of them or None for each item of an item table.
        columns: which columns it needs, beside `title`.
    """

    values: Callable[[pd.DataFrame], pd.Series]
    columns: tuple[str, ...]


_DERIVED: Registry[Derived] = Registry("there is no attribute", "interp.attributes", "interp.register_attribute")


def register_attribute(
    name: str, values: Callable[[pd.DataFrame], pd.Series], columns: Sequence[str] = ()
) -> Callable[[pd.DataFrame], pd.Series]:
    """Register a source of concepts: an attribute that is computed from the item table, such as decades from years.

    Args:
        name: its name in `StudyConfig(attribute=…)` and `other_attributes`; a column of the same name takes precedence.
        values: called with the item table, indexed by item id; gives one value, a tuple of values, or None for each.
        columns: which columns it needs beside `title`. Data without them do not have the attribute.

    Returns:
        `values`.

    Raises:
        InputError: this package has an attribute of that name.
    """
    _DERIVED.add(name, Derived(values, tuple(columns)), values.__module__)
    return values


def attribute(items: pd.DataFrame, name: str) -> pd.Series:
    """The values of an attribute, one or a tuple of them per item.

    Args:
        items: indexed by item id, with a `title`.
        name: see the module.

    Raises:
        InputError: no such column, or no `year` to take decades from.
    """
    if name in items.columns and name != "title":
        return items[name]
    if name.startswith(TITLE) and name.removeprefix(TITLE).strip():
        words = name.removeprefix(TITLE).strip()
        return items["title"].str.contains(words, case=False, regex=False).map({True: words, False: None})
    _DERIVED.load()
    derived = {names: source.values for names, source in _DERIVED.items() if set(source.columns) <= set(items.columns)}
    if name in derived:
        return derived[name](items)
    names = [*items.columns.drop("title"), *derived]
    raise InputError(
        f"the item table has no column {name!r}: choose {', '.join(map(str, names))}, or title:WORDS of a title"
    )


def franchise(title: str) -> str:
    """The common part of the titles of a series: "Star Wars" of "Star Wars: Episode IV - A New Hope (1977)"."""
    bare = ARTICLE.sub("", BRACKETS.sub("", title).strip())
    bare = ARTICLE.sub("", SEQUEL.sub("", bare).strip())
    return NUMBER.sub("", bare).strip() or bare


def title_words(title: str) -> list[str]:
    """The words of a title that can name something, in lower case: no numbers, no brackets, no "the"."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # here, as few need it and it takes a while

    words = WORD.findall(BRACKETS.sub("", title).lower())
    return [word for word in words if word not in ENGLISH_STOP_WORDS]


def _decade(items: pd.DataFrame) -> pd.Series:
    """The decade of each year that is a number; None for others, such as "c. 1960"."""
    years = pd.to_numeric(items["year"].where(items["year"].map(np.isscalar)), errors="coerce").astype(float)
    return years.map(lambda year: f"{int(year) // 10 * 10}s" if np.isfinite(year) else None)


def _franchise(items: pd.DataFrame) -> pd.Series:
    stems = items["title"].map(franchise)
    # Remakes share the whole title: a series has at least two different ones.
    different = items["title"].map(lambda title: YEAR.sub("", title)).groupby(stems).transform("nunique")
    return stems.where(different > 1, None)


def _translated(items: pd.DataFrame) -> pd.Series:
    second = items["title"].map(lambda title: bool(SECOND_TITLE.search(YEAR.sub("", title))))
    return second.map({True: "translated", False: None})


register_attribute("decade", _decade, columns=("year",))
register_attribute("franchise", _franchise)
register_attribute("translated", _translated)
