"""Lists of item ids, from whatever holds them: lists, arrays, tensors, Series, columns of other libraries."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from recmodels.errors import InputError, quote
from recmodels.plain import plain
from recmodels.scalars import as_number

NOT_ITEMS = str | bytes | bytearray | memoryview | Mapping
OF_PANDAS = pd.Series | pd.Index | pd.api.extensions.ExtensionArray


def lists_by_user(histories: Any) -> tuple[list[Any], list[list[Any]]]:
    """Users, and the list of item ids of each.

    Args:
        histories: a mapping or a Series from user to list; a list of lists, or one list, with the users 0, 1, ….

    Raises:
        InputError: another type, an empty list, or a user that is missing, not a label, or there twice.
    """
    if isinstance(histories, Mapping):
        users, values = list(histories.keys()), list(histories.values())
    else:
        whole = elements(histories)
        if whole is None:
            raise InputError(
                f"cannot read histories from {type(histories).__name__}: pass lists of item ids, "
                f"a mapping from user to item ids, or a table with user, item and time"
            )
        values = whole if whole and elements(whole[0]) is not None else [whole] if whole else []
        if values is not whole and getattr(histories, "name", None) == "user":
            raise InputError("these are ids of users, not of items: give their histories, such as study.user(*ids)")
        of_users = isinstance(histories, pd.Series) and values is whole
        users = histories.index.tolist() if of_users else list(range(len(values)))
    if not values:
        raise InputError("no histories given: pass at least one list of item ids")
    lists = [_checked(user, value) for user, value in zip(users, values, strict=True)]
    bad = no_users(_objects(users))
    if bad.any():
        raise InputError(f"{quote(users[int(bad.argmax())])} is not a user: give each history the id of a user")
    if isinstance(histories, pd.Series) and len(set(users)) < len(users):
        user = next(user for place, user in enumerate(users) if user in users[:place])
        raise InputError(f"user {quote(user)} has two histories: join them, or give each its own user")
    return users, lists


def elements(value: Any) -> list[Any] | None:
    """The elements of a list, array, tensor, Series or column of another library; None if it is not a list of items."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, NOT_ITEMS):
        return None
    if isinstance(value, torch.Tensor):
        is_list = value.ndim > 0 and value.layout == torch.strided and value.device.type != "meta"
        return value.tolist() if is_list else None
    if isinstance(value, np.ndarray):
        return value.tolist() if value.ndim > 0 and value.dtype.names is None else None
    if isinstance(value, OF_PANDAS):
        return plain(pd.Series(value)).tolist()
    for method in ("to_pylist", "to_list"):  # of pyarrow, of polars
        if hasattr(value, method) and hasattr(value, "__len__"):
            return list(getattr(value, method)())
    return list(value) if isinstance(value, Sequence) else None


def members(value: Any) -> list[Any] | None:
    """As `elements`, and of sets, in the order of their text; None if it is not a collection."""
    if isinstance(value, str):
        return None
    # Sets of text have another order in every process.
    return sorted(value, key=str) if isinstance(value, set | frozenset) else elements(value)


def as_column(items: Any) -> pd.Series:
    """Item ids as one column, each cell as it is."""
    if isinstance(items, OF_PANDAS) or (isinstance(items, np.ndarray) and items.ndim == 1 and items.dtype.kind in "iu"):
        return pd.Series(items)
    cells = elements(items)
    if cells is None:
        raise InputError(f"{quote(items)} is not a list of item ids: give a list, such as [1, 2, 3]")
    if set(map(type, cells)) == {int}:
        try:
            return pd.Series(cells, dtype=np.int64)
        except OverflowError:
            pass
    return _objects(cells)


def user_index(users: Any) -> pd.Index:
    """Labels of users as an index named user; tuples stay labels, and whole numbers stay exact however large."""
    try:
        return pd.Index(users, name="user", tupleize_cols=False)
    except OverflowError:  # of pandas, which tries floats
        return pd.Index(_objects(list(users)), name="user", dtype=object, tupleize_cols=False)


def no_users(labels: pd.Series) -> np.ndarray:
    """Which labels cannot name users: missing ones, True and False, and lists: bool [label]."""
    if labels.dtype == np.int64 or pd.api.types.infer_dtype(labels, skipna=False) == "string":
        return np.zeros(len(labels), dtype=bool)
    return np.array([_is_no_user(label) for label in labels.tolist()], dtype=bool)


def _is_no_user(label: Any) -> bool:
    if isinstance(label, tuple):
        return not label or any(map(_is_no_user, label))
    if isinstance(label, bool | np.bool_) or not isinstance(label, Hashable):
        return True
    number = as_number(label)
    return number != number if number is not None else bool(pd.api.types.is_scalar(label) and pd.isna(label))


def _objects(cells: list[Any]) -> pd.Series:
    """Cells as they are: pandas' own way from a list fails at whole numbers beyond any float."""
    return pd.Series(np.fromiter(cells, dtype=object, count=len(cells)), dtype=object)


def _checked(user: Any, value: Any) -> list[Any]:
    items = elements(value)
    if items is None:
        raise InputError(
            f"the history of user {quote(user)} is {type(value).__name__}, not a list of item ids: "
            f"write [{quote(value)}]"
        )
    if not items:
        raise InputError(f"the history of user {quote(user)} is empty: give at least one item, or leave the user out")
    return items
