"""A file of rows that grows while activations are read, with a checksum of what is in it so far."""

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

RECORD = {"rows": int, "shape": list, "sha256": str}  # what the file beside it says
PIECE = 2**20  # bytes that are read at once
log = logging.getLogger(__name__)


@dataclass
class GrowingRows:
    """An .npy file of float32 [n, d] under way.

    It is written, not mapped into memory: on a full disk a mapped file kills the process.

    Attributes:
        file: open for writing, behind its last row.
        record: the JSON file that says how many rows there are, and their checksum.
        shape: n and d of the whole file.
        done: rows in it.
        digest: SHA-256 of these rows.
    """

    file: IO[bytes]
    record: Path
    shape: tuple[int, int]
    done: int
    digest: Any

    def add(self, rows: np.ndarray) -> None:
        """Write [n, d] rows."""
        content = np.ascontiguousarray(rows, dtype=np.float32).tobytes()
        self.file.write(content)
        self.file.flush()
        self.digest.update(content)
        self.done += len(rows)
        # A power cut may lose one of the two files; the checksum tells.
        about = {"rows": self.done, "shape": list(self.shape), "sha256": self.digest.hexdigest()}
        write_json(self.record, about, durable=False)


@contextmanager
def growing_rows(path: Path, record: Path, offsets: np.ndarray, width: int) -> Iterator[GrowingRows]:
    """Go on with the rows that an interrupted run has written, or begin if they are not what that run left.

    Args:
        path: the .npy file.
        record: a file beside it that says how far the run came; the caller deletes it in the end.
        offsets: numbers of rows at which a run may have stopped, rising from 0 to that of the whole file.
        width: numbers in a row.

    Raises:
        InputError: the file is a link.
    """
    refuse_link(path)
    shape = (int(offsets[-1]), width)
    done, digest = _interrupted(path, record, offsets, shape) if record.exists() else (0, hashlib.sha256())
    with path.open("r+b" if done else "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        file.seek(done * width * 4, os.SEEK_CUR)
        file.truncate()
        yield GrowingRows(file, record, shape, done, digest)


def _interrupted(path: Path, record: Path, offsets: np.ndarray, shape: tuple[int, int]) -> tuple[int, Any]:
    """How many rows an interrupted run has written, and their checksum to go on with."""
    try:
        about = read_record(record, RECORD, "")
        digest = _digest(path, about["rows"] * shape[1] * 4)
        if about["shape"] == list(shape) and about["rows"] in offsets and digest.hexdigest() == about["sha256"]:
            return about["rows"], digest
    except (InputError, OSError, ValueError):
        pass
    log.warning("%s is not what an interrupted run left: it is written from the start", path)
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
