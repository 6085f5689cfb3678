"""The one exception that both packages raise for input a person can correct, and how its message shows a value."""

from collections.abc import Callable
from functools import wraps
from numbers import Number
from typing import Any

LONGEST = 60  # characters of a wrong value that a message shows
LONGEST_MESSAGE = 800  # characters; what is cut lies before the end, which says what to do


class InputError(ValueError):
    """The user's input is wrong; the message is one line that says what is wrong and what to do.

    Whatever the message quotes, it stays one line of printable characters (`one_line`), and no long one.
    """

    def __init__(self, message: str) -> None:
        line = one_line(message)
        if len(line) > LONGEST_MESSAGE:
            line = f"{line[: LONGEST_MESSAGE * 3 // 4]} … {line[3 - LONGEST_MESSAGE // 4 :]}"
        super().__init__(line)


def one_line(text: str) -> str:
    """Text on one line: each run of white space becomes one blank, each unprintable character an escape.

    So a title or a file name from someone else cannot break the line or send commands to a terminal.
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in line)


def printable(text: str) -> str:
    """Text of several lines for a terminal: line ends and blanks stay, other unprintable characters become escapes.

    So a control character or a change of the writing direction in a title, a concept or an id has no effect.
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else _escape(letter) for letter in text)


def for_terminal(show: Callable[[Any], str]) -> Callable[[Any], str]:
    """A `__repr__`, or another method that makes text, whose text is `printable`."""

    @wraps(show)
    def shows(instance: Any) -> str:
        return printable(show(instance))

    return shows


def quote(value: Any, longest: int = LONGEST) -> str:
    """How a message quotes a value: its `repr` on one line, cut after `longest` characters; 7 for `np.int64(7)`."""
    try:
        if isinstance(value, Number) and hasattr(value, "item"):
            value = value.item()
        text = one_line(repr(value))
    except Exception:  # the value's own code
        text = f"a {type(value).__name__}"
    return text if len(text) <= longest else text[: longest - 1] + "…"


def an(noun: object) -> str:
    """A noun with its article: "a recommender", "an export"; "activations" has none."""
    if str(noun).endswith("s"):
        return str(noun)
    return f"{'an' if str(noun)[:1].lower() in 'aeiou' else 'a'} {noun}"


def check_kind(name: str, value: Any, kind: type, instead: str) -> None:
    """Refuse an object of another kind than a function takes, such as a study in place of its recommender.

    Args:
        name: what the message calls it, such as "the recommender".
        value: what the function was given.
        kind: what it takes.
        instead: what to give.

    Raises:
        InputError: it is of another kind.
    """
    if not isinstance(value, kind):
        raise InputError(f"{name} is {an(type(value).__name__)}: give {instead}")


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
