"""The one reader of tables and columns of any library and dtype: it returns a few plain types."""

import datetime
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.interchange

from recmodels.errors import InputError, quote
from recmodels.scalars import as_number

LARGEST = np.iinfo(np.int64).max
ADDRESS = " at 0x"
EXACT = 2**53  # floats hold every whole number up to here


def as_frame(table: Any, where: str = "the table") -> pd.DataFrame | None:
    """A table of pandas, polars, pyarrow or any library with Arrow or the dataframe interchange, as a frame.

    Named levels of the index become columns; column names become text without surrounding blanks. None if the argument
    is not a table.

    Raises:
        InputError: the table cannot be converted, or a level of its index and a column have one name.
    """
    if isinstance(table, pd.DataFrame):
        frame = table
    elif (hasattr(table, "__arrow_c_stream__") or hasattr(table, "__dataframe__")) and hasattr(table, "columns"):
        try:
            is_arrow = hasattr(table, "__arrow_c_stream__") or isinstance(table, pa.RecordBatch)
            frame = of_arrow(_arrow_table(table) if is_arrow else pyarrow.interchange.from_dataframe(table))
        except Exception as error:  # of the other library
            raise InputError(f"{where} cannot be read ({error}): convert it to a pandas DataFrame") from None
    else:
        return None
    for level in [name for name in frame.index.names if name is not None]:
        if level not in frame.columns:
            try:
                frame = frame.reset_index(level)
            except OverflowError:  # of pandas, which tries floats
                raise InputError(
                    f"{where} has a whole number beyond any float in its index {level!r}: make it a column of text"
                ) from None
        elif not frame.index.get_level_values(level).equals(pd.Index(frame[level])):
            raise InputError(f"{where} has both a column and an index {level!r}: rename or drop one of them")
    return frame.set_axis([str(name).strip() for name in frame.columns], axis=1)


def of_arrow(table: pa.Table, free: bool = False) -> pd.DataFrame:
    """A frame of an Arrow table; whole numbers with gaps stay whole.

    Args:
        table: the table.
        free: give the memory of each column back once it is converted. The table cannot be used afterwards.
    """
    return table.to_pandas(integer_object_nulls=True, split_blocks=free, self_destruct=free)


def plain(column: pd.Series) -> pd.Series:
    """A column in one of a few dtypes.

    Returns:
        The same index and name, with the dtype int64, float64, bool, datetime64 or timedelta64; Int64 or boolean where
        whole numbers or truth values have gaps; otherwise Python's own objects, None where missing. Text has no
        surrounding blanks, and is in Unicode's form NFC. Whole numbers beyond int64 stay exact, as objects.

    Raises:
        InputError: text has a lone surrogate (half a character), or bytes are not UTF-8.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        categories = plain(pd.Series(dtype.categories))
        if (codes < 0).any() and categories.dtype.kind in "ib":
            categories = categories.astype("Int64" if categories.dtype.kind == "i" else "boolean")
        values = categories.array.take(codes, allow_fill=bool((codes < 0).any()))
        cells = pd.Series(values, column.index, name=column.name)
        return _none_where_missing(cells) if cells.dtype == object else cells
    if isinstance(dtype, pd.ArrowDtype):
        array = pa.chunked_array(column.array.__arrow_array__())
        return plain(array.to_pandas(integer_object_nulls=True).set_axis(column.index).rename(column.name))
    if isinstance(dtype, pd.PeriodDtype):
        try:
            return column.dt.to_timestamp()
        except pd.errors.OutOfBoundsDatetime:  # of nanoseconds; as seconds they are far inside
            seconds = column.dt.asfreq("s", how="start").array.asi8.view("M8[s]")
            return pd.Series(seconds, column.index, name=column.name)
    if isinstance(dtype, pd.SparseDtype):
        return plain(column.sparse.to_dense())
    if isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind in "mM":
        return column
    if dtype.kind in "iu":
        if column.isna().any():
            fits = column.isna().all() or column.max() <= LARGEST
            return column.astype("Int64") if fits else _none_where_missing(column.astype(object))
        return (
            column.astype(np.int64, copy=False)
            if dtype.kind == "i" or not (column > LARGEST).any()
            else column.astype(object)
        )
    if dtype.kind == "f":
        return column if dtype == np.float64 else column.astype("Float64").astype(np.float64)
    if dtype.kind == "b":
        return column.astype("boolean" if column.isna().any() else bool)
    return _objects(column)


def text(value: Any) -> str:
    """A single value of an attribute as text: "1994" for 1994 and 1994.0, the date for midnight, "" for missing.

    Raises:
        InputError: it holds several values, or bytes that are not UTF-8.
    """
    value = _scalar(value)
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return str(value).removesuffix(" 00:00:00")
    if isinstance(value, Mapping | list | tuple | set | frozenset | np.ndarray):
        raise InputError(f"{quote(value)} is not a single value: give text, numbers, or lists of them")
    try:
        written_value = str(value).strip()
    except Exception:  # the value's own code
        written_value = ADDRESS
    if ADDRESS in written_value:  # an address in memory, which differs from run to run
        raise InputError(f"{quote(value)} is not a value of an attribute: give text or numbers")
    return written_value


def _arrow_table(table: Any) -> pa.Table:
    return pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else pa.table(table)


def _objects(column: pd.Series) -> pd.Series:
    column = _none_where_missing(column.astype(object))
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "string":
        return _stripped(column)
    cells = [_scalar(cell) for cell in column]
    present = [cell for cell in cells if cell is not None]
    kinds = {type(cell) for cell in present}
    if kinds == {float} or (kinds == {int, float} and not all(map(_is_whole, present))):
        with suppress(OverflowError):  # a whole number that no float can hold
            return pd.Series(cells, column.index, np.float64, column.name)
    elif kinds and kinds <= {int, float}:
        cells = [None if cell is None else int(cell) for cell in cells]
        if all(-LARGEST <= cell <= LARGEST for cell in cells if cell is not None):
            dtype = np.int64 if len(present) == len(cells) else pd.Int64Dtype()
            return pd.Series(pd.array(cells, dtype=dtype), column.index, dtype, column.name)
    return pd.Series(np.fromiter(cells, dtype=object, count=len(cells)), column.index, object, column.name)


def _is_whole(number: int | float) -> bool:
    return isinstance(number, int) or (number.is_integer() and abs(number) <= EXACT)


def _scalar(value: Any) -> Any:
    """A cell as Python's own: numbers of any library, text without blanks around, None where missing."""
    if isinstance(value, bytes):
        try:
            return unicodedata.normalize("NFC", value.decode().strip())
        except UnicodeDecodeError:
            raise InputError(f"{quote(value)} is not text in UTF-8: decode it first") from None
    if isinstance(value, str):
        return unicodedata.normalize("NFC", _encodable(value).strip())
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    number = as_number(value)
    if number is not None:
        return None if number != number else number
    if isinstance(value, np.bool_ | np.datetime64):
        return bool(value) if isinstance(value, np.bool_) else pd.Timestamp(value)
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value


def _stripped(column: pd.Series) -> pd.Series:
    # Long columns have few different cells, and most need no change.
    scalars = {cell: _scalar(cell) for cell in column.unique() if cell is not None and _changes(cell)}
    return column.map(lambda cell: scalars.get(cell, cell)) if scalars else column


def _changes(cell: str) -> bool:
    if type(cell) is not str or cell != cell.strip():
        return True
    return not (cell.isascii() or (_is_encodable(cell) and unicodedata.is_normalized("NFC", cell)))


def _encodable(cell: str) -> str:
    if not _is_encodable(cell):
        raise InputError(_half(cell))
    return str(cell)


def _half(cell: str) -> str:
    return f"the text {quote(cell)} has half a character (a lone surrogate): read it again with its right encoding"


def _is_encodable(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _none_where_missing(column: pd.Series) -> pd.Series:
    is_missing = column.isna()
    return column.where(~is_missing, None) if is_missing.any() else column
