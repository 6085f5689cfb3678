"""The one exception that both packages raise for input a person can correct, and how its message shows a value."""

from typing import Any

LONGEST = 60  # characters of a wrong value that a message shows


class InputError(ValueError):
    """Something the user gave is wrong; the message is one line that says what to do about it.

    Whatever the message quotes, it stays one line of printable characters (`one_line`).
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """Text on one line: each run of white space as one blank, and what cannot be printed written as an escape.

    A title or a file name of a stranger then neither breaks the line nor reaches a terminal as a command.
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in line)


def shown(value: Any, longest: int = LONGEST) -> str:
    """How a message quotes a value: its `repr` on one line, cut after `longest` characters."""
    try:
        text = one_line(repr(value))
    except Exception:  # the value's own code
        text = f"a {type(value).__name__}"
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
