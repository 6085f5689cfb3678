"""From the user's own item ids to padded tensors of tokens, and back.

Three numberings: an *id* is what the user calls an item; a *code* is its row in the vocabulary
(0 … n_items − 1, also its column in a score matrix); a *token* is what the model reads, code + 1,
so that token 0 is padding. Tokens are internal to this package.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from recmodels.advice import Advice
from recmodels.columns import Table, is_empty, numbers, plain_ids, times
from recmodels.errors import InputError, for_terminal, quote
from recmodels.lists import lists_by_user, no_users, user_index
from recmodels.plain import as_frame
from recmodels.vocabulary import Vocabulary
from recmodels.wording import counted

PAD = 0
SHOWN = 3  # users that are named
USER = "user"  # the name of a history's user among its further numbers


@dataclass(frozen=True, repr=False)
class Histories:
    """Many users' sequences of item codes, oldest first, one after another in one array.

    Attributes:
        users: the label of each history.
        codes: all item codes, int32.
        offsets: history i is `codes[offsets[i]:offsets[i + 1]]`; int64, one longer than `users`.
        extras: further numbers of each step, by name and as long as `codes`: the columns that the recommender reads
            (`Vocabulary.columns`), and "user", the row of the user in `Vocabulary.users`. Most recommenders read none.
    """

    users: pd.Index
    codes: np.ndarray
    offsets: np.ndarray
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.users)

    @for_terminal
    def __repr__(self) -> str:
        """How many histories, how long, and whose: no codes, which are internal."""
        if not len(self):
            return "no histories"
        lengths = sorted({int(self.lengths.min()), int(self.lengths.max())})
        names = ", ".join(map(quote, self.users[:SHOWN].tolist())) + (", …" if len(self) > SHOWN else "")
        each = f"{lengths[0]:,} to {counted(lengths[-1], 'item')}" if len(lengths) > 1 else counted(lengths[0], "item")
        users = "user" if len(self) == 1 else "users"
        return f"{counted(len(self), 'history', 'histories')} of {each}, {users} {names}"

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        return self.codes[self.offsets[index] : self.offsets[index + 1]]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the users, the codes, where each history ends, and the further numbers."""
        digest = hashlib.sha256(json.dumps(self.users.tolist(), default=quote).encode())
        for part in (self.codes.astype(np.int64), self.offsets):
            digest.update(part.tobytes())
        for name, values in sorted(self.extras.items()):
            digest.update(name.encode() + values.astype(np.float64).tobytes())
        return digest.hexdigest()

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The further numbers of each step that a table of histories has, so not the rows of users."""
        return {name: values for name, values in self.extras.items() if name != USER}

    @property
    def lengths(self) -> np.ndarray:
        """Number of items of each history."""
        return np.diff(self.offsets)

    @classmethod
    def from_ranges(cls, users: pd.Index, codes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> "Histories":
        """One history `codes[start:end]` per user label; ranges may overlap and come in any order."""
        return cls(users, codes, _offsets(np.array([len(codes)]))).ranges(users, starts, ends)

    def ranges(self, users: pd.Index, starts: np.ndarray, ends: np.ndarray) -> "Histories":
        """One history per user label, the steps from `start` to `end` of all steps here; as `from_ranges`."""
        lengths = ends - starts
        offsets = _offsets(lengths)
        flat = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Histories(users, self.codes[flat], offsets, {name: values[flat] for name, values in self.extras.items()})

    @classmethod
    def concatenated(cls, parts: Sequence["Histories"]) -> "Histories":
        """All histories of several, one after another; their further numbers have the same names."""
        users = user_index([user for part in parts for user in part.users])
        lengths = np.concatenate([part.lengths for part in parts])
        extras = {name: np.concatenate([part.extras[name] for part in parts]) for name in parts[0].extras}
        return cls(users, np.concatenate([part.codes for part in parts]), _offsets(lengths), extras)

    def select(self, rows: np.ndarray | slice) -> "Histories":
        """The histories at these positions, in this order."""
        return self.ranges(self.users[rows], self.offsets[:-1][rows], self.offsets[1:][rows])

    def last(self, n: int) -> "Histories":
        """The last `n` items of every history, or all of a shorter one."""
        starts = np.maximum(self.offsets[:-1], self.offsets[1:] - n)
        return self.ranges(self.users, starts, self.offsets[1:])

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
        return self.ranges(self.users[owner], starts, ends)

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
        before = self.ranges(self.users, self.offsets[:-1], last)
        return before, self.codes[last]

    def tokens(self, max_history: int) -> torch.Tensor:
        """Left-padded tokens of each history's last items, as narrow as they allow.

        Returns:
            int64 [user, step]; the last column is each history's last item, 0 is padding.
        """
        return torch.from_numpy(self._grid(self.codes.astype(np.int64) + 1, max_history))

    def extra(self, name: str, max_history: int) -> torch.Tensor:
        """Further numbers of each history's last items: float64 [user, step], padded as `tokens` are."""
        return torch.from_numpy(self._grid(self.extras[name].astype(np.float64), max_history))

    def _grid(self, values: np.ndarray, max_history: int) -> np.ndarray:
        ends = self.offsets[1:]
        starts = np.maximum(self.offsets[:-1], ends - max_history)
        width = int((ends - starts).max(initial=1))
        position = ends[:, None] - width + np.arange(width)
        real = position >= starts[:, None]
        return np.where(real, values[np.where(real, position, 0)], values.dtype.type(PAD))

    def batches(self, size: int) -> Iterator["Histories"]:
        """Consecutive parts of at most `size` histories."""
        for start in range(0, len(self), size):
            yield self.select(slice(start, start + size))


def histories_of(frame: pd.DataFrame, vocabulary: Vocabulary, is_ordered: bool = False) -> Histories:
    """One history per user of a table of interactions: by time, ties in row order; users as they first appear.

    Args:
        frame: columns user, item and time, which are read as `recmodels.columns` says, and those that the recommender
            reads beside them.
        vocabulary: the recommender's items.
        is_ordered: whether each user's rows are in order, so that no time is needed.

    Raises:
        InputError: the table is empty, a row has no user or time, or an item is outside the vocabulary.
    """
    absent = ", ".join(sorted({"user", "item", *([] if is_ordered else ["time"])} - set(frame.columns)))
    if absent:
        raise InputError(f"a table of histories needs the columns user, item, time; {absent} missing")
    if frame.empty:
        raise InputError("no interactions, so no histories: pass at least one row with user, item and time")
    rows = Table(
        "the table of histories", frame.set_axis(pd.RangeIndex(len(frame))), False, Advice("correct it in the table")
    )
    users = plain_ids(rows.column("user"))
    bad = no_users(users) | is_empty(users).to_numpy()
    if bad.any():
        raise rows.fault("user", bad, "but every row needs a user")
    row_user, users = pd.factorize(users)
    order = np.lexsort((np.arange(len(frame)) if is_ordered else times(rows, "time").to_numpy(), row_user))
    codes = vocabulary.encode(frame["item"])[order]
    extras = {
        name: (times if name == "time" else numbers)(rows, name).to_numpy()[order]
        for name in vocabulary.columns
        if name in frame.columns
    }
    return _of_users(Histories(user_index(users), codes, _offsets(np.bincount(row_user)), extras), vocabulary)


def as_histories(histories: Any, vocabulary: Vocabulary) -> Histories:
    """Histories from tables, mappings, Series and lists.

    Args:
        histories: `Histories`; a table with columns user, item, time (of pandas, polars, pyarrow); a mapping, or a
            Series by user, of lists of item ids; a list of such lists; or one list of item ids, for a single user. A
            list may also be an array, a tensor, a Series or a column of another library.
        vocabulary: the recommender's items.

    Raises:
        InputError: a history is empty, an item is unknown, or `histories` has another type.
    """
    if isinstance(histories, Histories):
        return histories
    frame = as_frame(histories, "the table of histories")
    if frame is not None:
        return histories_of(frame, vocabulary)
    users, lists = lists_by_user(histories)
    if vocabulary.users is not None and not isinstance(histories, Mapping | pd.Series):
        raise InputError("this recommender scores by user: give a mapping from user to item ids, or a table")
    codes = vocabulary.encode([item for items in lists for item in items])
    offsets = _offsets(np.array([len(items) for items in lists]))
    return _of_users(Histories(user_index(users), codes, offsets), vocabulary)


def _of_users(histories: Histories, vocabulary: Vocabulary) -> Histories:
    """The same with the row of each history's user, where the recommender knows users by name.

    Raises:
        InputError: it does not know a user.
    """
    if vocabulary.users is None:
        return histories
    rows = vocabulary.users.get_indexer(histories.users)
    if (rows < 0).any():
        unknown = histories.users[rows < 0].tolist()
        raise InputError(
            f"{counted(len(unknown), 'user is', 'users are')} unknown to this recommender, which "
            f"scores only the users of its training ({', '.join(map(quote, unknown[:3]))}): leave them out"
        )
    return replace(histories, extras={**histories.extras, USER: np.repeat(rows, histories.lengths)})


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
