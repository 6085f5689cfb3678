"""Folders that are either whole or absent: atomic writes, checksums, a record of what each was made from.

Every artefact (a model, an activation store, a dictionary) is a folder with a `manifest.json`:

    {"kind": "model", "schema": 1, "inputs": {...}, "files": {"model.safetensors": {"bytes": ..., "sha256": ...}}}

`inputs` says what the folder was made from (configuration and the fingerprints of its sources). A run
asks `is_current` before it does work again, and `verify` refuses a folder that was altered or cut short.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from recmodels.config import config_key, description
from recmodels.errors import InputError

MANIFEST = "manifest.json"
SCHEMA = 1


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, as a hex string."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def json_sha256(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form, as a hex string."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text file so that a reader sees either the old content or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_json(path: Path, value: Any) -> None:
    """`write_text` of a value as indented JSON."""
    write_text(path, json.dumps(value, indent=2) + "\n")


@contextmanager
def writing(folder: Path, kind: str, inputs: dict[str, Any]) -> Iterator[Path]:
    """Fill a folder atomically: yields an empty working folder that replaces `folder` when the body succeeds.

    The working folder is `<folder>.partial`. It survives a failure, so that resumable work can keep its
    state there; call `discard_partial` to start over.

    Args:
        folder: where the artefact will be.
        kind: what it is ("model", "activations", …); a reader that expects another kind refuses it.
        inputs: JSON description of everything the artefact was made from; configurations may be dataclasses.
    """
    partial = partial_folder(folder)
    partial.mkdir(parents=True, exist_ok=True)
    yield partial
    files = {
        path.relative_to(partial).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in sorted(partial.rglob("*"))
        # A manifest is there when a run was killed between writing it and the rename.
        if path.is_file() and path != partial / MANIFEST
    }
    write_json(partial / MANIFEST, {"kind": kind, "schema": SCHEMA, "inputs": description(inputs), "files": files})
    # Deleting takes time, in which a run may be killed: the old folder is renamed first.
    old = folder.with_name(f"{folder.name}.old")
    if old.exists():
        shutil.rmtree(old)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    if old.exists():
        shutil.rmtree(old)


def partial_folder(folder: Path) -> Path:
    """Where `writing` keeps an artefact that is not finished yet."""
    return folder.with_name(f"{folder.name}.partial")


def discard_partial(folder: Path) -> None:
    """Forget unfinished work on `folder`, if there is any."""
    shutil.rmtree(partial_folder(folder), ignore_errors=True)


def read_manifest(folder: Path, kind: str) -> dict[str, Any]:
    """The manifest of a finished artefact of the given kind; file contents are not read.

    Raises:
        InputError: there is no such folder, it is unfinished, or it holds something else.
    """
    path = folder / MANIFEST
    if not path.is_file():
        state = "is unfinished" if folder.exists() or partial_folder(folder).exists() else "does not exist"
        raise InputError(f"{folder} {state}: run the step that writes this {kind} again")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found, schema, _ = manifest["kind"], manifest["schema"], (manifest["inputs"], manifest["files"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is damaged: delete {folder} and run its step again") from None
    if found != kind:
        raise InputError(f"{folder} holds a {found}, not a {kind}: pass the folder of a {kind}")
    if schema != SCHEMA:
        raise InputError(f"{folder} has layout {schema}, this version reads {SCHEMA}: write it again")
    return manifest


def verify(folder: Path, kind: str) -> dict[str, Any]:
    """`read_manifest`, then check every file's size and checksum.

    Raises:
        InputError: as `read_manifest`, or a file is missing, cut short or altered.
    """
    manifest = read_manifest(folder, kind)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path} is missing: delete {folder} and run its step again")
        if path.stat().st_size != expected["bytes"] or file_sha256(path) != expected["sha256"]:
            raise InputError(f"{path} was cut short or altered: delete {folder} and run its step again")
    return manifest


def is_current(folder: Path, kind: str, inputs: dict[str, Any]) -> bool:
    """Whether `folder` is a finished artefact made from these inputs (`same_inputs`)."""
    try:
        return same_inputs(read_manifest(folder, kind)["inputs"], inputs)
    except InputError:
        return False


def same_inputs(stored: dict[str, Any], inputs: dict[str, Any]) -> bool:
    """Whether stored inputs say the same as `inputs`.

    Configurations (dataclasses among `inputs`) are compared without the fields at their defaults, so that a folder
    stays current when a field is added to their class.
    """
    return stored.keys() == inputs.keys() and all(
        config_key(value, stored[name]) == config_key(value)
        if is_dataclass(value) and isinstance(stored[name], dict)
        else stored[name] == description(value)
        for name, value in inputs.items()
    )
