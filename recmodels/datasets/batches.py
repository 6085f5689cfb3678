"""Batches of rows as one frame: texts become codes on the way, so that memory never holds them row by row.

A column of text takes four bytes a row (its cells are categories), one of numbers eight. Batches come from files of
parquet or of text, which are read a piece at a time.
"""

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recmodels.plain import of_arrow

LARGEST = 10**18 - 1  # a text of more digits is a name (`recmodels.columns.WHOLE_NUMBER`)


def coded_frame(batches: Iterable[pa.RecordBatch], schema: pa.Schema, are_texts: bool = False) -> pd.DataFrame:
    """The frame of batches, with texts as categories.

    Args:
        batches: rows in order.
        schema: of the batches.
        are_texts: all cells are text, as in a file of text. A column in which every cell writes a whole number as
            Python does, so that its text can be told from it, becomes int64.
    """
    columns: list[list[pa.Array]] = [[] for _ in schema.names]
    for batch in batches:
        for chunks, column in zip(columns, batch.columns, strict=True):
            chunks.append(_coded(column, are_texts))
    arrays = [_one_kind(chunks, field.type) for chunks, field in zip(columns, schema, strict=True)]
    del columns
    return of_arrow(pa.table(arrays, schema.names), free=True)


def _coded(column: pa.Array, is_text: bool) -> pa.Array:
    """The same cells: each text once, or as the whole numbers that they all write."""
    if is_text and (numbers := _whole_numbers(column)) is not None:
        return numbers
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


def _one_kind(chunks: list[pa.Array], kind: pa.DataType) -> pa.ChunkedArray:
    """The chunks of a column as one: those of numbers are text again if others are."""
    if not chunks:
        return pa.chunked_array([], kind)
    if len({chunk.type for chunk in chunks}) > 1:
        chunks = [
            chunk if pa.types.is_dictionary(chunk.type) else chunk.cast(kind).dictionary_encode() for chunk in chunks
        ]
    column = pa.chunked_array(chunks)
    return column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
