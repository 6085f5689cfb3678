"""Your own data: two tables, of interactions and of items, as frames or files.

    dataset = from_tables("ratings.csv", "books.parquet", Columns(item="isbn", attribute="subjects"))

A table is a frame of pandas, a table of polars, pyarrow or any library that offers Arrow or the dataframe interchange,
or the path of a .csv, .tsv (UTF-8, column names in the first row) or .parquet file or of a folder of .parquet files.
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
- a column called `title` that is not the title is dropped; if it is the attribute, it is renamed `title_column`.

Rows may come in any order: a user's sequence is sorted by time, ties in row order.
"""

import os
import warnings
from typing import Any

import pandas as pd

from recmodels import columns as doors
from recmodels.columns import Table
from recmodels.config import Columns
from recmodels.datasets import cells
from recmodels.datasets.source_files import read_parquet, read_path
from recmodels.datasets.values import AttributeWarning, values
from recmodels.errors import InputError, quote
from recmodels.interactions import Dataset
from recmodels.paths import as_path
from recmodels.plain import as_frame, text

SEPARATORS = {".csv": ",", ".tsv": "\t"}
ADVICE = "correct it there, or name another column in `columns`"


def from_tables(
    interactions: Any,
    items: Any,
    columns: Columns | None = None,
    name: str = "own",
) -> Dataset:
    """A dataset of your own; see the module for how cells are read.

    Args:
        interactions: who met which item when, one row each; a table or a path.
        items: one row per item: its id (or index of that name), title, and any number of attributes, as tuples, lists
            or text; a table or a path.
        columns: what the columns are called; `Columns()` when absent.
        name: of the dataset, and of its folder.

    Raises:
        InputError: a file or column is missing, a cell cannot be read, an item has two rows or none.
    """
    if not isinstance(columns, Columns | None):
        raise InputError(f"columns is {quote(columns)}: give recmodels.config.Columns(...)")
    columns = columns or Columns()
    columns.check()
    interaction_table, item_table = (
        _table(interactions, "the table of interactions"),
        _table(items, "the table of items"),
    )
    (users,) = doors.ids((interaction_table, columns.user))
    user_items, item_ids = doors.ids((interaction_table, columns.item), (item_table, columns.item))
    doors.unique_ids(item_table, item_ids)
    titles = _titles(item_table, columns.title, item_ids)
    item_table.column(columns.attribute)
    if columns.attribute in (columns.item, columns.title):
        raise InputError(f"the attribute {columns.attribute!r} names single items: name a column of groups")
    names = _names(item_table, columns)
    attributes = {name: _attribute(item_table, column, columns) for column, name in names.items()}
    readable = {name: column for name, column in attributes.items() if column is not None}
    table = pd.DataFrame({"title": titles, **readable}).set_axis(pd.Index(item_ids, name="item"))
    frame = pd.DataFrame({"user": users, "item": user_items, "time": doors.times(interaction_table, columns.time)})
    return Dataset(name, frame, table, names[columns.attribute])


def _table(source: Any, where: str) -> Table:
    frame = as_frame(source, where)
    if frame is not None:
        return _of_frame(frame, where)
    if not isinstance(source, str | os.PathLike):
        raise InputError(
            f"{where} is {quote(source)}: pass a frame of pandas, polars or pyarrow, or the path of a file"
        )
    path = as_path(source)
    kind = path.suffix.lower()
    if path.is_dir() and any(path.rglob("*.parquet")):
        kind = ".parquet"
    if kind not in (*SEPARATORS, ".parquet"):
        raise InputError(f"{path} is neither .csv nor .tsv nor .parquet: convert it, or pass a DataFrame")
    if not path.exists():
        raise InputError(f"{path} does not exist: pass the path of a .csv, .tsv or .parquet file")
    if kind in SEPARATORS:
        return cells.read(read_path(path), SEPARATORS[kind], quoted=True, advice=f"{ADVICE}; the file must be in UTF-8")
    return _of_frame(as_frame(read_parquet(path), str(path)), str(path))


def _of_frame(frame: pd.DataFrame | None, where: str) -> Table:
    assert frame is not None
    return Table(where, frame.set_axis(pd.RangeIndex(len(frame))), is_text=False, advice=ADVICE)


def _titles(table: Table, name: str, item_ids: pd.Series) -> list[str]:
    """Titles as text; the id of an item that has none."""
    titles = []
    for row, (cell, item) in zip(table.frame.index, zip(table.column(name), item_ids, strict=True), strict=True):
        try:
            titles.append(text(cell) or str(item))
        except InputError as fault:
            raise InputError(f"{table.where}, row {row}, column {name!r}: {fault}") from None
    return titles


def _names(table: Table, columns: Columns) -> dict[str, str]:
    """The names of attribute columns in the data set, by their name in the table.

    The name `title` is reserved for the titles of items. Another column of that name gets a new name if it is the
    attribute, and is dropped otherwise.
    """
    names = {name: name for name in table.frame.columns if name not in (columns.item, columns.title, "title")}
    if columns.attribute == "title":
        free = "title_column"
        while free in names:
            free += "_"
        names["title"] = free
    return names


def _attribute(table: Table, name: str, columns: Columns) -> pd.Series | None:
    """The values of a column; None, with a warning, if it cannot be read and is not the attribute."""
    try:
        return values(table, name, columns.separator)
    except InputError as fault:
        if name == columns.attribute:
            raise
        warnings.warn(f"{fault}; the column is left out", AttributeWarning, stacklevel=4)
        return None
