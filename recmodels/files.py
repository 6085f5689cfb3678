"""Writing files atomically and durably, with a one-line error where the disk is full."""

import errno
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from recmodels.errors import InputError

LEFTOVER = re.compile(r"\.(\d+)(\.[0-9a-f]{8})?\.partial$")  # what `write_text` leaves when it is killed
FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
# safetensors reports the system's error as text; torch's writer of .pt files only reports that it failed.
FULL_WORDS = re.compile(r"os error (28|27|122)\b|No space left|File too large|PytorchStreamWriter|inline_container")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, as a hex string."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_text(path: Path, text: str, durable: bool = True) -> None:
    """Write a text file so that a reader sees either the old content or the whole new one.

    A link in its place is replaced, not followed.

    Args:
        path: where; the folder is made if it is not there.
        text: the content.
        durable: the content is on the disk before it is visible. Without that, a power cut may leave an empty file.

    Raises:
        InputError: the disk is full, or a folder is in its place.
    """
    if path.is_dir() and not path.is_symlink():
        raise InputError(f"{path} is a folder, where a file is to be written: move it away")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent, path.name)
    partial = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.partial")
    with saving(path):
        try:
            with partial.open("x", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                if durable:
                    os.fsync(handle.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    if durable:
        flush(path.parent)


def write_json(path: Path, value: Any, durable: bool = True) -> None:
    """`write_text` of a value as indented JSON."""
    write_text(path, json.dumps(value, indent=2) + "\n", durable)


def remove_leftovers(folder: Path, name: str = "") -> None:
    """Delete what a killed `write_text` left in a folder; with a name, only the leftovers of that file."""
    for path in folder.glob("*.partial"):
        leftover = LEFTOVER.search(path.name)
        if leftover and path.is_file() and (not name or path.name[: leftover.start()] == name):
            with suppress(OSError):
                if not _at_work(int(leftover[1]), path.stat().st_mtime):
                    path.unlink()


def _at_work(pid: int, modified: float) -> bool:
    """Whether the process that wrote a file still runs; its number may belong to another process by now."""
    import psutil  # here, so that a service can read artefacts without it

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= modified + 1
    except (psutil.Error, OverflowError):
        return False


def flush(path: Path) -> None:
    """Have the system write a file, or a folder's list of names, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders, and writes their lists by itself
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that cannot
            raise
    finally:
        os.close(handle)


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Turn a failed write on a full disk into a one-line error.

    Args:
        path: what is written.

    Raises:
        InputError: the disk is full, a quota is used up, or a file is larger than it may be.
    """
    try:
        yield
    except InputError:
        raise
    except (OSError, RuntimeError, SafetensorError) as error:
        if not _is_full(error):
            raise
        raise InputError(
            f"there is no space to write {path}: free some, then give the same command again, "
            f"which resumes where it stopped"
        ) from None


def _is_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if FULL_WORDS.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False
