"""A file of rows that grows while activations are collected, with a checksum of the rows so far."""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from recmodels.artifacts import write_json
from recmodels.errors import InputError
from recmodels.folders import refuse_link
from recmodels.json_files import read_record

RECORD = {"rows": int, "shape": list, "sha256": str}  # keys of the JSON file beside it
PIECE = 2**20  # bytes per read
log = logging.getLogger(__name__)


@dataclass
class GrowingRows:
    """An unfinished .npy file of float32 [n, d].

    It is written, not mapped into memory: on a full disk a mapped file kills the process.

    Attributes:
        file: open for writing, positioned after its last row.
        record: the JSON file with the number of rows and their checksum.
        shape: n and d of the whole file.
        n_rows: rows in it.
        digest: SHA-256 of these rows.
    """

    file: IO[bytes]
    record: Path
    shape: tuple[int, int]
    n_rows: int
    digest: Any

    def add(self, rows: np.ndarray) -> None:
        """Write [n, d] rows."""
        content = np.ascontiguousarray(rows, dtype=np.float32).tobytes()
        self.file.write(content)
        self.file.flush()
        self.digest.update(content)
        self.n_rows += len(rows)
        # A power cut may lose one of the two files; the checksum detects this.
        about = {"rows": self.n_rows, "shape": list(self.shape), "sha256": self.digest.hexdigest()}
        write_json(self.record, about, durable=False)


@contextmanager
def growing_rows(path: Path, record: Path, offsets: np.ndarray, width: int) -> Iterator[GrowingRows]:
    """Resume with the rows of an interrupted run, or start again if the file does not match its record.

    Args:
        path: the .npy file.
        record: a file beside it with the progress of the run; the caller deletes it at the end.
        offsets: numbers of rows at which a run may have stopped, rising from 0 to that of the whole file.
        width: numbers in a row.

    Raises:
        InputError: the file is a link.
    """
    refuse_link(path)
    shape = (int(offsets[-1]), width)
    n_rows, digest = _interrupted(path, record, offsets, shape) if record.exists() else (0, hashlib.sha256())
    with path.open("r+b" if n_rows else "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        file.seek(n_rows * width * 4, os.SEEK_CUR)
        file.truncate()
        yield GrowingRows(file, record, shape, n_rows, digest)


def _interrupted(path: Path, record: Path, offsets: np.ndarray, shape: tuple[int, int]) -> tuple[int, Any]:
    """The number of rows of an interrupted run, and their checksum so far."""
    try:
        about = read_record(record, RECORD, "")
        digest = _digest(path, about["rows"] * shape[1] * 4)
        if about["shape"] == list(shape) and about["rows"] in offsets and digest.hexdigest() == about["sha256"]:
            return about["rows"], digest
    except (InputError, OSError, ValueError):
        pass
    log.warning("%s does not match its record: it is written from the start", path)
    return 0, hashlib.sha256()


def _digest(path: Path, size: int) -> Any:
    """SHA-256 of the first bytes behind the header of an .npy file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        for start in range(0, size, PIECE):
            digest.update(file.read(min(PIECE, size - start)))
    return digest
