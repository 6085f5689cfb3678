"""The values of an item attribute from a column of any type: tuples of text, numbers, or text."""

import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from recmodels.columns import WHOLE_NUMBER, Table, is_whole, texts
from recmodels.datasets.written import begins_like_a_list, written_list
from recmodels.errors import InputError, quote
from recmodels.lists import members
from recmodels.plain import text

# 007 and 12345678901234567890 are names: as numbers they would change.
NAME_OF_DIGITS = re.compile(r"[+-]?(0[0-9]|[0-9]{19})")


class AttributeWarning(UserWarning):
    """A column of items needs a look: it holds lists written as text, or it was left out."""


def values(table: Table, name: str, separator: str) -> pd.Series:
    """An attribute of items.

    Args:
        table: of items.
        name: the column.
        separator: what splits a text cell of several values.

    Returns:
        Tuples of text, where a cell is a list, a written-out list or has the separator; otherwise whole numbers (int64;
        Int64 where some are missing), other numbers (float64) or truth values; otherwise text, None where missing.

    Raises:
        InputError: no such column, or a cell is neither a value nor a list of values.

    Warns:
        AttributeWarning: lists are written out as text, and were read.
    """
    column = table.column(name)
    if column.dtype == np.float64:
        present = column.dropna()
        return column.astype("Int64") if len(present) and is_whole(present).all() else column
    if column.dtype.kind in "iub":
        return column
    cells = texts(column)
    lists = _written_lists(table, name, cells)
    is_list = bool(lists) or any(
        separator in cell if isinstance(cell, str) else members(cell) is not None for cell in cells
    )
    if table.is_text and not is_list and (numbers := _numbers(cells)) is not None:
        return numbers
    entries: list[Any] = []
    for row, cell in cells.items():
        try:
            entries.append(_parts(cell, separator, lists) if is_list else text(cell) or None)
        except InputError as fault:
            raise InputError(f"{table.where}, row {row}, column {name!r}: {fault}") from None
    return pd.Series(entries, column.index, dtype=object, name=name)


def _parts(cell: Any, separator: str, lists: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if isinstance(cell, str):
        parts: Sequence[Any] = lists[cell] if cell in lists else cell.split(separator)
    else:
        cell_members = members(cell)
        parts = [cell] if cell_members is None else cell_members
    return tuple(part for part in map(text, parts) if part)


def _written_lists(table: Table, name: str, cells: pd.Series) -> dict[str, tuple[str, ...]]:
    """The lists that text cells hold, by cell."""
    different = [cell for cell in cells.unique() if cell] if pd.api.types.infer_dtype(cells) == "string" else []
    lists = {cell: parts for cell in different if (parts := written_list(cell)) is not None}
    if len(lists) < len(different) and not any("'" in cell or '"' in cell for cell in lists):
        lists = {}  # "[1]" among words is not a list
    odd = [cell for cell in different if cell not in lists and begins_like_a_list(cell)]
    if odd and (lists or all(cell[0] in "[({" for cell in different)):
        raise table.fault(
            name,
            (cells == odd[0]).to_numpy(),
            "which begins like a list but is not one: write the values with a separator",
        )
    if lists:
        warnings.warn(
            f"{table.where}, column {name!r}: some cells are lists that are written out, such as "
            f"{quote(next(iter(lists)))}: each part is taken as a value of its own",
            AttributeWarning,
            stacklevel=6,
        )
    return lists


def _numbers(cells: pd.Series) -> pd.Series | None:
    """Text cells as numbers, or None if some are not numbers."""
    different = [cell for cell in cells.unique() if cell is not None]
    if any(NAME_OF_DIGITS.match(cell) for cell in different):
        return None
    if different and all(WHOLE_NUMBER.fullmatch(cell) for cell in different):
        whole = [None if cell is None else int(cell) for cell in cells]
        return pd.Series(pd.array(whole, dtype="Int64"), cells.index, name=cells.name)
    numbers = pd.to_numeric(cells, errors="coerce")
    if not numbers.notna().equals(cells.notna()) or np.isinf(numbers.to_numpy(float)).any():
        return None
    return numbers.convert_dtypes(convert_floating=False)
