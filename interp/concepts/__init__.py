"""Item attributes as a binary matrix: a concept is something an item either has or lacks."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from interp.concepts.attributes import attribute
from interp.concepts.suggestions import unknown_concept
from recmodels.errors import InputError
from recmodels.lists import members
from recmodels.plain import plain, text


@dataclass(frozen=True)
class Concepts:
    """Which item has which concept.

    Attributes:
        names: concept names, sorted.
        items: item ids.
        matrix: bool [item, concept].
        known: bool [item], of which items it is known which concepts they have; None where it is of all.
    """

    names: list[str]
    items: pd.Index
    matrix: np.ndarray
    known: np.ndarray | None = None

    @classmethod
    def none(cls, items: pd.Index) -> "Concepts":
        """No concepts, of items without attributes."""
        return cls([], items, np.zeros((len(items), 0), dtype=bool))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the names, the items, the matrix, and which items are known."""
        digest = hashlib.sha256(json.dumps([self.names, self.items.tolist()]).encode())
        digest.update(np.packbits(self.matrix).tobytes())
        if self.known is not None:
            digest.update(np.packbits(self.known).tobytes())
        return digest.hexdigest()

    def labels(self, item_ids: Any) -> np.ndarray:
        """Concepts of many items: bool [n, concept].

        Raises:
            InputError: an item is not in the table.
        """
        return self.matrix[self._rows(item_ids)]

    def is_known(self, item_ids: Any) -> np.ndarray:
        """Of which of many items it is known which concepts they have: bool [n].

        Raises:
            InputError: an item is not in the table.
        """
        rows = self._rows(item_ids)
        return np.ones(len(rows), dtype=bool) if self.known is None else self.known[rows]

    def _rows(self, item_ids: Any) -> np.ndarray:
        item_ids = pd.Index(item_ids)
        rows = self.items.get_indexer(item_ids)
        if (rows < 0).any():
            raise InputError(f"item {item_ids[rows < 0].tolist()[0]!r} has no row in the item table")
        return rows

    def index(self, name: str) -> int:
        """Column of a concept.

        Raises:
            InputError: there is no such concept.
        """
        if name not in self.names:
            raise InputError(unknown_concept(name, self.names))
        return self.names.index(name)


def non_constant_columns(labels: np.ndarray) -> np.ndarray:
    """Which columns of bool [n, c] some but not all rows have: int [kept], ascending."""
    return np.flatnonzero(labels.any(axis=0) & ~labels.all(axis=0))


def concepts_of(
    items: pd.DataFrame,
    name: str,
    min_support: int = 1,
    most_frequent: int | None = None,
    of_every_item: bool = False,
) -> Concepts:
    """The values of an attribute of the items as concepts.

    Args:
        items: indexed by item id.
        name: a column, categorical (one value per item) or multi-valued (tuples or lists), missing meaning
            none; or another attribute of `interp.concepts.attributes`, such as "decade" or "title:Star Wars".
        min_support: concepts of fewer items than this are left out.
        most_frequent: keep only so many, those of the most items.
        of_every_item: whether every item has a value in truth, as every film has a director: items without a value are
            not `known`.

    Raises:
        InputError: no such attribute, or no concept with enough items.
    """
    names, matrix = incidence(items, name)
    counts = np.diff(matrix.indptr)
    supported = np.flatnonzero(counts >= min_support)
    if most_frequent is not None:
        supported = np.sort(supported[np.argsort(-counts[supported], kind="stable")[:most_frequent]])
    if not len(counts):
        raise InputError(f"no item has a value of attribute {name!r}: choose another one")
    if not len(supported):
        raise InputError(f"no value of attribute {name!r} has {min_support} items: lower min_support")
    known = matrix.sum(axis=1) > 0 if of_every_item else None
    return Concepts(names[supported].tolist(), items.index, matrix[:, supported].toarray(), known)


def incidence(items: pd.DataFrame, name: str) -> tuple[np.ndarray, sparse.csc_array]:
    """All values of an attribute, and which item has which.

    Args:
        items: indexed by item id, each once.
        name: as for `concepts_of`.

    Returns:
        Their names [c], sorted; sparse bool [item, c].
    """
    column = plain(attribute(items, name))
    try:
        values = [_as_tuple(value) for value in column]
    except InputError as fault:
        raise InputError(f"attribute {name!r}: {fault}") from None
    rows = np.repeat(np.arange(len(items)), [len(value) for value in values])
    names, codes = np.unique(np.array([part for value in values for part in value], dtype=str), return_inverse=True)
    cells = np.ones(len(rows), dtype=bool), (rows, codes)
    return names, sparse.csc_array(cells, shape=(len(items), len(names)))


def _as_tuple(value: Any) -> tuple[str, ...]:
    parts = members(value)
    return tuple(dict.fromkeys(part for part in map(text, [value] if parts is None else parts) if part))
