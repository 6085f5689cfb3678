"""The one reader of single numbers of any library."""

from numbers import Integral, Real
from typing import Any

from recmodels.errors import InputError, quote


def as_number(value: Any) -> int | float | None:
    """A number as Python's own int or float, or None if the value is not a number.

    Numbers are those of Python, numpy and torch, fractions, and arrays and tensors without axes. True, False, complex
    numbers, text and missing values (None, pandas' NA and NaT) are not numbers. NaN and infinity are numbers; callers
    that need a finite number check for it.
    """
    whole = as_whole_number(value)
    if whole is not None:
        return whole
    value = _unwrapped(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return int(value)  # type: ignore[call-overload]


def as_whole_number(value: Any) -> int | None:
    """A whole number as Python's own int, or None if the value is not an integer (2.0 is not); see `as_number`."""
    value = _unwrapped(value)
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None


def _unwrapped(value: Any) -> Any:
    """The value of a scalar, array or tensor without axes; anything else as it is."""
    if getattr(value, "ndim", None) != 0 or not hasattr(value, "item"):
        return value
    try:
        return value.item()
    except RuntimeError:  # a tensor that holds nothing, such as one on the device "meta"
        return None


def whole_number(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """A setting that is a whole number in a range, as Python's own int.

    Raises:
        InputError: it is not a whole number, or outside the range.
    """
    whole = as_whole_number(value)
    if whole is None or whole < least or (most is not None and whole > most):
        reach = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{name} is {quote(value)}: give a whole number {reach}")
    return whole
