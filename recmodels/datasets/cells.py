"""Tables whose first row names the columns, and what their cells hold: ids, times, whole numbers, lists.

Cells of a text file stay text until a column is asked for, so that the id 007 remains what it is. A fault is
placed by table, row and column.
"""

import csv
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from recmodels.datasets.download import SourceFile
from recmodels.errors import InputError

# Up to 18 digits fit into 64 bits; a leading zero makes a number a name.
WHOLE_NUMBER = re.compile("0|-?[1-9][0-9]{0,17}")
NANOSECONDS = 10**9


@dataclass(frozen=True, eq=False)
class Table:
    """A table and how to speak of it.

    Attributes:
        where: what error messages call it.
        frame: the cells; its index numbers the rows as error messages do.
        is_text: every cell is text, '' where empty, because the table comes from a text file.
        advice: how error messages end.

    Raises:
        InputError: there are no rows, or two columns have one name.
    """

    where: str
    frame: pd.DataFrame
    is_text: bool = True
    advice: str = "get the official file"

    def __post_init__(self) -> None:
        repeated = self.frame.columns[self.frame.columns.duplicated()]
        if len(repeated):
            raise InputError(f"{self.where} has two columns {repeated[0]!r}: {self.advice}")
        if self.frame.empty:
            raise InputError(f"{self.where} has no rows below the column names: {self.advice}")

    def column(self, name: str) -> pd.Series:
        """A column.

        Raises:
            InputError: there is none of this name.
        """
        if name not in self.frame.columns:
            columns = ", ".join(map(str, self.frame.columns))
            raise InputError(f"{self.where} has no column {name!r} (it has {columns}): {self.advice}")
        return self.frame[name]

    def fault(self, name: str, bad: np.ndarray, says: str) -> InputError:
        """What to raise about the first cell of a column that is `bad`; `says` goes on after "column 'x' is …"."""
        row = int(np.asarray(bad).argmax())
        column = self.frame[name]
        shown = "empty" if is_empty(column.iloc[row : row + 1]).all() else repr(column.iloc[row : row + 1].tolist()[0])
        return InputError(f"{self.where}, row {column.index[row]}, column {name!r} is {shown}, {says}: {self.advice}")


def read(
    file: SourceFile, separator: str, quoted: bool = False, encoding: str = "utf-8", advice: str = Table.advice
) -> Table:
    """A text file as a table; rows are numbered as an editor does, the column names being row 1.

    Args:
        file: with the column names in its first row. Blank lines are passed over.
        separator: one character.
        quoted: whether `"a ""b"", c"` is one cell, as in CSV files. Rows are then counted by cells, not by lines.
        encoding: of the bytes.
        advice: how error messages end.

    Raises:
        InputError: the file is empty, in another encoding, or a row has more or fewer cells than the first one.
    """
    try:
        text = file.data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        row = file.data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{file.where}, row {row} is not in {encoding.upper()}: {advice}") from None
    head = text.partition("\n")[0].removesuffix("\r")
    if not head.strip():
        raise InputError(f"{file.where}, row 1 is blank, and should name the columns: {advice}")
    quote = '"' if quoted else False
    names = next(csv.reader([head], delimiter=separator)) if quoted else head.split(separator)
    data = text.encode()
    bad: list[pa.csv.InvalidRow] = []

    def remember(row: pa.csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    generated = [f"f{place}" for place in range(len(names))]
    cells = pa.csv.read_csv(
        pa.BufferReader(data),
        # One block, as a quoted cell must not lie across two; one thread, or rows have no number.
        pa.csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=generated),
        pa.csv.ParseOptions(
            delimiter=separator,
            quote_char=quote,
            newlines_in_values=quoted,
            ignore_empty_lines=False,
            invalid_row_handler=remember,
        ),
        pa.csv.ConvertOptions(column_types=dict.fromkeys(generated, pa.string()), strings_can_be_null=False),
    )
    # A blank line is one empty cell.
    bad = [row for row in bad if row.text.strip()]
    if bad:
        named = ", ".join(names[:4]) + ", …" * (len(names) > 4)
        raise InputError(
            f"{file.where}, row {bad[0].number} has {bad[0].actual_columns} columns split by {separator!r}, "
            f"not {len(names)} ({named}): {advice}"
        )
    frame = cells.to_pandas().set_axis(names, axis=1).set_axis(pd.RangeIndex(1, len(cells) + 1)).iloc[1:]
    first = frame.iloc[:, 0]
    if (first == "").any():
        frame = frame[(frame != "").any(axis=1)]
    return Table(file.where, frame, advice=advice)


def is_empty(column: pd.Series) -> pd.Series:
    """Which cells have nothing in them."""
    return column.isna() | (column == "")


def ids(*places: tuple[Table, str]) -> list[pd.Series]:
    """Columns of ids that mean the same things: integers if all of them hold nothing else, or strings.

    Args:
        places: tables, each with the name of its column.

    Raises:
        InputError: no such column, or a cell without an id.
    """
    columns = [table.column(name) for table, name in places]
    for (table, name), column in zip(places, columns, strict=True):
        empty = is_empty(column)
        if empty.any():
            raise table.fault(name, empty.to_numpy(), "but every row needs an id")
    if all(_are_whole(column, table.is_text) for (table, _), column in zip(places, columns, strict=True)):
        return [column.astype(np.int64) for column in columns]
    # Others, such as floats and booleans, are left for `Dataset` to refuse.
    as_text = {"integer", "string", "mixed-integer"}
    return [column.astype(str) if pd.api.types.infer_dtype(column) in as_text else column for column in columns]


def unique_ids(table: Table, column: pd.Series) -> pd.Series:
    """The column, which must name nothing twice.

    Raises:
        InputError: an id is in two rows.
    """
    repeated = column[column.duplicated(keep=False)]
    if len(repeated):
        rows = repeated.index[repeated == repeated.iloc[0]]
        raise InputError(
            f"{table.where} has {column.name} {repeated.tolist()[0]!r} in rows {' and '.join(map(str, rows))}: "
            f"keep one of them"
        )
    return column


def whole_numbers(table: Table, name: str, optional: bool = False) -> pd.Series:
    """A column of whole numbers, int64; Int64, missing where empty, if `optional`.

    Raises:
        InputError: no such column, or a cell that holds something else.
    """
    column = table.column(name)
    empty = is_empty(column)
    numbers = column[~empty] if optional else column
    good = {cell for cell in numbers.unique() if WHOLE_NUMBER.fullmatch(str(cell))}
    bad = ~(column.isin(good) | (empty & optional))
    if bad.any():
        raise table.fault(name, bad.to_numpy(), "not a whole number")
    return numbers.astype(np.int64).astype("Int64").reindex(column.index) if optional else numbers.astype(np.int64)


def times(table: Table, name: str) -> pd.Series:
    """A column of times: numbers as they are, dates as seconds since 1970, in UTC where they name no zone.

    Raises:
        InputError: no such column, or a cell that is empty or not a time.
    """
    column = table.column(name)
    empty = is_empty(column)
    if empty.any():
        raise table.fault(name, empty.to_numpy(), "but every row needs a time")
    if pd.api.types.is_numeric_dtype(column):
        return column
    # Long tables have few different times.
    which, different = pd.factorize(column)
    cells = pd.Series(different)
    numbers = _numbers(cells)
    if numbers.notna().all():
        return numbers.take(which).set_axis(column.index)
    dates = pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce")
    bad = (dates if dates.notna().sum() >= numbers.notna().sum() else numbers).isna().to_numpy()
    if bad.any():
        raise table.fault(name, bad[which], "but times should all be numbers, or dates such as 2024-05-31 18:20")
    elapsed = dates.dt.as_unit("ns").astype(np.int64)
    seconds = elapsed / NANOSECONDS if (elapsed % NANOSECONDS).any() else elapsed // NANOSECONDS
    return seconds.take(which).set_axis(column.index)


def lists(column: pd.Series, separator: str | None) -> pd.Series:
    """Text cells as tuples of what the separator splits, without blanks around; None splits at any blank."""
    return column.map(lambda cell: tuple(part.strip() for part in cell.split(separator) if part.strip()))


def texts(column: pd.Series) -> pd.Series:
    """Cells as text, None where empty."""
    return column.astype(object).where(~is_empty(column), None)


def _are_whole(column: pd.Series, is_text: bool) -> bool:
    if is_text:
        return all(WHOLE_NUMBER.fullmatch(cell) for cell in column.unique())
    return pd.api.types.infer_dtype(column) == "integer"


def _numbers(column: pd.Series) -> pd.Series:
    # To pandas, dates are numbers too.
    if pd.api.types.infer_dtype(column) in ("date", "datetime", "datetime64"):
        return pd.Series(np.nan, column.index)
    return pd.to_numeric(column, errors="coerce")
