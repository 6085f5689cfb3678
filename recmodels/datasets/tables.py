"""Your own data: two tables, of interactions and of items, as frames or files.

    dataset = from_tables("ratings.csv", "books.parquet", Columns(item="isbn", attribute="subjects"))

What cells of text files (.csv, .tsv; UTF-8, column names in the first row) become:

- ids: integers if every cell of the column holds one (for items: the column of both tables), else strings; so
  007 stays '007', and 12 beside abc becomes '12'. In frames and .parquet files, ids keep their type, but
  integers among strings become strings.
- times: numbers as they are, or dates in ISO format, which become seconds since 1970.
- other columns of items: tuples where the separator is in some cell, otherwise numbers if all cells are,
  otherwise text. An empty cell means that the item has none.

Rows may come in any order: a user's sequence goes by time, ties in row order.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from recmodels.config import Columns
from recmodels.datasets import cells
from recmodels.datasets.cells import Table
from recmodels.datasets.download import SourceFile
from recmodels.errors import InputError
from recmodels.interactions import Dataset

SEPARATORS = {".csv": ",", ".tsv": "\t"}
ADVICE = "correct it there, or name another column in `columns`"
SEVERAL = (tuple, list, set, frozenset, np.ndarray)


def from_tables(
    interactions: pd.DataFrame | str | Path,
    items: pd.DataFrame | str | Path,
    columns: Columns | None = None,
    name: str = "own",
) -> Dataset:
    """A dataset of your own; see the module for how cells are read.

    Args:
        interactions: who met which item when, one row each; a frame, or a path to .csv, .tsv or .parquet.
        items: one row per item: its id (or index of that name), title, and any number of attributes, as
            tuples, lists or text; a frame, or a path.
        columns: what the columns are called; `Columns()` when absent.
        name: of the dataset.

    Raises:
        InputError: a file or column is missing, a cell cannot be read, an item has two rows or none.
    """
    columns = columns or Columns()
    columns.check()
    met, described = _table(interactions, "the table of interactions"), _table(items, "the table of items")
    (users,) = cells.ids((met, columns.user))
    met_items, item_ids = cells.ids((met, columns.item), (described, columns.item))
    cells.unique_ids(described, item_ids)
    titles = described.column(columns.title)
    described.column(columns.attribute)
    if columns.attribute in (columns.item, columns.title):
        raise InputError(f"the attribute {columns.attribute!r} is what tells items apart: name a column of groups")
    kept = described.frame.columns.drop([columns.item, columns.title]).drop("title", errors="ignore")
    table = pd.DataFrame(
        {
            "title": cells.texts(titles).fillna(item_ids).astype(str),
            **{column: _values(described.frame[column], described.is_text, columns.separator) for column in kept},
        }
    )
    frame = pd.DataFrame({"user": users, "item": met_items, "time": cells.times(met, columns.time)})
    return Dataset(name, frame, table.set_axis(pd.Index(item_ids, name="item")), columns.attribute)


def _table(source: pd.DataFrame | str | Path, where: str) -> Table:
    if isinstance(source, pd.DataFrame):
        return _of_frame(source, where)
    path = Path(source).expanduser()
    if path.suffix not in (*SEPARATORS, ".parquet"):
        raise InputError(f"{path} is neither .csv nor .tsv nor .parquet: convert it, or pass a DataFrame")
    if not path.is_file():
        raise InputError(f"{path} does not exist: pass the path of a .csv, .tsv or .parquet file")
    if path.suffix in SEPARATORS:
        advice = f"{ADVICE}; the file must be in UTF-8"
        return cells.read(SourceFile(str(path), path.read_bytes()), SEPARATORS[path.suffix], quoted=True, advice=advice)
    try:
        return _of_frame(pd.read_parquet(path), str(path))
    except (pa.ArrowInvalid, OSError):
        raise InputError(f"{path} is not a whole .parquet file: write it again") from None


def _of_frame(frame: pd.DataFrame, where: str) -> Table:
    if frame.index.name is not None and frame.index.name not in frame.columns:
        frame = frame.reset_index()
    return Table(where, frame.set_axis(pd.RangeIndex(len(frame))), is_text=False, advice=ADVICE)


def _values(column: pd.Series, is_text: bool, separator: str) -> pd.Series:
    if not (is_text or column.dtype == object or isinstance(column.dtype, pd.StringDtype)):
        return column
    if any(isinstance(cell, SEVERAL) or (isinstance(cell, str) and separator in cell) for cell in column):
        return pd.Series([_several(cell, separator) for cell in column], column.index, dtype=object)
    if is_text:
        filled = column.where(column != "", None)
        numbers = pd.to_numeric(filled, errors="coerce")
        if numbers.notna().equals(filled.notna()):
            return numbers.convert_dtypes(convert_floating=False)
    return cells.texts(column)


def _several(cell: Any, separator: str) -> tuple[str, ...]:
    if isinstance(cell, str):
        cell = cell.split(separator)
    elif not isinstance(cell, SEVERAL):
        cell = [] if pd.isna(cell) else [cell]
    elif isinstance(cell, set | frozenset):
        cell = sorted(cell, key=str)  # sets of texts have another order in every process
    parts = (str(part).strip() for part in cell if not pd.isna(part))
    return tuple(part for part in parts if part)
