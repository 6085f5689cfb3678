"""Parquet tables, read as a stream of batches, of which memory holds no more than what becomes of them."""

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from recmodels.datasets.batches import coded_frame
from recmodels.datasets.source_files import reading
from recmodels.errors import InputError
from recmodels.plain import as_frame, of_arrow

MAX_CELLS = 2_000_000_000
"""Cells of a table, at most."""
BATCH = 1 << 17
"""Rows that are read at a time."""
DAMAGED = "is not a whole .parquet file: write it again"


def read_parquet(path: Path, wanted: Collection[str] | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A .parquet file, or a folder of them, as a frame.

    Args:
        path: the file or folder. Parts of a path such as `year=2024` are columns. Files come in the order of their
            names, and may have their columns in any order; numbers may differ in width.
        wanted: the columns that are read, where they are there; others take no memory. By default all.

    Returns:
        The frame, and the names of all columns, without surrounding blanks. If columns are wanted, those of text are
        categories.

    Raises:
        InputError: a file is damaged, encrypted, or lacks a column that another has or has other cells in it; or there
            are too many cells.
    """
    return reading(str(path), lambda: _frame(path, wanted), DAMAGED)


def _frame(path: Path, wanted: Collection[str] | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    files = sorted(path.rglob("*.parquet"), key=str) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path} is a folder without .parquet files: give the table's file or folder")
    sizes = {file: reading(str(file), partial(pq.read_metadata, file), DAMAGED).num_rows for file in files}
    files = [file for file in files if sizes[file]] or files[:1]
    base = str(path) if path.is_dir() else None
    open_with = partial(
        ds.dataset, [str(file) for file in files], format="parquet", partitioning="hive", partition_base_dir=base
    )
    data = open_with()
    parts = {part.path: part.physical_schema for part in data.get_fragments()}
    data = open_with(schema=_all_columns(data.schema, parts))
    names = [name for name in data.schema.names if wanted is None or name.strip() in wanted]
    names = names or data.schema.names  # so that the error about a missing column can be told
    cells = sum(sizes.values()) * max(len(names), 1)
    if cells > MAX_CELLS or min(sizes.values()) < 0:
        raise InputError(f"{path} has {cells:,} cells, and at most {MAX_CELLS:,} are read: write fewer columns")
    every = as_frame(of_arrow(data.schema.empty_table()), str(path))
    assert every is not None
    if not sum(sizes.values()):
        return of_arrow(data.schema.empty_table().select(names)), tuple(every.columns)
    data = open_with(schema=_schema(data.schema, parts, names, complete=wanted is not None))
    batches = data.to_batches(columns=names, batch_size=BATCH, batch_readahead=1, fragment_readahead=1)
    if wanted is None:
        return of_arrow(pa.Table.from_batches(batches), free=True), tuple(every.columns)
    schema = pa.schema([data.schema.field(name) for name in names])
    frame = coded_frame(batches, schema)
    pa.default_memory_pool().release_unused()
    return frame.set_axis([name.strip() for name in names], axis=1, copy=False), tuple(every.columns)


def _all_columns(schema: pa.Schema, parts: Mapping[str, pa.Schema]) -> pa.Schema:
    """The schema of the first file, with the columns that only others have after it."""
    names = set(schema.names)
    for own in parts.values():
        for field in own:
            if field.name not in names:
                schema = schema.append(_decoded(field))
                names.add(field.name)
    return schema


def _schema(schema: pa.Schema, parts: Mapping[str, pa.Schema], names: list[str], complete: bool) -> pa.Schema:
    """The schema of all files: of each column the type that holds its cells in every file.

    Args:
        schema: of all files, with the type of the first file that has a column.
        parts: the schema of each file by its path.
        names: the columns that are read.
        complete: whether every file must have them.

    Raises:
        InputError: a file has no such column, if they must be complete, or one that no type holds with the others.
    """
    having = {name: path for path in reversed(list(parts)) for name in parts[path].names}
    first = schema
    for path, own in parts.items():
        for name in names:
            if (place := own.get_field_index(name)) < 0:
                if complete and name in having:  # others are parts of the path
                    raise InputError(f"{path} has no column {name!r}, which {having[name]} has: write all parts alike")
                continue
            pair = [pa.schema([_decoded(field)]) for field in (schema.field(name), own.field(place))]
            try:
                both = pa.unify_schemas(pair, promote_options="permissive")
            except pa.ArrowException:
                raise InputError(
                    f"{path} has {own.field(place).type} in column {name!r}, and {having[name]} has "
                    f"{first.field(name).type}: write all parts alike"
                ) from None
            schema = schema.set(schema.get_field_index(name), both.field(0))
    return schema


def _decoded(field: pa.Field) -> pa.Field:
    """A column without its codes, where a file has some."""
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
