"""Your own data: two tables, of interactions and of items, as frames or files.

    dataset = from_tables("ratings.csv", "books.parquet", Columns(item="isbn", attribute="subjects"))

A table is a frame of pandas, a table of polars, pyarrow or any library that offers Arrow or the dataframe interchange,
or the path of a file: .csv or .tsv (UTF-8, column names in the first row, unless `Reading` says otherwise), .txt (cells
split by blanks; without column names, "user item" on each line), .jsonl (an object on each line), all of them also with
.gz; .parquet, or a folder of .parquet files.
The type of a column (categories, Arrow, nullable, objects) does not change the meaning of its cells; surrounding blanks
are dropped.

- ids: integers if every cell of the column holds one (for items: the column of both tables), else strings; so in a text
  file 007 stays '007', and 12 beside abc becomes '12'. In frames and .parquet files, text stays text, whole floats are
  the integers that they stand for, and integers beyond 64 bits become text.
- times: numbers as they are, or dates in ISO format and of any type of dates, which become seconds since 1970.
- other columns of items: tuples where a cell is a list or contains the separator, otherwise numbers if all cells are
  numbers, otherwise text. An empty cell means that the item has no value. Whole numbers have no decimals. A list that
  is written as text, such as "['Crime', 'Drama']", is read as a list, with a warning. A column that cannot be read is
  refused if it is the attribute, and otherwise left out with a warning.
- what may be missing: times (the order of the rows serves as time), the table of items or its titles (ids serve as
  titles), the attribute (there are no concepts). `Dataset.lacks` says so in plain sentences. A column that is not there
  under its usual name counts as missing only if no other column is left that could be it: so a forgotten name is not
  taken for missing data.
- a column called `title` that is not the title is dropped; if it is the attribute, it is renamed `title_column`.

Rows may come in any order: a user's sequence is sorted by time, ties in row order.
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from recmodels import columns as doors
from recmodels.columns import Table
from recmodels.config import Columns, Reading
from recmodels.datasets.lacking import NO_ITEMS, NO_TIMES, NO_TITLES, of_ids
from recmodels.datasets.table_files import counting, read_table, without_bad_ids
from recmodels.datasets.values import AttributeWarning, values
from recmodels.errors import InputError, quote
from recmodels.interactions import Dataset, unrelated_ids
from recmodels.plain import text


def from_tables(
    interactions: Any,
    items: Any = None,
    columns: Columns | None = None,
    name: str = "own",
    reading: Reading | None = None,
) -> Dataset:
    """A dataset of your own; see the module for how cells are read.

    Args:
        interactions: who met which item when, one row each; a table or a path.
        items: one row per item: its id (or index of that name), title, and any number of attributes, as tuples, lists
            or text; a table or a path. None where there is none: ids serve as titles, and there are no attributes.
        columns: what the columns are called; `Columns()` when absent.
        name: of the dataset, and of its folder.
        reading: how files are read, and which interactions count; `Reading()` when absent.

    Returns:
        The data; `Dataset.lacks` says what they do not have.

    Raises:
        InputError: a file or column is missing, a cell cannot be read, an item has two rows or none.
    """
    for wrong, kind in ((columns, Columns), (reading, Reading)):
        if not isinstance(wrong, kind | None):
            raise InputError(f"{kind.__name__.lower()} is {quote(wrong)}: give recmodels.config.{kind.__name__}(...)")
    columns, reading = columns or Columns(), reading or Reading()
    columns.check()
    reading.check()
    meetings = read_table(interactions, "the table of interactions", columns, reading)
    meetings = counting(meetings, columns, reading)
    table = None if items is None else read_table(items, "the table of items", columns, reading, is_items=True)
    (users,) = doors.ids((meetings, columns.user))
    used = [columns.user, columns.item, columns.rating, columns.event, *columns.steps]
    time, lacks = _optional(meetings, columns.time, Columns.time, used), []
    if time is None:
        lacks.append(NO_TIMES)
        times = pd.Series(np.arange(len(users)), users.index)
    else:
        times = doors.times(meetings, time, reading.time_format)
    if table is None:
        (user_items,) = doors.ids((meetings, columns.item))
        item_table, attribute = of_ids(user_items), ""
        lacks.append(NO_ITEMS)
    else:
        item_id = columns.item_id or columns.item
        if reading.bad_items == "drop":
            n, table = len(table.frame) + table.dropped, without_bad_ids(table, item_id)
            if n > len(table.frame):
                lacks.append(
                    f"Left out are {n - len(table.frame):,} rows of items, with no id, a repeated one, or cut."
                )
        user_items, item_ids = doors.ids((meetings, columns.item), (table, item_id))
        doors.unique_ids(table, item_ids)
        item_table, attribute = _items(table, item_ids, columns, reading)
        if _optional(table, columns.title, Columns.title, [item_id, columns.attribute]) is None:
            lacks.append(NO_TITLES)
    steps = {column: doors.numbers(meetings, column) for column in columns.steps}
    frame = pd.DataFrame({"user": users, "item": user_items, "time": times, **steps}, copy=False)
    del meetings, users, user_items, times, steps  # of many rows, before the data set copies them
    if reading.unknown_items != "refuse" and not (known := frame["item"].isin(item_table.index)).all():
        if not known.any():
            raise InputError(unrelated_ids(name, pd.Index(frame["item"]), item_table.index))
        which = f"{int((~known).sum()):,} interactions ({(~known).mean():.1%}), whose items have no row in their table"
        if reading.unknown_items == "drop":
            frame = frame[known]
            lacks.append(f"Left out are {which}.")
        else:
            item_table = pd.concat([item_table, of_ids(frame.loc[~known, "item"])])
            lacks.append(f"Ids serve as titles in {which}.")
    return Dataset(name, frame, item_table, attribute, tuple(lacks), columns.steps)


def _optional(table: Table, name: str | None, default: str | None, used: Sequence[str | None]) -> str | None:
    """The name of a column that a table may lack; None if it does.

    It lacks it if the caller says so by None, or if it is not there under its usual name and no other column is left
    that could be it. Otherwise the caller must say which one it is.
    """
    if name is None or (name == default and not set(table.names) - set(used)):
        return None
    return name


def _items(table: Table, item_ids: pd.Series, columns: Columns, reading: Reading) -> tuple[pd.DataFrame, str]:
    """The table of items of a data set, and the attribute whose values are the concepts; empty if there is none."""
    item_id = columns.item_id or columns.item
    title = _optional(table, columns.title, Columns.title, [item_id, columns.attribute])
    attribute = _optional(table, columns.attribute, Columns.attribute, [item_id, title])
    titles = item_ids.astype(str).tolist() if title is None else _titles(table, title, item_ids)
    if attribute is not None:
        table.column(attribute)
    if attribute is not None and attribute in (item_id, title):
        raise InputError(f"the attribute {attribute!r} names single items: name a column of groups")
    names = _names(table, item_id, title, attribute)
    attributes = {
        name: _attribute(table, column, columns.separator, reading.missing, column == attribute)
        for column, name in names.items()
    }
    readable = {name: column for name, column in attributes.items() if column is not None}
    frame = pd.DataFrame({"title": titles, **readable}).set_axis(pd.Index(item_ids, name="item"))
    return frame, names[attribute] if attribute is not None else ""


def _titles(table: Table, name: str, item_ids: pd.Series) -> list[str]:
    """Titles as text; the id of an item that has none."""
    titles = []
    for row, (cell, item) in zip(table.frame.index, zip(table.column(name), item_ids, strict=True), strict=True):
        try:
            titles.append(text(cell) or str(item))
        except InputError as fault:
            raise InputError(f"{table.where}, row {row}, column {name!r}: {fault}") from None
    return titles


def _names(table: Table, item_id: str, title: str | None, attribute: str | None) -> dict[str, str]:
    """The names of attribute columns in the data set, by their name in the table.

    The name `title` is reserved for the titles of items. Another column of that name gets a new name if it is the
    attribute, and is dropped otherwise.
    """
    names = {name: name for name in table.frame.columns if name not in (item_id, title, "title")}
    if attribute == "title":
        free = "title_column"
        while free in names:
            free += "_"
        names["title"] = free
    return names


def _attribute(table: Table, name: str, separator: str, missing: Sequence[str], is_attribute: bool) -> pd.Series | None:
    """The values of a column; None, with a warning, if it cannot be read and is not the attribute."""
    if missing:
        column = table.frame[name]
        gone = column.map(lambda cell: isinstance(cell, str) and cell.strip() in missing)
        table = replace(table, frame=table.frame.assign(**{name: column.mask(gone.astype(bool), "")}))
    try:
        column = values(table, name, separator)
    except InputError as fault:
        if is_attribute:
            raise
        warnings.warn(f"{fault}; the column is left out", AttributeWarning, stacklevel=5)
        return None
    if missing and column.dtype == object:
        return column.map(lambda cell: _without(cell, missing))
    return column


def _without(cell: Any, missing: Sequence[str]) -> Any:
    """A value without the parts that mean there is none."""
    return tuple(part for part in cell if part not in missing) if isinstance(cell, tuple) else cell
