"""Printing that works in any encoding and does not fail on a closed pipe."""

import contextlib
import os
import sys
from shutil import get_terminal_size

from recmodels import ranks
from recmodels.wording import wrapped


def say(text: str) -> None:
    """Print a line; what the encoding lacks, such as an arrow in cp1252, comes out as a question mark.

    In a terminal a longer line goes on in the next, between words.

    Of several ranks (`recmodels.ranks`), the first prints.
    """
    if not ranks.prints():
        return
    if sys.stdout and sys.stdout.isatty() and "\n" not in text:
        text = wrapped(text, get_terminal_size().columns, rest="  ")
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def tolerate_encodings() -> None:
    """Make this process's standard output and error put a question mark for what their encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def abandon_stdout() -> None:
    """Discard the remaining output, so that Python does not complain of a closed pipe when it exits."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
