"""Steers as JSON: an edit from a notebook runs in a service.

Features are written as numbers and values in activation, so that the service needs no tables. The fingerprint of the
dictionary is written too, so that a steer is never applied to another dictionary.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from interp.steering.edits import Edit, Push, Steer
from recmodels import artifacts
from recmodels.errors import InputError, quote
from recmodels.paths import as_path
from recmodels.scalars import as_number, as_whole_number

VERSION = 1
NUMBER, TEXT, AT = (int, float), (str, type(None)), (str, list)


def to_json(steer: Steer) -> str:
    """A steer as JSON text, the same for the same steer.

    Raises:
        InputError: a number in it is not finite, or a user is neither a text nor a whole number.
    """
    if not isinstance(steer, Steer):
        raise InputError(f"{quote(steer)} is not a steer: give what `rec.steer_of` makes")
    record = {
        "version": VERSION,
        "site": steer.site,
        "reconstruct": steer.reconstruct,
        "dictionary": steer.dictionary,
        "edits": [_push(edit) if isinstance(edit, Push) else _edit(edit) for edit in steer.edits],
    }
    try:
        return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise InputError("a number of this steer is not finite: JSON has no such number") from None
    except TypeError:
        raise InputError("a part of this steer cannot be written as JSON: give what `rec.steer_of` makes") from None


def from_json(text: str) -> Steer:
    """The steer that was written as JSON.

    Raises:
        InputError: the text is not such a steer.
    """
    if not isinstance(text, str):
        raise InputError(f"{quote(text)} is not text: give the content of a file of `save_steer`")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("this steer is not JSON: give what `save_steer` wrote") from None
    if not isinstance(record, dict) or record.get("version") is not VERSION:
        raise InputError(f"this is not a steer of version {VERSION}: give what `save_steer` wrote")
    _fields("steer", record, {"version": int, "site": str, "reconstruct": str, "dictionary": TEXT, "edits": list})
    edits = tuple(_read(edit) for edit in record["edits"])
    return Steer(edits, record["site"], record["reconstruct"], record["dictionary"])


def save_steer(steer: Steer, path: Path | str) -> None:
    """Write a steer to a JSON file, whole or not at all.

    Raises:
        InputError: the file's name does not end in .json, another file than a steer is there, or it cannot be written.
    """
    path = as_path(path)
    if path.suffix != ".json":
        raise InputError(f"cannot write {path}: give a name that ends in .json")
    if path.is_file():
        try:
            load_steer(path)
        except InputError:
            raise InputError(f"{path} is there and is not a steer: give another name") from None
    try:
        artifacts.write_text(path, to_json(steer) + "\n")
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror}): give another place") from None


def load_steer(path: Path | str) -> Steer:
    """Read what `save_steer` wrote.

    Raises:
        InputError: there is no such file, or it does not hold a steer.
    """
    path = as_path(path)
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"there is no file {path}: give one that `save_steer` wrote") from None
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}): give a file that `save_steer` wrote") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8: give a file that `save_steer` wrote") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _edit(edit: Edit) -> dict[str, Any]:
    value: Any = edit.value
    if isinstance(value, Mapping):
        # Two lists: the keys of a JSON object would all become text.
        value = {"users": [_user(user) for user in value], "values": [_number(number) for number in value.values()]}
    else:
        value = _number(value)
    about = {"feature": _whole(edit.feature), "concept": edit.concept, "op": edit.op, "value": value}
    return about | {"at": _at(edit.at), "weight": _number(edit.weight)}


def _push(push: Push) -> dict[str, Any]:
    if not isinstance(push.direction, torch.Tensor) or push.direction.is_meta:
        raise InputError(f"a direction is {quote(push.direction)}: give a tensor")
    return {"direction": push.direction.tolist(), "factor": _number(push.factor), "at": _at(push.at)}


def _at(at: Any) -> Any:
    return [_whole(step) for step in at] if isinstance(at, tuple | list) else at


def _number(value: Any) -> float:
    number = as_number(value)
    try:
        return float(number)  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        raise InputError(f"{quote(value)} cannot be written as a JSON number: give a float") from None


def _whole(value: Any) -> int:
    whole = as_whole_number(value)
    if whole is None:
        raise InputError(f"{quote(value)} is not a whole number: name features and steps by whole numbers")
    return whole


def _user(user: Any) -> Any:
    whole = as_whole_number(user)
    if whole is not None:
        return whole
    if not isinstance(user, str):
        raise InputError(f"user {quote(user)} cannot be written as JSON: name users by texts or whole numbers")
    return user


def _read(record: Any) -> Edit | Push:
    if not isinstance(record, dict):
        raise InputError(f"an edit of this steer is {quote(record)}: give what `save_steer` wrote")
    if "direction" in record:
        _fields("push", record, {"direction": list, "factor": NUMBER, "at": AT})
        _each("direction", record["direction"], NUMBER)
        return Push(
            torch.tensor(record["direction"], dtype=torch.float32), _number(record["factor"]), _steps(record["at"])
        )
    kinds = {"feature": int, "concept": TEXT, "op": str, "value": (int, float, dict), "at": AT, "weight": NUMBER}
    _fields("edit", record, kinds)
    value = record["value"]
    if isinstance(value, dict):
        _fields("value", value, {"users": list, "values": list})
        _each("users", value["users"], (str, int))
        _each("values", value["values"], NUMBER)
        if not len(set(value["users"])) == len(value["users"]) == len(value["values"]):
            raise InputError("a value of this steer needs as many values as users, each user once")
        value = dict(zip(value["users"], map(_number, value["values"]), strict=True))
    else:
        value = _number(value)
    at = _steps(record["at"])
    return Edit(record["feature"], value, record["op"], at, _number(record["weight"]), record["concept"])


def _steps(at: Any) -> Any:
    if isinstance(at, str):
        return at
    _each("at", at, int)
    return tuple(at)


def _fields(name: str, record: dict[str, Any], kinds: dict[str, Any]) -> None:
    """Refuse a record that lacks a field, has another one, or one of the wrong kind."""
    for field in kinds.keys() - record.keys():
        raise InputError(f"this {name} lacks {field!r}: give what `save_steer` wrote")
    for field in record.keys() - kinds.keys():
        raise InputError(f"this {name} has an unknown {field!r}: give what `save_steer` wrote")
    for field, kind in kinds.items():
        _each(field, [record[field]], kind)


def _each(field: str, values: list[Any], kind: Any) -> None:
    """Refuse values of the wrong kind; true and false are not numbers."""
    for value in values:
        if isinstance(value, bool) or not isinstance(value, kind):
            raise InputError(f"{field!r} of this steer holds a value of the wrong kind: give what `save_steer` wrote")
