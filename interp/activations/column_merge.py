"""A sparse matrix by columns from blocks of its rows, without ever holding more than a few columns of it in memory.

Blocks come in the order of the rows. Each is written to a file by columns; then columns are gathered, a group of them
at a time, from all blocks.

Axes: n rows, f columns.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

ENTRIES = 2**24  # of columns that are gathered at once
ROWS = 2**16  # of a block, at least: a block of fewer has few entries in a column
PARTS = ("data", "indices", "indptr")  # of a sparse array


@dataclass(frozen=True)
class _Block:
    """Some rows of the matrix: where its entries lie in the files, and where each column of it begins there."""

    first_row: int
    first_entry: int
    indptr: np.ndarray


def merge(blocks: Iterable[sparse.csr_array], n_rows: int, n_columns: int, folder: Path) -> None:
    """Write data.npy, indices.npy and indptr.npy of the matrix [n, f], as `scipy.sparse.csc_array` has them.

    Args:
        blocks: its rows in order, float32 [any, f].
        n_rows: n.
        n_columns: f.
        folder: where the files are written; files beside them are temporary.
    """
    spools = {part: folder / f"{part}.spool" for part in PARTS[:2]}
    with spools["data"].open("wb") as data, spools["indices"].open("wb") as indices:
        index: list[_Block] = []
        entries = 0
        for first_row, block in _large(blocks):
            block.data.astype(np.float32, copy=False).tofile(data)
            block.indices.astype(np.int32, copy=False).tofile(indices)
            index.append(_Block(first_row, entries, block.indptr))
            entries += block.nnz
    counts = sum((np.diff(block.indptr).astype(np.int64) for block in index), np.zeros(n_columns, np.int64))
    indptr = np.r_[0, counts.cumsum()]
    dtype = sparse.get_index_dtype(maxval=max(entries, n_rows))
    np.save(folder / "indptr.npy", indptr.astype(dtype))
    with (folder / "data.npy").open("wb") as data, (folder / "indices.npy").open("wb") as indices:
        for file, kind in ((data, np.dtype(np.float32)), (indices, np.dtype(dtype))):
            header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (entries,)}
            np.lib.format.write_array_header_1_0(file, header)
        for columns in _groups(indptr):
            group = _gather(index, spools, indptr, columns)
            group[0].tofile(data)
            group[1].astype(dtype, copy=False).tofile(indices)
    for path in spools.values():
        path.unlink()


def _large(blocks: Iterable[sparse.csr_array]) -> Iterator[tuple[int, sparse.csc_array]]:
    """Blocks of at least `ROWS` rows, by columns, each with the number of its first row."""
    first, parts = 0, []
    rows = 0
    for block in blocks:
        parts.append(block)
        rows += block.shape[0]
        if rows >= ROWS:
            yield first, sparse.csc_array(sparse.vstack(parts))
            first, rows, parts = first + rows, 0, []
    if parts:
        yield first, sparse.csc_array(sparse.vstack(parts))


def _groups(indptr: np.ndarray) -> Iterator[slice]:
    """Columns with at most `ENTRIES` entries together, or one column that has more."""
    start, end = 0, len(indptr) - 1
    while start < end:
        stop = max(int(np.searchsorted(indptr, indptr[start] + ENTRIES, "right")) - 1, start + 1)
        yield slice(start, min(stop, end))
        start = stop


def _gather(
    index: list[_Block], spools: dict[str, Path], indptr: np.ndarray, columns: slice
) -> tuple[np.ndarray, np.ndarray]:
    """The entries of some columns and their rows: float32 and int32 [entries]."""
    first = indptr[columns.start]
    size = int(indptr[columns.stop] - first)
    values, rows = np.empty(size, np.float32), np.empty(size, np.int32)
    filled = (indptr[columns] - first).astype(np.int64)
    for block in index:
        starts = block.indptr[columns.start : columns.stop + 1]
        offset, count = 4 * (block.first_entry + int(starts[0])), int(starts[-1] - starts[0])
        data = np.fromfile(spools["data"], np.float32, count, offset=offset)
        indices = np.fromfile(spools["indices"], np.int32, count, offset=offset) + np.int32(block.first_row)
        lengths = np.diff(starts)
        places = np.arange(count) + np.repeat(filled - (starts[:-1] - starts[0]), lengths)
        values[places], rows[places] = data, indices
        filled += lengths
    return values, rows
