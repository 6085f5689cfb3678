"""Steers as JSON: an edit found in a notebook runs in a service.

Features are numbers and strengths activations, so that the service needs no tables. The dictionary's fingerprint is
kept, so that they cannot be mistaken for those of another one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from interp.edits import Edit, Push, Steer
from recmodels import artifacts
from recmodels.errors import InputError

VERSION = 1


def to_json(steer: Steer) -> str:
    """A steer as JSON text, the same for the same steer."""
    record = {
        "version": VERSION,
        "site": steer.site,
        "reconstruct": steer.reconstruct,
        "dictionary": steer.dictionary,
        "edits": [_push(edit) if isinstance(edit, Push) else _edit(edit) for edit in steer.edits],
    }
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> Steer:
    """The steer that was written as JSON.

    Raises:
        InputError: the text is not such a steer.
    """
    try:
        record = json.loads(text)
    except ValueError as error:
        raise InputError(f"this steer is not JSON ({error}): give what `to_json` wrote") from None
    if not isinstance(record, dict) or record.get("version") != VERSION:
        raise InputError(f"this is no steer of version {VERSION}: give what `to_json` wrote")
    try:
        edits = tuple(_read(edit) for edit in record["edits"])
        return Steer(edits, str(record["site"]), record["reconstruct"], record["dictionary"])
    except KeyError as error:
        raise InputError(f"this steer lacks {error}: give what `to_json` wrote") from None
    except (TypeError, ValueError, AttributeError):
        raise InputError("this steer has a value of the wrong kind: give what `to_json` wrote") from None


def save_steer(steer: Steer, path: Path | str) -> None:
    """Write a steer to a JSON file, whole or not at all."""
    artifacts.write_text(Path(path), to_json(steer) + "\n")


def load_steer(path: Path | str) -> Steer:
    """Read what `save_steer` wrote.

    Raises:
        InputError: there is no such file, or it holds no steer.
    """
    try:
        return from_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _edit(edit: Edit) -> dict[str, Any]:
    value: Any = edit.value
    if isinstance(value, Mapping):
        # Two lists: the keys of a JSON object would all become text.
        value = {"users": [_plain(user) for user in value], "values": list(value.values())}
    return {
        "feature": int(edit.feature),
        "concept": edit.concept,
        "op": edit.op,
        "value": value,
        "at": _at(edit.at),
        "weight": edit.weight,
    }


def _push(push: Push) -> dict[str, Any]:
    return {"direction": push.direction.tolist(), "factor": push.factor, "at": _at(push.at)}


def _at(at: Any) -> Any:
    return at if isinstance(at, str) else list(at)


def _plain(user: Any) -> Any:
    return user.item() if hasattr(user, "item") else user


def _read(record: dict[str, Any]) -> Edit | Push:
    at: Any = record["at"]
    at = at if isinstance(at, str) else tuple(at)
    if "direction" in record:
        return Push(torch.tensor(record["direction"]), float(record["factor"]), at)
    value: Any = record["value"]
    if isinstance(value, dict):
        value = dict(zip(value["users"], map(float, value["values"]), strict=True))
    else:
        value = float(value)
    return Edit(record["feature"], value, record["op"], at, float(record["weight"]), record["concept"])
