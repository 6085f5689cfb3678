"""Settings that check themselves: the annotation of each field of a configuration declares its valid values.

An example is `hidden_size: Annotated[int, Between(1, 8192)] = 64`. A new configuration converts its values: numbers of
numpy and torch become Python's own, lists become tuples and text becomes paths, so that equal settings give equal JSON.
An invalid value stays as it is until `check` refuses it in one line.
"""

import math
import os
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, Union

from recmodels.errors import InputError, an, quote
from recmodels.paths import as_path
from recmodels.scalars import as_number, as_whole_number

Reader: TypeAlias = Callable[[str, Any], Any]
"""Converts the value of a setting with this name to a plain one, or refuses it."""

LONGEST = 200  # characters of a text
MANY = 1000  # values of a setting that takes several


@dataclass(frozen=True)
class Between:
    """The range of a number, with `inclusive` as in pandas. NaN is outside every range."""

    least: float
    most: float
    inclusive: Literal["both", "left", "neither"] = "both"

    def check(self, name: str, value: float) -> None:
        """Refuse a number outside."""
        above = value > self.least or (value == self.least and self.inclusive != "neither")
        below = value < self.most or (value == self.most and self.inclusive == "both")
        if above and below:
            return
        if self.inclusive == "neither":
            limit = f"lie between {self.least:g} and {self.most:g}, both excluded"
        elif self.inclusive == "left":
            limit = f"be at least {self.least:g} and below {self.most:g}"
        else:
            limit = f"be at least {self.least:,g}" if not above else f"be at most {self.most:,}"
        finite = "" if -math.inf < value < math.inf else "a finite number, and "
        number = quote(value).removesuffix(".0")
        raise InputError(f"{name} is {number}: it must {limit.replace('be ', f'be {finite}', 1)}")


@dataclass(frozen=True)
class Words:
    """Text that is not blank."""

    def check(self, name: str, text: str) -> None:
        """Refuse blank text."""
        if not text.strip():
            raise InputError(f"{name} is empty: give it, or leave it out")


@dataclass(frozen=True)
class Name(Words):
    """Text that also names a folder: printable, without slashes."""

    def check(self, name: str, text: str) -> None:
        """Refuse what would lead elsewhere, or cannot be printed."""
        super().check(name, text)
        if not text.isprintable() or set(text) & set("/\\") or text in (".", ".."):
            raise InputError(f"{name} is {quote(text)}: it names a folder, so give a plain name without slashes")


@dataclass(frozen=True)
class Unread:
    """Marks a setting that its class reads and checks itself."""


class Settings:
    """A frozen dataclass whose annotations are its checks.

    Subclasses may say, as a class argument, what their fields are called in messages: `prefix="training."`.
    """

    _prefix = ""

    def __init_subclass__(cls, prefix: str = "") -> None:
        cls._prefix = prefix

    def __post_init__(self) -> None:
        for name, read in _readers(type(self)).items():  # type: ignore[arg-type]
            try:
                value = read(name, getattr(self, name))
            except InputError:
                continue  # `check` says so
            object.__setattr__(self, name, value)

    def check(self) -> None:
        """Refuse settings that cannot work, before any work is done.

        Raises:
            InputError: a setting is of another type, out of its range, or contradicts another one.
        """
        for name, read in _readers(type(self)).items():  # type: ignore[arg-type]
            value = getattr(self, name)
            read(self._prefix + name, value)
            if isinstance(value, Settings):
                value.check()
        self._check_together()

    def _check_together(self) -> None:
        """Refuse settings that are valid alone but not together."""


@cache
def _readers(settings: Any) -> dict[str, Reader]:
    """The reader of each field, cached because a grid creates many configurations."""
    hints = typing.get_type_hints(settings, include_extras=True)
    return {field.name: reader(hints[field.name]) for field in fields(settings)}


def reader(hint: Any, rule: Any = None) -> Reader:
    """The reader of values with this annotation.

    Raises:
        TypeError: the annotation is not supported, or a number has no range.
    """
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if rule is None and origin is Annotated and isinstance(args[1], Unread):
        return lambda name, value: value
    if origin is Annotated:
        return reader(args[0], args[1])
    if origin in (Union, types.UnionType):
        members = [arg for arg in args if arg is not type(None)]
        # Of "one of these or any other text", the text decides.
        rest = reader(str if str in members else members[0], rule)
        return (lambda name, value: None if value is None else rest(name, value)) if len(members) < len(args) else rest
    if origin is Literal:
        return lambda name, value: _choice(name, value, args)
    if origin is tuple:
        element = reader(args[0], rule)
        return lambda name, value: _several(name, value, element)
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda name, value: _instance(name, value, hint)
    if hint is Path:
        return _path
    if hint is bool:
        return _truth
    if hint is str:
        return lambda name, value: _text(name, value, rule or Words())
    if hint in (int, float) and rule is not None:
        return lambda name, value: _number(name, value, hint, rule)
    raise TypeError(f"a setting cannot be declared as {hint}: give numbers a range")


def _number(name: str, value: Any, kind: type, rule: Between) -> int | float:
    number = as_whole_number(value) if kind is int else as_number(value)
    if number is None:
        raise InputError(f"{name} is {quote(value)}: give a {'whole ' if kind is int else ''}number")
    rule.check(name, number)
    return number


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{name} is {quote(value)}: give True or False")
    return value


def _text(name: str, value: Any, rule: Words) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name} is {quote(value)}: give text")
    text = str(value)  # numpy's text becomes plain
    if len(text) > LONGEST:
        raise InputError(f"{name} is {quote(text)}, of {len(text):,} characters: {LONGEST} are the most")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{name} is {quote(text)}: it holds half a character, so write it again") from None
    rule.check(name, text)
    return text


def _choice(name: str, value: Any, choices: tuple[Any, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"{name} is {quote(value)}: choose one of {', '.join(choices)}")
    return str(value)


def _path(name: str, value: Any) -> Path:
    try:
        as_path(value)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    return value if isinstance(value, Path) else Path(os.fspath(value))


def _several(name: str, value: Any, element: Reader) -> tuple[Any, ...]:
    value = value.tolist() if hasattr(value, "tolist") else value  # arrays, tensors and series
    if not isinstance(value, list | tuple | range):
        raise InputError(f"{name} is {quote(value)}: give a tuple, such as ({quote(value)},)")
    if len(value) > MANY:
        raise InputError(f"{name} has {len(value):,} values: {MANY:,} are the most")
    read = tuple(element(name, item) for item in value)
    if len(set(read)) < len(read):
        twice = next(item for place, item in enumerate(read) if item in read[:place])
        raise InputError(f"{name} has {quote(twice)} twice: give each value once")
    return read


def _instance(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise InputError(f"{name} is {quote(value)}: give {an(kind.__name__)}")
    return value
