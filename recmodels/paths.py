"""The one reading of a path that a person gives."""

import errno
import os
from pathlib import Path
from typing import Any

from recmodels.errors import InputError, shown

ABSENT = (errno.ENOENT, errno.ENOTDIR)  # a place where nothing is yet


def as_path(given: Any) -> Path:
    """An absolute path, with ~ filled in, that stays the same when the working directory changes.

    Links are left as they are.

    Raises:
        InputError: neither text nor a path, empty, or no path that the system could have.
    """
    if not isinstance(given, str | os.PathLike) or isinstance(text := os.fspath(given), bytes):
        raise InputError(f"{shown(given)} is not a path: give text or a pathlib.Path")
    if not text or "\0" in text:
        raise InputError(f"{shown(given)} is not a path: give the name of a file or folder")
    try:
        path = Path(os.path.abspath(Path(text).expanduser()))
        os.lstat(path)
    except RuntimeError:
        raise InputError(f"the home directory of {shown(given)} is not known: give the whole path") from None
    except UnicodeError:
        raise InputError(f"{shown(given)} is not a path: it has half a character (a lone surrogate)") from None
    except OSError as error:
        if error.errno not in ABSENT:
            raise InputError(f"{shown(given)} cannot be opened ({error.strerror}): give another path") from None
    return path
