"""A file of rows that grows while activations are collected; each byte is hashed and measured once, as it is written.

Axes: n rows, d hidden size, u users.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from recmodels.artifacts import write_json
from recmodels.errors import InputError
from recmodels.folders import refuse_link
from recmodels.json_files import read_record

RECORD = {"rows": int, "shape": list, "sha256": str}  # keys of the JSON file beside it
PIECE = 1024  # users whose rows are read at once
BLOCK = 512  # rows that are measured at once
log = logging.getLogger(__name__)


class NotFinite(ValueError):
    """A row has an entry that is infinite or not a number; `user` is the position of its user."""

    def __init__(self, user: int) -> None:
        super().__init__(f"a row of the user at position {user} is not finite")
        self.user = user


@dataclass
class RowsSoFar:
    """What is known of the rows of a file, float32 [n, d]; how they were cut into batches does not matter.

    Attributes:
        offsets: the first row of each user, and the number of all rows, int [u + 1].
        n_rows: rows so far.
        digest: SHA-256 of the file so far, its header included.
        level: an entry, from which all are measured, so that sums of squares keep their precision.
        totals: sums over each user's entries of their difference from the level, and of its square, float64 [2, u].
    """

    offsets: np.ndarray
    n_rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    level: float = 0.0
    totals: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.totals = np.zeros((2, len(self.offsets) - 1))

    def take(self, rows: np.ndarray) -> None:
        """Count the next [n, d] rows: all those of some users.

        Raises:
            NotFinite: an entry is infinite or not a number.
        """
        if not len(rows):
            return
        self.digest.update(rows)
        if not self.n_rows:
            self.level = float(rows[0, 0])
        first, last = np.searchsorted(self.offsets, [self.n_rows, self.n_rows + len(rows)])
        starts = self.offsets[first:last] - self.n_rows
        totals = np.add.reduceat(_sums(rows, self.level), starts, axis=1)
        finite = np.isfinite(totals).all(axis=0)  # a sum is finite if all its entries are
        if not finite.all():
            raise NotFinite(int(first + finite.argmin()))
        self.totals[:, first:last] = totals
        self.n_rows += len(rows)

    def moments(self, width: int) -> tuple[float, float]:
        """Mean and standard deviation of all entries."""
        mean, square = self.totals.sum(axis=1) / (self.n_rows * width)
        return self.level + float(mean), float(np.sqrt(max(square - mean**2, 0.0)))


@dataclass
class GrowingRows:
    """An unfinished .npy file of float32 [n, d].

    It is written, not mapped into memory: on a full disk a mapped file kills the process.

    Attributes:
        file: open for writing, positioned after its last row.
        record: the JSON file with the number of rows and their checksum.
        shape: n and d of the whole file.
        so_far: what is known of its rows.
    """

    file: IO[bytes]
    record: Path
    shape: tuple[int, int]
    so_far: RowsSoFar

    @property
    def n_rows(self) -> int:
        """Rows in it."""
        return self.so_far.n_rows

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of all entries so far."""
        return self.so_far.moments(self.shape[1])

    @property
    def sha256(self) -> str:
        """Of the file so far."""
        return self.so_far.digest.hexdigest()

    def add(self, rows: np.ndarray) -> None:
        """Write [n, d] rows: all those of some users.

        Raises:
            NotFinite: an entry is infinite or not a number; the rows do not count as written.
        """
        content = np.ascontiguousarray(rows, dtype=np.float32)
        self.file.write(content.data)
        self.file.flush()
        self.so_far.take(content)
        # A power cut may lose one of the two files; the checksum detects this.
        about = {"rows": self.n_rows, "shape": list(self.shape), "sha256": self.sha256}
        write_json(self.record, about, durable=False)


@contextmanager
def growing_rows(path: Path, record: Path, offsets: np.ndarray, width: int) -> Iterator[GrowingRows]:
    """Resume with the rows of an interrupted run, or start again if the file does not match its record.

    Args:
        path: the .npy file.
        record: a file beside it with the progress of the run; the caller deletes it at the end.
        offsets: the first row of each user, and the number of all rows; a run stops between two users.
        width: numbers in a row.

    Raises:
        InputError: the file is a link.
    """
    refuse_link(path)
    shape = (int(offsets[-1]), width)
    header = _header(shape)
    so_far = _interrupted(path, record, offsets, shape) if record.exists() else None
    with path.open("r+b" if so_far else "wb") as file:
        if so_far is None:
            so_far = RowsSoFar(offsets)
            so_far.digest.update(header)
            file.write(header)
        file.seek(len(header) + so_far.n_rows * width * 4)
        file.truncate()
        yield GrowingRows(file, record, shape, so_far)


def _interrupted(path: Path, record: Path, offsets: np.ndarray, shape: tuple[int, int]) -> RowsSoFar | None:
    """What is known of the rows of an interrupted run; None if they are not those of its record."""
    try:
        about = read_record(record, RECORD, "")
        n_rows = about["rows"]
        if about["shape"] == list(shape) and n_rows in offsets:
            so_far, width = RowsSoFar(offsets), shape[1]
            with path.open("rb") as file:
                so_far.digest.update(file.read(len(_header(shape))))
                users = int(np.searchsorted(offsets, n_rows))
                for first in range(0, users, PIECE):
                    size = int(offsets[min(first + PIECE, users)] - offsets[first])
                    content = file.read(size * width * 4)
                    so_far.take(np.frombuffer(content, np.float32).reshape(size, width))
            if so_far.digest.hexdigest() == about["sha256"]:
                return so_far
    except (InputError, OSError, ValueError):
        pass
    log.warning("%s does not match its record: it is written from the start", path)
    return None


@np.errstate(invalid="ignore")
def _sums(rows: np.ndarray, level: float) -> np.ndarray:
    """Sums over each of [n, d] rows of the entries' difference from the level, and of its square: float64 [2, n].

    A block of rows at a time, so that the differences stay in the processor's cache.
    """
    sums, block = np.empty((2, len(rows))), np.empty((BLOCK, rows.shape[1]))
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        difference = np.subtract(rows[part], level, out=block[: len(rows) - start], dtype=np.float64)
        difference.sum(axis=1, out=sums[0, part])
        np.einsum("nd,nd->n", difference, difference, out=sums[1, part])
    return sums


def _header(shape: tuple[int, int]) -> bytes:
    """What an .npy file of float32 begins with."""
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return header.getvalue()
