"""Sentences: numbers with their noun and their interval, and lines that fit."""

from math import isfinite
from textwrap import fill


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, which is in the plural unless there is one: "1 user", "1,234 users", "2 histories".

    Args:
        number: how many.
        noun: in the singular, such as "user" or "user is".
        plural: unless it is the noun with an s, such as "histories" or "users are".
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def signed(value: float, form: str = "g") -> str:
    """A number with a minus sign, and without any sign where it is written as zero: "−0.12", "+0.12", "0.00".

    Args:
        value: the number.
        form: how it is written, such as ".2f" or "+.1%".
    """
    text = f"{value:{form}}"
    is_zero = isfinite(value) and not any(digit in text for digit in "123456789")
    return text.lstrip("+-") if is_zero else text.replace("-", "−")


def with_interval(value: float, low: float, high: float, form: str) -> str:
    """A number and its bounds, with minus signs: "+0.010 [−0.002, +0.021]"; the number alone where it has no interval.

    Args:
        value, low, high: the bounds are NaN where there is no interval, as for a single user.
        form: how each is written, such as "+.3f".
    """
    interval = f" [{signed(low, form)}, {signed(high, form)}]" if low == low else ""
    return f"{signed(value, form)}{interval}"


def wrapped(text: str, width: int = 80, first: str = "", rest: str = "") -> str:
    """A sentence on lines of a width, in which words stay whole; a longer word has its own line.

    Args:
        text: the sentence.
        width: in characters.
        first, rest: what the first line and those after it begin with.
    """
    return fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def cut(name: str, width: int) -> str:
    """A name in so many characters at most, with an ellipsis where it is longer."""
    return name if len(name) <= width else f"{name[: width - 1].rstrip()}…"
