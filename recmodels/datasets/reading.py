"""Readers of text tables split by a separator; an error names file, row and column.

Bulk tables go through a fast parser (pandas, pyarrow). Only when it refuses one is the table read line by line,
to say what is wrong. Rows are counted from 1, as an editor does.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from recmodels.datasets.source_files import SourceFile
from recmodels.errors import InputError, one_line
from recmodels.progress import tqdm

WHOLE_NUMBER = re.compile(" *-?[0-9]{1,18} *")
ARROW_TYPES = {int: pa.int64(), float: pa.float64(), str: pa.string()}
BLOCK_BYTES = 1 << 24


def interactions(
    file: SourceFile,
    separator: str,
    columns: Sequence[str],
    use: Sequence[str] = ("user id", "movie id", "timestamp"),
    header: bool = False,
) -> pd.DataFrame:
    """User, item and time of a table whose `columns` are split by one character, repeated or not.

    Raises:
        InputError: the file has another format; the first fault is named.
    """
    width, step = (len(columns) - 1) * len(separator) + 1, len(separator)
    positions = [columns.index(name) * step for name in use]
    # Between the two characters of "::" pandas sees a column, which must be empty.
    gaps = [column for column in range(width) if column % step]
    try:
        frame = pd.read_csv(
            io.BytesIO(file.table),
            sep=separator[0],
            header=None,
            skiprows=int(header),
            dtype=dict.fromkeys(positions, np.int64) | dict.fromkeys(gaps, np.float32),
            quoting=csv.QUOTE_NONE,
        )
    except (ValueError, OverflowError):
        frame = None
    if frame is None or frame.shape[1] != width or not frame[gaps].isna().all(axis=None):
        raise first_fault(file, separator, columns, use, header)
    return frame[positions].set_axis(["user", "item", "time"], axis=1)


def first_fault(
    file: SourceFile, separator: str, columns: Sequence[str], use: Sequence[str], header: bool
) -> InputError:
    """The first fault of a table that the fast parser refused, found line by line."""
    try:
        for row, fields in rows(file, separator, "utf-8", columns, header):
            for name in use:
                integer(fields[name], file, row, name)
    except InputError as fault:
        return fault
    return InputError(f"{file.where} has no rows in its official format: get it again")


def rows(
    file: SourceFile,
    separator: str,
    encoding: str,
    columns: Sequence[str],
    header: bool = False,
    free: str | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Row number and fields by column of every line that is not blank, in a table without quotes.

    Args:
        file: the table.
        separator: what stands between two columns.
        encoding: utf-8 or latin-1; a cell that reads as the other one is a fault.
        columns: the names of all columns, in order.
        header: whether the first line is to be passed over.
        free: a column of free text, which may itself hold the separator.

    Raises:
        InputError: another number of columns, or another encoding.
    """
    for row, line in enumerate(io.BytesIO(file.table), start=1):
        if (header and row == 1) or not line.strip():
            continue
        cells = line.removesuffix(b"\n").removesuffix(b"\r").split(separator.encode())
        if free is not None and len(cells) > len(columns):
            start, more = columns.index(free), len(cells) - len(columns)
            cells[start : start + more + 1] = [separator.encode().join(cells[start : start + more + 1])]
        _check_width(cells, separator, columns, file, row)
        for cell, name in zip(cells, columns, strict=True):
            if not cell.isascii() and is_utf8(cell) != (encoding == "utf-8"):
                raise InputError(
                    f"{file.where}, row {row}, column {name!r} is not in {encoding}: get the official file"
                )
        yield row, dict(zip(columns, (cell.decode(encoding) for cell in cells), strict=True))


def csv_columns(file: SourceFile, columns: Mapping[str, type]) -> pd.DataFrame:
    """Columns of a UTF-8 comma-separated table with a header, which may be long: 20 million rows take seconds.

    Args:
        file: the table. Cells in quotation marks may hold commas and line breaks; blank lines are passed over.
        columns: the type (int, float or str) of each column to read, by the name in the header.

    Raises:
        InputError: the file has another format, or a cell is not a number; the message names the first fault.
    """
    data = file.table
    size = len(data)
    types = {name: ARROW_TYPES[kind] for name, kind in columns.items()}
    # A thread that still reads ahead when an error ends the program would crash it.
    read = arrow_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)
    parse = arrow_csv.ParseOptions(newlines_in_values=str in columns.values())
    convert = arrow_csv.ConvertOptions(include_columns=list(columns), column_types=types)
    try:
        with (
            arrow_csv.open_csv(pa.BufferReader(data), read, parse, convert) as reader,
            tqdm(desc=one_line(file.where), total=size, unit="B", unit_scale=True, delay=1) as bar,
        ):
            batches = []
            for batch in reader:
                batches.append(batch)
                bar.update(min(BLOCK_BYTES, size - bar.n))
    except (pa.ArrowException, UnicodeError, OverflowError):
        raise _first_csv_fault(file, columns) from None
    table = pa.Table.from_batches(batches, pa.schema(types))
    if any(column.null_count for column in table.columns):
        raise _first_csv_fault(file, columns)
    return table.to_pandas()


def csv_rows(file: SourceFile, required: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Row number and fields by column of a UTF-8 comma-separated table with a header; for tables that are short.

    Raises:
        InputError: a needed column is not in the header, a row has another number of columns or is not in UTF-8.
    """
    # Undecodable bytes survive as surrogates until their column is known.
    content = io.BytesIO(file.table)
    reader = csv.reader(line.decode("utf-8", "surrogateescape") for line in content)
    header: list[str] | None = None
    row = 1
    try:
        for cells in reader:
            if header is None and cells:
                header = cells
                _check_names(header, required, file, row)
            elif header is not None and cells:
                _check_width(cells, ",", header, file, row)
                for name, cell in zip(header, cells, strict=True):
                    if not cell.isascii() and any("\udc80" <= letter <= "\udcff" for letter in cell):
                        raise InputError(
                            f"{file.where}, row {row}, column {name!r} is not in utf-8: get the official file"
                        )
                yield row, dict(zip(header, cells, strict=True))
            row = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{file.where}, row {row} cannot be read ({error}): get the file again") from None
    if header is None:
        raise InputError(f"{file.where} is empty: get it again")


def recbole_columns(file: SourceFile, required: Sequence[str]) -> list[str]:
    """Column names of a RecBole atomic file, whose header reads `name:type`.

    Raises:
        InputError: a needed column is not among them.
    """
    header = file.table.partition(b"\n")[0].decode("utf-8", "replace").strip()
    columns = [cell.partition(":")[0] for cell in header.split("\t")]
    _check_names(columns, required, file, 1)
    return columns


def is_utf8(cell: bytes) -> bool:
    """Whether the bytes are valid UTF-8."""
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def integer(text: str, file: SourceFile, row: int, column: str) -> int:
    """The whole number that a cell holds.

    Raises:
        InputError: it holds something else.
    """
    if WHOLE_NUMBER.fullmatch(text):
        return int(text)
    raise InputError(
        f"{file.where}, row {row}, column {column!r} is {text!r}, not a whole number: get the official file"
    )


def _first_csv_fault(file: SourceFile, columns: Mapping[str, type]) -> InputError:
    try:
        for row, fields in csv_rows(file, list(columns)):
            for name, kind in columns.items():
                if kind is int:
                    integer(fields[name], file, row, name)
                elif kind is float and pd.isna(pd.to_numeric(fields[name], errors="coerce")):
                    raise InputError(
                        f"{file.where}, row {row}, column {name!r} is {fields[name]!r}, not a number: "
                        f"get the official file"
                    )
    except InputError as fault:
        return fault
    return InputError(f"{file.where} is not a comma-separated table of its official format: get it again")


def _check_names(names: Sequence[str], required: Sequence[str], file: SourceFile, row: int) -> None:
    absent = [name for name in required if name not in names]
    if absent:
        raise InputError(
            f"{file.where}, row {row} names no column {absent[0]!r} (it names {', '.join(names)}): get the file again"
        )


def _check_width(cells: Sequence, separator: str, columns: Sequence[str], file: SourceFile, row: int) -> None:
    if len(cells) != len(columns):
        head = ", ".join(columns[:4]) + ", …" * (len(columns) > 4)
        raise InputError(
            f"{file.where}, row {row} has {len(cells)} columns split by {separator!r}, "
            f"not {len(columns)} ({head}): get the official file"
        )
