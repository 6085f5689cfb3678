"""The validated tables that everything starts from: interactions (user, item, time) and items (title, attributes)."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from recmodels.columns import plain_ids
from recmodels.errors import InputError, quote
from recmodels.plain import plain, text

COLUMNS = ("user", "item", "time")
NAME = re.compile(r"[^\s./\\:~-][^/\\:]{0,99}")
Repeats = Literal["all", "first", "last"]


@dataclass(frozen=True)
class Dataset:
    """A recommendation dataset: who met which item when, and what the items are.

    Attributes:
        name: short name, used for folders and headings.
        interactions: columns `user`, `item`, `time`; rows in any order. Ids are integers or strings,
            `time` is any number that grows with time. See `validated_interactions`.
        items: indexed by item id, a `title` column, and any number of attribute columns. A multi-valued
            attribute (genres, tags) holds a tuple of strings per item. See `validated_items`.
        attribute: the column of `items` that the paper's tables use for this dataset; empty if the items have none.
        lacks: what the source did not have and how that was made up for, a plain sentence each.
        steps: more columns of `interactions`, of numbers, for recommenders that read them at each step, such as rating.
    """

    name: str
    interactions: pd.DataFrame
    items: pd.DataFrame
    attribute: str = ""
    lacks: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_name(self.name)
        object.__setattr__(self, "interactions", validated_interactions(self.interactions, self.steps))
        object.__setattr__(self, "items", validated_items(self.items))
        used = pd.Index(self.interactions["item"].unique())
        unknown = used.difference(self.items.index)
        if len(used) == len(unknown) > 1 and len(self.items):
            raise InputError(unrelated_ids(self.name, used, self.items.index))
        if len(unknown) == 1:
            raise InputError(
                f"{self.name}: item {unknown.tolist()[0]!r} of the interactions is not in the item table: "
                f"add it there, or drop its rows"
            )
        if len(unknown):
            raise InputError(
                f"{self.name}: {len(unknown)} items of the interactions are not in the item table "
                f"(such as {unknown.tolist()[0]!r}): add them there, drop their rows, or keep them without attributes "
                f"(--reading.unknown-items keep)"
            )
        if self.attribute and self.attribute not in self.items.columns:
            raise InputError(
                f"{self.name}: the item table has no column {self.attribute!r}; "
                f"choose one of {', '.join(map(str, self.items.columns))}"
            )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over both tables' content, row order included."""
        # Without the types, users 1 and "1" would look the same.
        ids = (self.interactions["user"], self.items.index)
        digest = hashlib.sha256(",".join(map(pd.api.types.infer_dtype, ids)).encode())
        for frame in (self.interactions, self.items.reset_index(allow_duplicates=True)):
            digest.update(",".join(map(str, frame.columns)).encode())
            for _, column in frame.items():
                # Numbers as they are, which is a hundred times faster; tuples, missing values and text as text.
                is_number = isinstance(column.dtype, np.dtype) and column.dtype.kind in "if"
                try:
                    hashes = pd.util.hash_pandas_object(column if is_number else column.astype(str), index=False)
                except Exception:  # of the cells' own code
                    raise InputError(
                        f"{self.name}: the column {column.name!r} holds something that is neither text nor numbers "
                        f"nor a tuple of them: convert it"
                    ) from None
                digest.update(hashes.to_numpy().tobytes())
        return digest.hexdigest()


def validated_interactions(frame: pd.DataFrame, steps: Sequence[str] = ()) -> pd.DataFrame:
    """The columns `user`, `item`, `time` and those of `steps` of a frame with a fresh index, checked.

    Raises:
        InputError: a column is missing, a value is missing, ids mix types, or a time or another number is not finite.
    """
    absent = [column for column in COLUMNS if column not in frame.columns]
    if absent:
        raise InputError(
            f"interactions lack the column {absent[0]!r} (they have {', '.join(map(str, frame.columns))}): "
            f"rename yours to user, item and time"
        )
    if frame.columns.duplicated().any():
        raise InputError(f"interactions have two columns {frame.columns[frame.columns.duplicated()][0]!r}: keep one")
    unknown = [name for name in steps if name not in frame.columns or name in COLUMNS]
    if unknown:
        raise InputError(f"steps names {quote(unknown[0])}: name a further column of the interactions")
    frame = frame.loc[:, [*COLUMNS, *steps]]
    frame.index = pd.RangeIndex(len(frame))  # unlike reset_index, without another copy
    if frame.empty:
        raise InputError("interactions are empty: nothing to learn from; check the file and its separator")
    for column in ("user", "item"):
        frame[column] = _checked_ids(frame[column], f"interactions, column {column!r}")
    for column in ("time", *steps):
        numbers = frame[column] = plain(frame[column])
        if not pd.api.types.is_numeric_dtype(numbers) or pd.api.types.is_bool_dtype(numbers):
            example = ", such as Unix seconds" if column == "time" else ""
            raise InputError(f"interactions, column {column!r} holds {numbers.dtype}: convert it to numbers{example}")
        finite = np.isfinite(numbers.to_numpy(dtype=float))
        if not finite.all():
            raise InputError(f"interactions, column {column!r}, row {int(finite.argmin())} is not a finite number")
    return frame


def without_repeats(frame: pd.DataFrame, keep: Repeats = "all") -> pd.DataFrame:
    """Validated interactions with each user's repeated meetings with one item reduced to one.

    Args:
        frame: columns `user`, `item`, `time`, in any order of rows.
        keep: "all" of them, or a user's "first" or "last" meeting with an item: by time, ties in row order.

    Returns:
        What remains, in the order of the rows and with a fresh index; for "all", `frame` itself.

    Raises:
        InputError: `keep` is something else.
    """
    if keep not in get_args(Repeats):
        raise InputError(f"repeated interactions cannot be kept as {keep!r}: choose all, first or last")
    if keep == "all":
        return frame
    order = np.argsort(frame["time"].to_numpy(), kind="stable")
    repeated = frame.iloc[order].duplicated(["user", "item"], keep=keep).to_numpy()
    return frame.iloc[np.sort(order[~repeated])].reset_index(drop=True)


def core(frame: pd.DataFrame, k: int) -> pd.DataFrame:
    """The k-core of validated interactions: users and items with fewer than k rows go, until none has.

    Args:
        frame: columns `user`, `item`, `time`.
        k: rows that each user and each item has at least; with 1, the frame itself is returned.

    Returns:
        What remains, in the order of the rows and with a fresh index.

    Raises:
        InputError: nothing remains.
    """
    size = len(frame) + 1 if k > 1 else len(frame)
    while len(frame) < size:
        size = len(frame)
        for column in ("user", "item"):
            codes, _ = pd.factorize(frame[column])
            frame = frame[np.bincount(codes)[codes] >= k] if len(codes) else frame
    if frame.empty:
        raise InputError(f"no user and no item is left with {k} interactions: lower k_core")
    return frame.reset_index(drop=True)


def validated_items(frame: pd.DataFrame) -> pd.DataFrame:
    """The item table with its index named `item`, checked.

    Raises:
        InputError: there is no `title` column, or ids are missing, of mixed types or repeated.
    """
    if "title" not in frame.columns:
        raise InputError("the item table lacks the column 'title': add one; the item id itself will do")
    ids = _checked_ids(pd.Series(frame.index), "the item table's index")
    frame = frame.set_axis(pd.Index(ids, name="item")).assign(title=_titles(frame["title"]))
    for name, column in frame.items():
        _check_text(name, column)
    repeated = frame.index[frame.index.duplicated()]
    if len(repeated):
        raise InputError(f"item {repeated.tolist()[0]!r} has more than one row in the item table: keep one")
    return frame


def _titles(column: pd.Series) -> list[str]:
    """Titles as text, "" where missing."""
    try:
        return [text(cell) for cell in plain(column)]
    except InputError as fault:
        raise InputError(f"the item table, column 'title': {fault}") from None


def _check_text(name: Any, column: pd.Series) -> None:
    """Refuse cells with text that no file can hold; those of tuples, too."""
    parts = [cell if isinstance(cell, tuple) else (cell,) for cell in column] if column.dtype == object else []
    try:
        plain(pd.Series([part for cell in parts for part in cell if isinstance(part, str)], dtype=object))
    except InputError as fault:
        raise InputError(f"the item table, column {quote(name)}: {fault}") from None


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name) or not name.isprintable():
        raise InputError(
            f"{quote(name)} cannot be the name of a data set, as a folder is called by it: take up to 100 characters "
            f"without / \\ and :, the first one a letter or digit"
        )


def unrelated_ids(name: str, used: pd.Index, known: pd.Index) -> str:
    """The message about interactions whose items are all unknown: most often the two tables write ids unlike.

    Args:
        name: of the data set.
        used: item ids of the interactions.
        known: those of the table of items.
    """
    return (
        f"{name}: no item of the interactions, such as {quote(used[0])}, is in the item table, which has "
        f"{quote(known[0])}: write ids alike in both, or name the columns of ids (columns.item, columns.item_id)"
    )


def _checked_ids(column: pd.Series, where: str) -> pd.Series:
    try:
        ids = plain_ids(plain(column))
    except InputError as fault:
        raise InputError(f"{where}: {fault}") from None
    if ids.isna().any():
        raise InputError(f"{where}: row {int(ids.isna().to_numpy().argmax())} has no id: drop it or fill it in")
    kind = pd.api.types.infer_dtype(ids, skipna=False)
    if kind not in ("integer", "string"):
        raise InputError(f"{where} holds ids of type {kind}: convert them all to integers or all to strings")
    return ids
