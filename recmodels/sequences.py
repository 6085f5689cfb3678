"""From the user's own item ids to padded tensors of tokens, and back.

Three numberings: an *id* is what the user calls an item; a *code* is its row in the vocabulary
(0 … n_items − 1, also its column in a score matrix); a *token* is what the model reads, code + 1,
so that token 0 is padding. Nobody outside this package meets tokens.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from recmodels.errors import InputError

PAD = 0
LISTS = Sequence | np.ndarray | pd.Index | pd.Series  # what a history may be given as


@dataclass(frozen=True)
class Vocabulary:
    """The items a recommender knows, in code order.

    Attributes:
        ids: the user's own item ids; an item's code is its position here.
    """

    ids: pd.Index

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, interactions: pd.DataFrame) -> "Vocabulary":
        """The items of an interaction table, sorted by id."""
        return cls(pd.Index(np.sort(interactions["item"].unique()), name="item"))

    def encode(self, items: Any) -> np.ndarray:
        """Codes of item ids, int32.

        Raises:
            InputError: an item is not in the vocabulary.
        """
        items = pd.Index(items)
        codes = self.ids.get_indexer(items)
        unknown = items[codes < 0]
        if len(unknown):
            shown = ", ".join(repr(item) for item in unknown.unique()[:3].tolist())
            raise InputError(
                f"{unknown.nunique(dropna=False)} items are unknown to this recommender ({shown}): leave them out, "
                f"or write the ids as {self.ids[:1].tolist()[0]!r} is written"
            )
        return codes.astype(np.int32)

    def decode(self, codes: np.ndarray) -> pd.Index:
        """Item ids of codes."""
        return self.ids[codes]


@dataclass(frozen=True)
class Histories:
    """Many users' sequences of item codes, oldest first, one after another in one array.

    Attributes:
        users: the label of each history.
        codes: all item codes, int32.
        offsets: history i is `codes[offsets[i]:offsets[i + 1]]`; int64, one longer than `users`.
    """

    users: pd.Index
    codes: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        return self.codes[self.offsets[index] : self.offsets[index + 1]]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the users, the codes and where each history ends."""
        digest = hashlib.sha256(json.dumps(self.users.tolist()).encode())
        for part in (self.codes.astype(np.int64), self.offsets):
            digest.update(part.tobytes())
        return digest.hexdigest()

    @property
    def lengths(self) -> np.ndarray:
        """Number of items of each history."""
        return np.diff(self.offsets)

    @classmethod
    def from_ranges(cls, users: pd.Index, codes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> "Histories":
        """One history `codes[start:end]` per user label; ranges may overlap and come in any order."""
        lengths = ends - starts
        offsets = _offsets(lengths)
        flat = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return cls(users, codes[flat], offsets)

    def select(self, rows: np.ndarray | slice) -> "Histories":
        """The histories at these positions, in this order."""
        return self.from_ranges(self.users[rows], self.codes, self.offsets[:-1][rows], self.offsets[1:][rows])

    def last(self, n: int) -> "Histories":
        """The last `n` items of every history, or all of a shorter one."""
        starts = np.maximum(self.offsets[:-1], self.offsets[1:] - n)
        return self.from_ranges(self.users, self.codes, starts, self.offsets[1:])

    def windows(self, length: int, overlap: int = 0) -> "Histories":
        """Every history cut from its end into stretches of at most `length` items, as histories of their own.

        Args:
            length: items of a stretch; the oldest one of a history may be shorter.
            overlap: how many items neighbours share.
        """
        stride = length - overlap
        count = np.maximum(np.ceil((self.lengths - overlap) / stride), 1).astype(np.int64)
        owner = np.repeat(np.arange(len(self)), count)
        after = np.repeat(np.cumsum(count), count) - 1 - np.arange(count.sum())  # stretches that follow
        ends = self.offsets[1:][owner] - after * stride
        starts = np.maximum(self.offsets[:-1][owner], ends - length)
        return self.from_ranges(self.users[owner], self.codes, starts, ends)

    def split_last(self) -> tuple["Histories", np.ndarray]:
        """Every history without its last item, and the codes of those last items.

        Raises:
            InputError: a history has fewer than two items, so nothing would remain to predict from.
        """
        short = self.lengths < 2
        if short.any():
            raise InputError(
                f"the history of user {self.users[short].tolist()[0]!r} has one item: "
                f"holding out the last one needs at least two; drop such users"
            )
        last = self.offsets[1:] - 1
        kept = np.delete(self.codes, last)
        return Histories(self.users, kept, _offsets(self.lengths - 1)), self.codes[last]

    def tokens(self, max_history: int) -> torch.Tensor:
        """Left-padded tokens of each history's last items, as narrow as they allow.

        Returns:
            int64 [user, step]; the last column is each history's last item, 0 is padding.
        """
        ends = self.offsets[1:]
        starts = np.maximum(self.offsets[:-1], ends - max_history)
        width = int((ends - starts).max(initial=1))
        position = ends[:, None] - width + np.arange(width)
        real = position >= starts[:, None]
        tokens = np.where(real, self.codes[np.where(real, position, 0)] + 1, PAD)
        return torch.from_numpy(tokens.astype(np.int64))

    def batches(self, size: int) -> Iterator["Histories"]:
        """Consecutive parts of at most `size` histories."""
        for start in range(0, len(self), size):
            yield self.select(slice(start, start + size))


def histories_of(frame: pd.DataFrame, vocabulary: Vocabulary) -> Histories:
    """One history per user of an interaction table: by time, ties in row order; users as they first appear.

    Raises:
        InputError: the table is empty or has an item outside the vocabulary.
    """
    if frame.empty:
        raise InputError("no interactions, so no histories: pass at least one row with user, item and time")
    nobody = frame["user"].isna().to_numpy()
    if nobody.any():
        raise InputError(f"row {nobody.argmax()} of the table has no user: fill it in, or drop the row")
    row_user, users = pd.factorize(frame["user"])
    order = np.lexsort((frame["time"].to_numpy(), row_user))
    codes = vocabulary.encode(frame["item"])[order]
    return Histories(pd.Index(users, name="user"), codes, _offsets(np.bincount(row_user)))


def as_histories(given: Any, vocabulary: Vocabulary) -> Histories:
    """Histories from whatever a person has at hand.

    Args:
        given: `Histories`; a table with columns user, item, time; a mapping user → item ids; a list of
            lists of item ids; or one list of item ids, taken as a single user's.
        vocabulary: the recommender's items.

    Raises:
        InputError: a history is empty, an item is unknown, or `given` is none of these.
    """
    if isinstance(given, Histories):
        return given
    if isinstance(given, pd.DataFrame):
        missing = ", ".join(sorted({"user", "item", "time"} - set(given.columns)))
        if missing:
            raise InputError(f"a table of histories needs the columns user, item, time; {missing} missing")
        return histories_of(given, vocabulary)
    if isinstance(given, Mapping):
        users, lists = list(given.keys()), list(given.values())
    elif isinstance(given, LISTS) and not isinstance(given, str):
        lists = list(given)
        if lists and (isinstance(lists[0], str) or not isinstance(lists[0], LISTS)):
            lists = [lists]
        users = list(range(len(lists)))
    else:
        raise InputError(
            f"cannot read histories from {type(given).__name__}: pass lists of item ids, "
            f"a mapping from user to item ids, or a table with user, item and time"
        )
    if not lists:
        raise InputError("no histories given: pass at least one list of item ids")
    for user, items in zip(users, lists, strict=True):
        if isinstance(items, str) or not isinstance(items, LISTS):
            raise InputError(
                f"the history of user {user!r} is {type(items).__name__}, not a list of item ids: write [{items!r}]"
            )
    lengths = np.array([len(items) for items in lists])
    if not lengths.all():
        raise InputError(
            f"the history of user {users[int((lengths == 0).argmax())]!r} is empty: "
            f"give at least one item, or leave the user out"
        )
    flat = [item for items in lists for item in items]
    return Histories(pd.Index(users, name="user"), vocabulary.encode(flat), _offsets(lengths))


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
