"""The one exception that both packages raise for input a person can correct, and how its message shows a value."""

from collections.abc import Callable
from functools import wraps
from typing import Any

LONGEST = 60  # characters of a wrong value that a message shows
LONGEST_MESSAGE = 800  # characters; what is cut lies before the end, which says what to do


class InputError(ValueError):
    """Something the user gave is wrong; the message is one line that says what to do about it.

    Whatever the message quotes, it stays one line of printable characters (`one_line`), and no long one.
    """

    def __init__(self, message: str) -> None:
        line = one_line(message)
        if len(line) > LONGEST_MESSAGE:
            line = f"{line[: LONGEST_MESSAGE * 3 // 4]} … {line[3 - LONGEST_MESSAGE // 4 :]}"
        super().__init__(line)


def one_line(text: str) -> str:
    """Text on one line: each run of white space as one blank, and what cannot be printed written as an escape.

    A title or a file name of a stranger then neither breaks the line nor reaches a terminal as a command.
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in line)


def printable(text: str) -> str:
    """Text of several lines for a terminal: its line ends and blanks stay, what else cannot be printed is an escape.

    So neither a control character nor an override of the writing direction in a title, a concept or an id acts.
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else _escape(letter) for letter in text)


def for_terminal(show: Callable[[Any], str]) -> Callable[[Any], str]:
    """A `__repr__`, or another method that makes text, whose text is `printable`."""

    @wraps(show)
    def shows(it: Any) -> str:
        return printable(show(it))

    return shows


def shown(value: Any, longest: int = LONGEST) -> str:
    """How a message quotes a value: its `repr` on one line, cut after `longest` characters."""
    try:
        text = one_line(repr(value))
    except Exception:  # the value's own code
        text = f"a {type(value).__name__}"
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
