"""Predicates on items in a few words, as candidates for the labels of features.

Axes: v items, c predicates.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import sparse

from interp.concepts import Concepts, incidence
from interp.concepts.attributes import title_words
from interp.features.category_search import families

MIN_STEPS = 20  # steps with a predicate, at least
PAIRED = ("concept", "language", "decade")  # kinds that may be combined in pairs
BOTH = "both"
SAYS = {"word": "“{}” in the title", "item": "only {}"}
ITEM = "item"  # a single item, which says nothing of others


@dataclass(frozen=True)
class Predicates:
    """Which item fits which predicate.

    Attributes:
        names: their names [c].
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
    """The predicates that enough but not all steps fit; of equivalent ones, the more informative kind comes first.

    Args:
        items: the item table; only items that occur.
        concepts: the study's concepts.
        attribute: the attribute with these concepts.
        steps: how many steps each item has, by item id; items may lack.
    """
    families_by_kind = families(items, attribute)
    count = steps.reindex(items.index, fill_value=0)
    common = items.loc[count >= MIN_STEPS]
    table = pd.DataFrame({"title": items["title"], "item": common["title"], "word": items["title"].map(title_words)})
    kinds = {"concept": _of_items(concepts, items)}
    kinds |= {
        kind: _of_items(families_by_kind[kind], items)
        for kind in ("decade", "language", "year")
        if kind in families_by_kind
    }
    kinds["item"] = incidence(table, "item")  # as many as there are items, so never dense
    kinds |= {
        kind: _of_items(families_by_kind[kind], items) for kind in ("artist", "franchise") if kind in families_by_kind
    }
    words, matrix = incidence(table, "word")
    shared = np.flatnonzero(np.diff(matrix.indptr) >= 2)
    kinds["word"] = words[shared], matrix[:, shared]
    parts = []
    for kind, (names, fits) in kinds.items():
        fits = fits.astype(np.float32)
        names = np.array([SAYS.get(kind, "{}").format(name) for name in names.tolist()], dtype=object)
        parts.append(Predicates(names, np.full(len(names), kind, dtype=object), items.index, fits))
    candidates = Predicates(
        np.concatenate([part.names for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        items.index,
        sparse.csc_array(sparse.hstack([part.fits for part in parts])),
    )
    return candidates.select(_enough(candidates.fits, count.to_numpy()))


def pairs(single: Predicates, steps: pd.Series) -> Predicates:
    """Two predicates at once, such as Animation & Japanese, where enough steps fit both.

    Args:
        single: predicates; concepts, languages and decades are paired.
        steps: how many steps each item has, by item id.
    """
    columns = np.flatnonzero(np.isin(single.kinds, PAIRED))
    column_pairs = np.array(list(combinations(columns, 2)), dtype=int).reshape(-1, 2)
    fits = sparse.csc_array(single.fits[:, column_pairs[:, 0]].multiply(single.fits[:, column_pairs[:, 1]]))
    names = np.array([f"{single.names[a]} & {single.names[b]}" for a, b in column_pairs], dtype=object)
    candidates = Predicates(names, np.full(len(column_pairs), BOTH, dtype=object), single.items, fits)
    return candidates.select(_enough(fits, steps.reindex(single.items, fill_value=0).to_numpy()))


def _of_items(family: Concepts, items: pd.DataFrame) -> tuple[np.ndarray, sparse.csc_array]:
    """The names of a family, and which of these items has which."""
    return np.array(family.names, dtype=object), sparse.csc_array(family.labels(items.index))


def _enough(fits: sparse.csc_array, count: np.ndarray) -> np.ndarray:
    steps = fits.T @ count
    return np.flatnonzero((steps >= MIN_STEPS) & (steps < count.sum()))
