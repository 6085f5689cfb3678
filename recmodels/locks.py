"""Locks: one process at a time works on a folder. A lock ends with its process and names its holder."""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recmodels.errors import InputError

HELD: dict[tuple[int, int, str], int] = {}  # process, thread and file → how often this thread holds it
RECORD = 500  # bytes of the record about a lock's holder, at most


@contextmanager
def hold(path: Path, target: object) -> Iterator[None]:
    """Hold the lock of a file while the body runs; the thread that holds it may take it again.

    The system releases it when the process ends, in whatever way. The file itself is removed at the end; a killed
    process leaves it behind, and the next one uses it again.

    Args:
        path: the lock's file; its folder is made if it is not there.
        target: what is locked, for the message.

    Raises:
        InputError: another process, or another thread, holds it.
    """
    key = (os.getpid(), threading.get_ident(), os.path.abspath(path))
    if key in HELD:
        HELD[key] += 1
        try:
            yield
        finally:
            HELD[key] -= 1
        return
    handle = _take(path, target)
    HELD[key] = 1
    try:
        yield
    finally:
        del HELD[key]
        _release(handle, path)


def _take(path: Path, target: object) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            # A link in the place of the file is not followed.
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError as error:
            raise InputError(
                f"{target} cannot be locked ({error.strerror}): see whether {path} can be removed"
            ) from None
        try:
            if not _lock(handle):
                holder = _holder(handle) or "another process"
                raise InputError(f"{target} is in use by {holder}: wait until that has ended, or stop it")
            # If the previous holder removed the file, this lock protects nothing: try again.
            if _same_file(handle, path):
                if os.fstat(handle).st_size and _holder(handle) is None:
                    raise InputError(f"{path} is not a lock of this program: move it away")
                _write_holder(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _release(handle: int, path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows removes no file that is open
        path.unlink()
    os.close(handle)
    if os.name == "nt":
        with contextlib.suppress(OSError):
            path.unlink()


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _write_holder(handle: int) -> None:
    record = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps(record).encode())


def _holder(handle: int) -> str | None:
    """Who holds a lock, or held it last, in words; None if the file does not say so."""
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        holder = json.loads(os.read(handle, RECORD))
        return f"process {int(holder['pid'])} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, TypeError, KeyError):
        return None


if os.name == "nt":
    import msvcrt

    def _lock(handle: int) -> bool:
        # Far behind the record, which others may then read.
        os.lseek(handle, 2**20, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
