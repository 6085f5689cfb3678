"""The one reader of paths that a user passes."""

import errno
import os
import re
from pathlib import Path
from typing import Any

from recmodels.errors import InputError, quote

WEB = re.compile("(https?|ftps?|s3|gs|file):/", re.IGNORECASE)
ABSENT = (errno.ENOENT, errno.ENOTDIR)  # a place where nothing is yet


def as_path(path: Any) -> Path:
    """An absolute path, with ~ filled in, that stays the same when the working directory changes.

    Links are left as they are.

    Raises:
        InputError: neither text nor a path, empty, or a path that the system cannot have.
    """
    if not isinstance(path, str | os.PathLike) or isinstance(text := os.fspath(path), bytes):
        raise InputError(f"{quote(path)} is not a path: give text or a pathlib.Path")
    if not text or "\0" in text:
        raise InputError(f"{quote(path)} is not a path: give the name of a file or folder")
    if WEB.match(text):
        raise InputError(f"{quote(text)} is an address, not a path: download the file, and give its path")
    try:
        absolute = Path(os.path.abspath(Path(text).expanduser()))
        os.lstat(absolute)
    except RuntimeError:
        raise InputError(f"the home directory of {quote(path)} is not known: give the whole path") from None
    except UnicodeError:
        raise InputError(f"{quote(path)} is not a path: it has half a character (a lone surrogate)") from None
    except OSError as error:
        if error.errno not in ABSENT:
            raise InputError(f"{quote(path)} cannot be opened ({error.strerror}): give another path") from None
    return absolute
