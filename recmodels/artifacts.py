"""Folders that are either whole or absent: atomic writes, checksums, a record of what each was made from.

Every artefact (a model, an activation store, a dictionary) is a folder with a `manifest.json`:

    {"kind": "model", "schema": 1, "inputs": {...}, "files": {"model.safetensors": {"bytes": ..., "sha256": ...}}}

`inputs` says what the folder was made from (configuration and the fingerprints of its sources). A run
asks `is_current` before it does work again, and `verify` refuses a folder that was altered or cut short. Files that
the manifest does not list are never read, and keep the folder from being replaced.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from recmodels.config_keys import description, same_inputs
from recmodels.errors import InputError, an
from recmodels.files import file_sha256, flush, remove_leftovers, saving
from recmodels.files import write_json as write_json
from recmodels.files import write_text as write_text
from recmodels.folders import (
    MANIFEST,
    MARK,
    check_removable,
    is_empty,
    old_folder,
    read_mark,
    refuse_link,
    remove,
    swap,
    work_in,
)
from recmodels.json_files import check_record, of_type, read_json
from recmodels.json_files import json_sha256 as json_sha256
from recmodels.locks import hold

SCHEMA = 1
SHA256 = re.compile(r"[0-9a-f]{64}")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """What an artefact is.

    Attributes:
        name: "model", "activations", …; a reader that expects another kind refuses it.
        files: files that it must have; every artefact has at least one.
    """

    name: str
    files: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


@contextmanager
def claim(folder: Path, kind: Kind | str) -> Iterator[None]:
    """Lock the artefact `folder` while the body runs, and check that its content may be replaced.

    Raises:
        InputError: another process or thread writes it; the folder holds something other than an artefact of this
            kind; or the disk is full.
    """
    refuse_link(folder)
    with hold(folder.with_name(f"{folder.name}.lock"), folder), saving(folder):
        check_replaceable(folder, kind)
        for place in (partial_folder(folder), old_folder(folder)):  # now, not after the work of the body
            check_removable(place, str(kind))
        yield


@contextmanager
def writing(
    folder: Path, kind: Kind | str, inputs: dict[str, Any], digests: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """Fill a folder atomically: yields a working folder that replaces `folder` when the body succeeds.

    The working folder is `<folder>.partial`. It survives a failure, so that resumable work on the same inputs can keep
    its state there; call `discard_partial` to start over.

    Args:
        folder: where the artefact will be.
        kind: what it is.
        inputs: JSON description of everything the artefact was made from; configurations may be dataclasses.
        digests: SHA-256 of files that the body hashes as it writes them, which it fills in; others are read for theirs.

    Raises:
        InputError: as `claim`; or the body did not write all files of this kind.
    """
    partial = partial_folder(folder)
    with claim(folder, kind):
        work_in(partial, str(kind), inputs)
        yield partial
        seal(partial, kind, inputs, digests)
        (partial / MARK).unlink()
        swap(partial, folder, str(kind))


def seal(folder: Path, kind: Kind | str, inputs: dict[str, Any], digests: Mapping[str, str] | None = None) -> None:
    """Write a folder's manifest, which marks it as complete, and flush all its files to the disk.

    Files are read for their SHA-256 unless it is in `digests`.

    Raises:
        InputError: a file that this kind needs is missing, or a file is a link.
    """
    remove_leftovers(folder)
    # A run that was killed between writing the manifest and the rename leaves a manifest behind.
    names = [name for name in _files_in(folder) if name not in (MANIFEST, MARK)]
    for name in names:
        refuse_link(folder / name)
    _check_complete(folder, kind, names)
    digests = digests or {}
    files = {
        name: {
            "bytes": (folder / name).stat().st_size,
            "sha256": digests[name] if name in digests else file_sha256(folder / name),
        }
        for name in sorted(names)
    }
    for name in names:
        flush(folder / name)
    for path in folder.rglob("*"):
        if path.is_dir():
            flush(path)
    write_json(folder / MANIFEST, {"kind": str(kind), "schema": SCHEMA, "inputs": description(inputs), "files": files})


def partial_folder(folder: Path) -> Path:
    """Where `writing` keeps an artefact that is not finished yet."""
    return folder.with_name(f"{folder.name}.partial")


def discard_partial(folder: Path, kind: Kind | str) -> None:
    """Forget unfinished work on `folder`, if there is any.

    Raises:
        InputError: another process works on it, or this program did not write the working folder.
    """
    if partial_folder(folder).exists():
        with hold(folder.with_name(f"{folder.name}.lock"), folder):
            remove(partial_folder(folder), str(kind))


def read_manifest(folder: Path, kind: Kind | str) -> dict[str, Any]:
    """The manifest of a finished artefact of the given kind; file contents are not read.

    Raises:
        InputError: there is no such folder, it is unfinished, it holds something else, or its manifest is damaged or
            lacks a file that this kind needs.
    """
    path = folder / MANIFEST
    if not path.is_file():
        state = "is unfinished" if folder.exists() or partial_folder(folder).exists() else "does not exist"
        raise InputError(f"{folder} {state}: run the step that writes this {kind} again")
    advice = f"delete {folder} and run its step again"
    manifest = read_json(path, advice)
    check_record(manifest, {"kind": str, "schema": int, "inputs": dict, "files": dict}, path, advice)
    if manifest["kind"] != str(kind):
        raise InputError(f"{folder} holds {an(manifest['kind'])}, not {an(kind)}: pass the folder of {an(kind)}")
    if manifest["schema"] != SCHEMA:
        raise InputError(f"{folder} has layout {manifest['schema']}, this version reads {SCHEMA}: write it again")
    for name, about in manifest["files"].items():
        if not _is_entry(name, about):
            raise InputError(f"{path} is damaged, its entry for {name!r} is not valid: {advice}")
    _check_complete(folder, kind, manifest["files"])
    return manifest


def verify(folder: Path, kind: Kind | str) -> dict[str, Any]:
    """`read_manifest`, then check every file's size and checksum.

    Raises:
        InputError: as `read_manifest`, or a file is missing, a link, cut short or altered.
    """
    manifest = read_manifest(folder, kind)
    for name, expected in manifest["files"].items():
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise InputError(f"{path} is missing or a link: delete {folder} and run its step again")
        if path.stat().st_size != expected["bytes"] or file_sha256(path) != expected["sha256"]:
            raise InputError(f"{path} was cut short or altered: delete {folder} and run its step again")
    return manifest


def is_current(folder: Path, kind: Kind | str, inputs: dict[str, Any]) -> bool:
    """Whether `folder` is a finished artefact made from these inputs (`same_inputs`) that passes `verify`.

    A damaged artefact is not current; the log says so in one line.
    """
    try:
        if not same_inputs(read_manifest(folder, kind)["inputs"], inputs):
            return False
    except InputError:
        return False
    try:
        verify(folder, kind)
    except InputError as damage:
        log.warning("%s; it is made again", damage)
        return False
    return True


def check_replaceable(folder: Path, kind: Kind | str) -> None:
    """Refuse to replace anything but an empty folder, or an artefact of this kind without added files.

    Raises:
        InputError: the folder holds something else.
    """
    refuse_link(folder)
    if not folder.exists() or (folder.is_dir() and is_empty(folder)):
        return
    if not folder.is_dir() or not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} is not {an(kind)} that this program wrote: move it away, or choose another folder")
    try:
        manifest = read_manifest(folder, kind)
    except InputError:
        # An incomplete manifest of this kind: its list of files cannot be relied on.
        if read_mark(folder, str(kind)) is None:
            raise
        return
    for name in _files_in(folder):
        if name not in manifest["files"] and name != MANIFEST:
            raise InputError(f"{folder / name} does not belong to the {kind} there: move it away, and try again")


def _files_in(folder: Path) -> list[str]:
    """Names of all files and links below a folder, with slashes."""
    paths = sorted(folder.rglob("*"))
    return [path.relative_to(folder).as_posix() for path in paths if path.is_symlink() or not path.is_dir()]


def _is_entry(name: str, about: Any) -> bool:
    """Whether a manifest's entry names a file inside the folder, its size and its checksum."""
    path = PurePosixPath(name)
    inside = name and not path.is_absolute() and ".." not in path.parts and not re.search(r"[\\:\0]", name)
    sized = of_type(about, dict) and of_type(about.get("bytes"), int) and of_type(about.get("sha256"), str)
    return bool(inside and sized and about["bytes"] >= 0 and SHA256.fullmatch(about["sha256"]))


def _check_complete(folder: Path, kind: Kind | str, names: Any) -> None:
    """Refuse an artefact that has no files, or lacks a file that its kind needs.

    Raises:
        InputError: a file is missing.
    """
    absent = [name for name in (kind.files if isinstance(kind, Kind) else ()) if name not in names]
    if absent or not names:
        lacks = absent[0] if absent else "its files"
        raise InputError(f"{folder} lacks {lacks}: delete it and run the step that writes this {kind} again")
