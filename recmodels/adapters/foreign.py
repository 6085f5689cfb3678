"""From a checkpoint of another program to a recommender. The parameters of an adapter's `read` are its options."""

import inspect
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.registry import ADAPTERS
from recmodels.adapters.wrapping import wrap
from recmodels.errors import InputError, quote
from recmodels.id_files import read_ids as read_item_ids
from recmodels.id_files import whole_numbers
from recmodels.paths import as_path
from recmodels.recommender import Recommender

__all__ = ["read_item_ids", "read_recommender"]

FLAGS = ("item_ids", "atomic_files")  # options that have a flag of their own on the command line
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
FORMS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def read_recommender(
    adapter: str, path: Path | str, options: Mapping[str, Any] | None = None, expected: Any = None
) -> Recommender:
    """The recommender of a checkpoint that another program wrote.

        read_recommender("recbole", "SASRec.pth", {"atomic_files": "dataset/ml-100k"}, expected="expected.json")

    Ids that are all whole numbers written as text become numbers, as in tables.

    Args:
        adapter: name of the adapter.
        path: the checkpoint, a file or a folder.
        options: what else the adapter's `read` takes, by name; texts are converted to the type that it declares.
        expected: scores that the other program gave, as `wrap` reads them; without them the recommender is unverified.

    Raises:
        InputError: an unknown adapter, an option that it does not take or that it needs; a damaged checkpoint; or other
            scores than expected.
    """
    kind = ADAPTERS.find(adapter)
    place = as_path(path)
    if not place.exists():
        raise InputError(f"there is no checkpoint {place}: give the file or folder that the other program wrote")
    settings = read_options(kind, dict(options or {}))
    try:
        module, ids = kind.read(place, **settings)
    except InputError:
        raise
    except Exception as error:  # what an adapter's own code makes of a file that is none of its
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(
            f"the adapter {kind.name} cannot read {place} ({type(error).__name__}: {reason}): give a checkpoint of its "
            f"program"
        ) from error
    module.users = None if module.users is None else whole_numbers(module.users)
    return wrap(module, whole_numbers(ids), expected=expected, source=str(path))


def read_options(kind: type[Adapter], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the adapter's `read` declares them.

    Raises:
        InputError: one is unknown, missing or of another type.
    """
    if kind.read.__func__ is Adapter.read.__func__:  # type: ignore[attr-defined]
        raise InputError(
            f"the adapter {kind.name} reads no checkpoints: wrap the module in Python (recmodels.adapters.wrap)"
        )
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(kind.read).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    hints = typing.get_type_hints(kind.read)
    for name in options:
        if name not in parameters:
            known = f"it takes {', '.join(map(_flag, parameters))}" if parameters else "it takes none"
            raise InputError(f"the adapter {kind.name} has no option {_flag(name)}: {known}")
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in options:
            raise InputError(f"the adapter {kind.name} needs {_flag(name)}: give it as well")
    return {name: _option(name, value, hints.get(name, str)) for name, value in options.items()}


def _option(name: str, value: Any, hint: Any) -> Any:
    """An option's value, converted to the type that is declared."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(hint) if member is not types.NoneType]
        return None if value is None else _option(name, value, members[0])
    if hint is Path:
        return as_path(value)
    try:
        if hint is bool:
            return value if isinstance(value, bool) else WORDS[str(value).lower()]
        return hint(value) if hint in (int, float, str) else value
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{_flag(name)} is {quote(value)}: give {FORMS[hint]}") from None


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}" if name in FLAGS else f"{name}=…"
