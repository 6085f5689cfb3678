"""What can be said of an item in a few words, as candidates for the labels of features.

Axes: v items, c predicates.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import sparse

from interp.concepts import Concepts, concepts_of
from interp.concepts.attributes import title_words
from interp.features.category_search import families
from recmodels.errors import InputError

MIN_STEPS = 20  # with a predicate, for what is learnt from them to mean something
PAIRED = ("concept", "language", "decade")  # kinds of which two may be said at once
BOTH = "both"


@dataclass(frozen=True)
class Predicates:
    """Which item fits which predicate.

    Attributes:
        names: what they are called [c].
        kinds: concept, decade, language, year, item, artist, franchise, word (of the title), or both for two at once.
        items: item ids [v].
        fits: 0 or 1, sparse float32 [v, c].
    """

    names: np.ndarray
    kinds: np.ndarray
    items: pd.Index
    fits: sparse.csc_array

    def select(self, columns: np.ndarray) -> "Predicates":
        """Some of them."""
        return replace(self, names=self.names[columns], kinds=self.kinds[columns], fits=self.fits[:, columns])


def predicates(items: pd.DataFrame, concepts: Concepts, attribute: str, steps: pd.Series) -> Predicates:
    """The predicates that enough but not all steps fit; of two that say the same, the more telling comes first.

    Args:
        items: the item table; only items that occur.
        concepts: the study's concepts.
        attribute: what they are values of.
        steps: how many steps each item has, by item id; items may lack.
    """
    found = families(items, attribute)
    count = steps.reindex(items.index, fill_value=0)
    common = items.loc[count >= MIN_STEPS]
    named = pd.DataFrame({"title": items["title"], "item": common["title"], "word": items["title"].map(title_words)})
    kinds = {"concept": concepts} | {kind: found[kind] for kind in ("decade", "language", "year") if kind in found}
    kinds |= _of(named, "item") | {kind: found[kind] for kind in ("artist", "franchise") if kind in found}
    kinds |= _of(named, "word", min_support=2)
    parts = []
    for kind, family in kinds.items():
        fits = sparse.csc_array(family.labels(items.index).astype(np.float32))
        names = np.array(family.names, dtype=object)
        names = np.array([f"“{name}” in the title" for name in names], dtype=object) if kind == "word" else names
        parts.append(Predicates(names, np.full(len(names), kind, dtype=object), items.index, fits))
    every = Predicates(
        np.concatenate([part.names for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        items.index,
        sparse.csc_array(sparse.hstack([part.fits for part in parts])),
    )
    return every.select(_enough(every.fits, count.to_numpy()))


def pairs(single: Predicates, steps: pd.Series) -> Predicates:
    """Two predicates at once, such as Animation & Japanese, where enough steps fit both.

    Args:
        single: predicates; concepts, languages and decades are paired.
        steps: how many steps each item has, by item id.
    """
    few = np.flatnonzero(np.isin(single.kinds, PAIRED))
    chosen = np.array(list(combinations(few, 2)), dtype=int).reshape(-1, 2)
    both = sparse.csc_array(single.fits[:, chosen[:, 0]].multiply(single.fits[:, chosen[:, 1]]))
    names = np.array([f"{single.names[a]} & {single.names[b]}" for a, b in chosen], dtype=object)
    made = Predicates(names, np.full(len(chosen), BOTH, dtype=object), single.items, both)
    return made.select(_enough(both, steps.reindex(single.items, fill_value=0).to_numpy()))


def _of(named: pd.DataFrame, column: str, min_support: int = 1) -> dict[str, Concepts]:
    """A column's values as a family, or nothing where it has none."""
    try:
        return {column: concepts_of(named, column, min_support)}
    except InputError:
        return {}


def _enough(fits: sparse.csc_array, count: np.ndarray) -> np.ndarray:
    steps = fits.T @ count
    return np.flatnonzero((steps >= MIN_STEPS) & (steps < count.sum()))
