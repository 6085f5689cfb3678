"""What the columns of a table hold: ids, times, whole numbers, text. One rule for each, whichever way a table comes in.

Ids are int64, or text without surrounding blanks. Whole floats, to which pandas converts whole numbers beside a gap,
become whole numbers again; whole numbers beyond int64 become text. Cells of a text file stay text until a column is
read, so the id 007 does not change. An error names table, row and column.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from recmodels.advice import OFFICIAL, Advice, Fault
from recmodels.errors import InputError, quote
from recmodels.plain import EXACT, LARGEST, plain

# Up to 18 digits fit into 64 bits; a leading zero makes a number a name.
WHOLE_NUMBER = re.compile("0|-?[1-9][0-9]{0,17}")
ZONE = re.compile(r".*[T ][0-9]{2}.*([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)")  # at the end of a date with a time
DAY = re.compile(r"[+-]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}")
TOO_LONG = "but a time is a number of at most 64 bits, or a date"
OUT_OF_RANGE = "but dates go from 1678 to 2261"
MIXED_ZONES = "but the table has times with a time zone and times without one"
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, eq=False)
class Table:
    """A table and its name in messages.

    Attributes:
        where: what error messages call it.
        frame: the cells; its index numbers the rows as error messages do.
        is_text: every cell is text, '' where empty, because the table comes from a text file. Columns may be codes of
            text, or whole numbers where the text of all cells is theirs.
        advice: how error messages end, by what is wrong.
        dropped: rows of the file that were left out.
        every: the names of all columns of the source, if only some of them were read.

    Raises:
        InputError: there are no rows, or two columns have one name.
    """

    where: str
    frame: pd.DataFrame
    is_text: bool = True
    advice: Advice = OFFICIAL
    dropped: int = 0
    every: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        repeated = self.frame.columns[self.frame.columns.duplicated()]
        if len(repeated):
            raise InputError(f"{self.where} has two columns {repeated[0]!r}: {self.advice.on('names')}")
        if self.frame.empty:
            raise InputError(f"{self.where} has no rows below the column names: {self.advice.on('empty')}")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns of the source."""
        return self.every or tuple(self.frame.columns)

    def column(self, name: str) -> pd.Series:
        """A column in a plain dtype (`recmodels.plain.plain`).

        Raises:
            InputError: there is no such column, or its text is damaged.
        """
        if name not in self.frame.columns:
            columns = ", ".join(map(str, self.names))
            raise InputError(f"{self.where} has no column {name!r} (it has {columns}): {self.advice.on('names')}")
        if self.is_text:
            column = self.frame[name]
            return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
        try:
            return plain(self.frame[name])
        except InputError as fault:
            raise InputError(f"{self.where}, column {name!r}: {fault}") from None

    def fault(self, name: str, bad: np.ndarray, says: str, kind: Fault = "cell") -> InputError:
        """The error about the first `bad` cell of a column; `says` continues the sentence "column 'x' is …"."""
        row = int(np.asarray(bad).argmax())
        cell = self.frame[name].iloc[row : row + 1]
        cell_text = "empty" if _is_nothing(cell.tolist()[0]) else quote(cell.tolist()[0])
        place = f"{self.where}, row {cell.index[0]}, column {name!r}"
        return InputError(f"{place} is {cell_text}, {says}: {self.advice.on(kind)}")


def is_empty(column: pd.Series) -> pd.Series:
    """Which cells have nothing in them."""
    if column.dtype != object or pd.api.types.infer_dtype(column, skipna=True) == "string":
        return column.isna() | (column == "")
    return pd.Series([cell is None or (isinstance(cell, str) and not cell) for cell in column], column.index)


def ids(*places: tuple[Table, str]) -> list[pd.Series]:
    """Columns of ids that mean the same things: int64 if all of them hold nothing else, or text.

    Args:
        places: tables, each with the name of its column.

    Raises:
        InputError: no such column, or a cell without an id.
    """
    columns = [plain_ids(table.column(name)) for table, name in places]
    for (table, name), column in zip(places, columns, strict=True):
        empty = is_empty(column)
        if empty.any():
            raise table.fault(name, empty.to_numpy(), "but every row needs an id")
    if all(_are_whole(column, table.is_text) for (table, _), column in zip(places, columns, strict=True)):
        return [column.astype(np.int64, copy=False) for column in columns]
    for (table, name), column in zip(places, columns, strict=True):
        if pd.api.types.infer_dtype(column) in ("integer", "string"):
            continue
        good = is_whole(column).to_numpy() if column.dtype == np.float64 else are_ids(column)
        if not good.all():
            raise table.fault(name, ~good, "but an id is a whole number or text")
    return [column if pd.api.types.infer_dtype(column) == "string" else column.astype(str) for column in columns]


def plain_ids(column: pd.Series) -> pd.Series:
    """Plain cells as ids, int64 or text; a cell that is not an id stays as it is, and the caller refuses it."""
    if column.dtype == np.float64:
        return column.astype(np.int64) if is_whole(column).all() else column
    if column.dtype == object and pd.api.types.infer_dtype(column) == "integer":
        return column.map(str, na_action="ignore")  # some are beyond int64, or plain numbers would be int64
    return column


def is_whole(column: pd.Series) -> pd.Series:
    """Which floats are whole numbers, and small enough to be exact."""
    return (column == column.round()) & (column.abs() <= EXACT)


def are_ids(column: pd.Series) -> np.ndarray:
    """Which plain cells are whole numbers or text: bool [row]."""
    return np.array(
        [isinstance(cell, str | int) and not isinstance(cell, bool) for cell in column.tolist()], dtype=bool
    )


def unique_ids(table: Table, column: pd.Series) -> pd.Series:
    """Check that no id occurs twice in the column, and return it.

    Raises:
        InputError: an id is in two rows.
    """
    repeated = column[column.duplicated(keep=False)]
    if len(repeated):
        rows = repeated.index[repeated == repeated.iloc[0]]
        raise InputError(
            f"{table.where} has {column.name} {repeated.tolist()[0]!r} in rows {' and '.join(map(str, rows[:5]))}: "
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


def times(table: Table, name: str, form: str | None = None) -> pd.Series:
    """A column of times: numbers as they are, dates as seconds since 1970, in UTC if none of them names a zone.

    Args:
        table, name: the column.
        form: how all of them are written, as in Python's strptime; by default numbers or ISO dates.

    Returns:
        int64 or float64, all finite.

    Raises:
        InputError: no such column; a cell that is empty, not a time or out of range; or some dates name a zone and
            others do not.
    """
    column = table.column(name)
    empty = is_empty(column)
    if empty.any():
        raise table.fault(name, empty.to_numpy(), "but every row needs a time")
    if column.dtype.kind in "mM":
        return _seconds(column)
    if form is not None:
        return _written_times(table, name, column, form)
    if column.dtype == object:
        column = _read_times(table, name, column)
    if column.dtype.kind not in "if":
        raise table.fault(name, np.ones(len(column), bool), "but a time is a number or a date")
    if not np.isfinite(column).all():
        raise table.fault(name, ~np.isfinite(column).to_numpy(), "but a time is a finite number or a date")
    return column


def numbers(table: Table, name: str) -> pd.Series:
    """A column of finite numbers.

    Raises:
        InputError: no such column, or a cell that is not a finite number.
    """
    column = table.column(name)
    read = pd.to_numeric(column.where(~is_empty(column), None), errors="coerce").astype(np.float64)
    bad = ~np.isfinite(read.to_numpy())
    if bad.any():
        raise table.fault(name, bad, "but a number is read there")
    return read


def lists(column: pd.Series, separator: str | None) -> pd.Series:
    """Text cells as tuples of what the separator splits, without blanks around; None splits at any blank."""
    return column.map(lambda cell: tuple(part.strip() for part in cell.split(separator) if part.strip()))


def texts(column: pd.Series) -> pd.Series:
    """Cells as objects, None where empty."""
    return column.astype(object).where(~is_empty(column), None)


def _written_times(table: Table, name: str, column: pd.Series, form: str) -> pd.Series:
    """Times that are all written in one way, which is not ISO's."""
    cell_codes, different = pd.factorize(column.astype(str))
    try:
        dates = pd.Series(pd.to_datetime(different, format=form, utc=True, errors="coerce"))
    except ValueError as error:
        raise InputError(f"reading.time_format is {quote(form)}, which is no format of times ({error})") from None
    if dates.isna().any():
        raise table.fault(name, dates.isna().to_numpy()[cell_codes], f"not a time written as {form}")
    return _seconds(dates).take(cell_codes).set_axis(column.index)


def _read_times(table: Table, name: str, column: pd.Series) -> pd.Series:
    says = "but times should all be numbers, or dates such as 2024-05-31 18:20"
    is_text = pd.api.types.infer_dtype(column) == "string"
    if not is_text:
        odd = np.array([not isinstance(cell, str | int | float | date) or isinstance(cell, bool) for cell in column])
        if odd.any():
            raise table.fault(name, odd, says)
        too_long = np.array([isinstance(cell, int) and abs(cell) > LARGEST for cell in column])
        if too_long.any():
            raise table.fault(name, too_long, TOO_LONG)
    # Long tables have few different times.
    cell_codes, different = pd.factorize(column)
    cells = pd.Series(different, dtype=object)
    numbers = pd.to_numeric(cells if is_text else _only(cells, str | int | float), errors="coerce")
    if numbers.notna().all():
        too_long = numbers.abs().to_numpy() > LARGEST if numbers.dtype.kind in "uO" else np.zeros(len(cells), bool)
        if too_long.any():
            raise table.fault(name, too_long[cell_codes], TOO_LONG)
        return numbers.take(cell_codes).set_axis(column.index)
    dates = pd.to_datetime(cells if is_text else _only(cells, str | date), format="ISO8601", utc=True, errors="coerce")
    bad = (dates if dates.notna().sum() >= numbers.notna().sum() else numbers).isna().to_numpy()
    if bad.any():
        wrong = column.iloc[int(bad[cell_codes].argmax())]
        if _is_far_date(wrong):
            raise table.fault(name, bad[cell_codes], OUT_OF_RANGE)
        raise table.fault(name, bad[cell_codes], says, "time")
    has_zone = np.array([_has_zone(cell) for cell in cells])[cell_codes]
    if has_zone.any() and not has_zone.all():
        raise table.fault(name, has_zone != has_zone[0], MIXED_ZONES)
    return _seconds(dates).take(cell_codes).set_axis(column.index)


def _is_far_date(cell: Any) -> bool:
    """Whether a cell is a date that 64 bits of nanoseconds cannot hold."""
    if isinstance(cell, date):
        return True
    day_text = DAY.match(cell) if isinstance(cell, str) else None
    if day_text is None:
        return False
    try:
        day = np.datetime64(day_text[0], "D")
    except ValueError:
        return False
    return not np.datetime64(pd.Timestamp.min, "D") < day < np.datetime64(pd.Timestamp.max, "D")


def _has_zone(cell: Any) -> bool:
    if isinstance(cell, str):
        return bool(ZONE.fullmatch(cell))
    return isinstance(cell, datetime) and cell.tzinfo is not None


def _only(cells: pd.Series, kinds: Any) -> pd.Series:
    return cells.where(cells.map(lambda cell: isinstance(cell, kinds)).astype(bool), None)


def _seconds(column: pd.Series) -> pd.Series:
    """Seconds since 1970 of moments, or of durations: int64 if all are whole."""
    elapsed, parts = column.astype(np.int64), PER_SECOND[column.dt.unit]
    return elapsed / parts if (elapsed % parts).any() else elapsed // parts


def _are_whole(column: pd.Series, is_text: bool) -> bool:
    if is_text and column.dtype == object:
        return all(WHOLE_NUMBER.fullmatch(cell) for cell in column.unique())
    return column.dtype == np.int64


def _is_nothing(cell: Any) -> bool:
    return (pd.api.types.is_scalar(cell) and pd.isna(cell)) or (isinstance(cell, str) and not cell.strip())
