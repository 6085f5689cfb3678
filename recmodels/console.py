"""Lines for people that any standard output survives: another encoding, or a pipe that was closed."""

import contextlib
import os
import sys


def say(text: str) -> None:
    """Print a line; what the encoding lacks, such as an arrow in cp1252, comes out as a question mark."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def tolerate_encodings() -> None:
    """Make this process's standard output and error put a question mark for what their encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def abandon_stdout() -> None:
    """Send what is still to be written to nowhere, so that Python does not complain of a closed pipe as it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
