"""How the words of a command line are read, and how its help looks: plain names of values, lines that fit."""

import io
import shutil
import types
import typing
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import tyro

from recmodels.wording import wrapped

registry = tyro.constructors.ConstructorRegistry()


@registry.primitive_rule
def path_words(about: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    """How a path is read: as usual, but an empty word stays empty, where pathlib makes it the current folder."""
    if about.type is not Path:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="PATH",
        instance_from_str=lambda words: Path(words[0]) if words[0] else "",
        is_instance=lambda value: isinstance(value, Path | str),
        str_from_instance=lambda value: [str(value)],
    )


SHORT = {"--split": "--split.kind", "--loss": "--training.loss"}


def full_flags(arguments: list[str]) -> list[str]:
    """A command line with short flags written out: `--split leave-one-out` is `--split.kind leave-one-out`."""
    parts = (word.partition("=") for word in arguments)
    return [SHORT.get(flag, flag) + equals + value for flag, equals, value in parts]


METAVARS = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH"}


@registry.primitive_rule
def plain_words(about: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    """How text and numbers are read: as usual; the help calls them TEXT and NUMBER."""
    kind = about.type
    if kind not in (str, int, float):
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=METAVARS[kind],
        instance_from_str=lambda words: kind(words[0]),
        is_instance=lambda value: isinstance(value, kind) or (kind is float and isinstance(value, int)),
        str_from_instance=lambda value: [str(value)],
    )


@registry.primitive_rule
def optional_words(
    about: tyro.constructors.PrimitiveTypeInfo,
) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    """How an option that may be left out is read: as its value is, or "None"; its help names the value alone."""
    members = [_kind(member) for member in typing.get_args(about.type)]  # without annotations
    kinds = [kind for kind in members if kind is not types.NoneType]
    if len(kinds) != 1 or len(members) != 2:
        return None
    words = typing.get_args(kinds[0])
    if typing.get_origin(kinds[0]) is typing.Literal and all(isinstance(word, str) for word in words):
        return tyro.constructors.PrimitiveConstructorSpec(
            nargs=1,
            metavar=f"{{{','.join(words)}}}",
            instance_from_str=lambda chosen: chosen[0],
            is_instance=lambda value: value is None or value in words,
            str_from_instance=lambda value: [str(value)],
            choices=words,
        )
    if kinds[0] not in METAVARS:
        return None
    read = (lambda word: Path(word) if word else "") if kinds[0] is Path else kinds[0]
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=METAVARS[kinds[0]],
        instance_from_str=lambda words: None if words[0] == "None" else read(words[0]),
        is_instance=lambda value: value is None or isinstance(value, (*kinds, str)),
        str_from_instance=lambda value: [str(value)],
    )


def _kind(member: Any) -> Any:
    """A member of a union without its annotations."""
    return member if typing.get_origin(member) is typing.Literal else getattr(member, "__origin__", member)


@contextmanager
def wrapped_help(arguments: list[str]) -> Iterator[None]:
    """Wrap long lines of a help text, whose descriptions tyro leaves as they are."""
    if not {"-h", "--help"}.intersection(arguments):
        yield
        return
    text = io.StringIO()
    try:
        with redirect_stdout(text):
            yield
    finally:
        columns = max(shutil.get_terminal_size().columns, 60)
        for line in text.getvalue().splitlines():
            print(line if len(line) <= columns else _narrow(line, columns))


def _narrow(line: str, columns: int) -> str:
    """A long line of a help text; a usage names its subcommands with commas and no space between."""
    is_usage = line.startswith("usage")
    return wrapped(line.replace(",", ", ") if is_usage else line, columns, rest="  " * is_usage)
