"""Batches of rows as one frame: texts become codes on the way, so that memory never holds them row by row.

A column of text takes four bytes a row (its cells are categories), one of numbers eight. Batches come from files of
parquet or of text, which are read a piece at a time.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

LARGEST = 10**18 - 1  # a text of more digits is a name (`recmodels.columns.WHOLE_NUMBER`)


def coded_frame(batches: Iterable[pa.RecordBatch], schema: pa.Schema, are_texts: bool = False) -> pd.DataFrame:
    """The frame of batches, with texts as categories.

    Args:
        batches: rows in order.
        schema: of the batches.
        are_texts: all cells are text, as in a file of text. A column in which every cell writes a whole number as
            Python does, so that its text can be told from it, becomes int64.
    """
    columns: list[list[pa.Array | np.ndarray]] = [[] for _ in schema.names]
    for batch in batches:
        for chunks, column in zip(columns, batch.columns, strict=True):
            chunks.append(_coded(column, are_texts))
    whole = {}
    for place, field in enumerate(schema):
        whole[place] = _one_kind(columns[place], field.type)
        columns[place].clear()  # a column's pieces go before the next column is made whole
    return pd.DataFrame(whole, copy=False).set_axis(schema.names, axis=1, copy=False)


def _coded(column: pa.Array, is_text: bool) -> pa.Array | np.ndarray:
    """The same cells: each text once, numbers without gaps as an array of their own, which holds no batch in memory."""
    if is_text and (numbers := _whole_numbers(column)) is not None:
        return np.array(numbers)
    is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if is_number and not column.null_count:
        return np.array(column)
    return column.dictionary_encode() if _is_text(column.type) else column


def _whole_numbers(column: pa.Array) -> pa.Array | None:
    """What all cells of text write; None if one writes no whole number, or writes one in another way."""
    try:
        numbers = column.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    bounds = pc.min_max(numbers).as_py()
    is_small = len(numbers) == 0 or (bounds["min"] >= -LARGEST and bounds["max"] <= LARGEST)
    return numbers if is_small and numbers.cast(column.type).equals(column) else None


def _one_kind(chunks: list[pa.Array | np.ndarray], kind: pa.DataType) -> Any:
    """The chunks of a column as one: those of numbers are text again if others are, or have gaps if others have."""
    if chunks and all(isinstance(chunk, np.ndarray) for chunk in chunks):
        return np.concatenate(chunks)
    arrays = [_again(chunk, kind) if isinstance(chunk, np.ndarray) else chunk for chunk in chunks]
    column = pa.chunked_array(arrays) if arrays else pa.chunked_array([], kind)
    whole = column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column
    return whole.to_pandas(integer_object_nulls=True)


def _again(numbers: np.ndarray, kind: pa.DataType) -> pa.Array:
    return pa.array(numbers).cast(kind).dictionary_encode() if _is_text(kind) else pa.array(numbers, kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
