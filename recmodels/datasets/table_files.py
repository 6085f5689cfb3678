"""Frames and files as tables, and which of their interactions count: what `Reading` says."""

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from recmodels import columns as doors
from recmodels.advice import Advice
from recmodels.columns import Table
from recmodels.config import Columns, Reading
from recmodels.datasets import cells, json_lines
from recmodels.datasets.parquet_files import read_parquet
from recmodels.datasets.source_files import read_path
from recmodels.errors import InputError, quote
from recmodels.paths import as_path
from recmodels.plain import as_frame

SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": " "}
JSON_LINES = (".jsonl", ".json", ".ndjson")
CELL = "correct it there, or name another column in `columns` (None where there is none)"
ADVICE = Advice(
    CELL,
    time=f"{CELL}, or say how times are written (reading.time_format)",
    rows="correct it there",
    empty="give a table with rows",
)
OF_TEXT = replace(
    ADVICE,
    names="correct it there, name another column in `columns` (None where there is none), say how cells are split "
    "(reading.separator), or name the columns of a file without names (reading.names)",
    rows="correct it there, or say how cells are split (reading.separator)",
    encoding="save the file in UTF-8, or name its encoding (reading.encoding)",
)


def read_table(source: Any, where: str, columns: Columns, reading: Reading, is_items: bool = False) -> Table:
    """A frame or a file as a table.

    Args:
        source: a frame of any library, or the path of a file, or of a folder of .parquet files.
        where: what messages call a frame.
        columns: what its columns are called, for a plain file of users and items.
        reading: how text is read.
        is_items: whether it is the table of items.

    Raises:
        InputError: it is neither, is missing or is damaged.
    """
    frame = as_frame(source, where)
    if frame is not None:
        return _of_frame(frame, where)
    if not isinstance(source, str | os.PathLike):
        raise InputError(
            f"{where} is {quote(source)}: pass a frame of pandas, polars or pyarrow, or the path of a file"
        )
    path = as_path(source)
    kind = path.with_suffix("").suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if path.is_dir() and any(path.rglob("*.parquet")):
        kind = ".parquet"
    if path.is_dir() and kind != ".parquet":
        raise InputError(f"{path} is a folder without .parquet files: give the table's file or folder")
    if kind not in (*SEPARATORS, *JSON_LINES, ".parquet") and reading.separator is None:
        raise InputError(
            f"{path} is neither .csv nor .tsv nor .parquet, .txt or .jsonl: convert it, name its separator "
            f"(reading.separator), or pass a DataFrame"
        )
    if not path.exists():
        raise InputError(f"{path} does not exist: pass the path of a .csv, .tsv, .txt, .jsonl or .parquet file")
    if kind == ".parquet":
        frame, every = read_parquet(path, None if is_items else columns.of_interactions)
        return replace(_of_frame(as_frame(frame, str(path)) if is_items else frame, str(path)), every=every)
    if kind in JSON_LINES and reading.separator is None:
        return json_lines.read(read_path(path), ADVICE)
    file, names = read_path(path), reading.item_names if is_items else reading.names
    if (
        kind == ".txt"
        and not is_items
        and not names
        and columns.user.encode() not in file.table.split(b"\n", 1)[0].split()
    ):
        names = (columns.user, columns.item)  # the plain form of the field
    separator = reading.separator or SEPARATORS[kind]
    drop_bad, wanted = is_items and reading.bad_items == "drop", None if is_items else columns.of_interactions
    return cells.read(file, separator, separator != " ", reading.encoding, OF_TEXT, names, drop_bad, wanted)


def _of_frame(frame: pd.DataFrame | None, where: str) -> Table:
    assert frame is not None
    frame = frame.copy(deep=False)
    frame.index = pd.RangeIndex(len(frame))  # unlike set_axis, without a copy
    return Table(where, frame, is_text=False, advice=ADVICE)


def counting(table: Table, columns: Columns, reading: Reading) -> Table:
    """The interactions that count: of these events, and with these ratings.

    Raises:
        InputError: the column that says so is not named or not there, or no row is left.
    """
    unnamed = "but not which column has it: name it with columns"
    counts = np.ones(len(table.frame), dtype=bool)
    if reading.min_rating is not None:
        if columns.rating is None:
            raise InputError(f"reading.min_rating is set, {unnamed}.rating")
        counts &= (doors.numbers(table, columns.rating) >= reading.min_rating).to_numpy()
    if reading.events:
        if columns.event is None:
            raise InputError(f"reading.events is set, {unnamed}.event")
        counts &= table.column(columns.event).astype(str).isin(reading.events).to_numpy()
    if not counts.any():
        raise InputError(f"no row of {table.where} counts: lower reading.min_rating, or correct reading.events")
    return replace(table, frame=table.frame[counts]) if not counts.all() else table


def without_bad_ids(table: Table, name: str) -> Table:
    """A table without the rows that have no id in this column, or one that a row above has.

    Raises:
        InputError: there is no such column.
    """
    ids = table.column(name)
    return replace(table, frame=table.frame[~(doors.is_empty(ids) | ids.duplicated()).to_numpy()])
