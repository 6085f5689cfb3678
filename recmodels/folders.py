"""Which folders may be written, replaced and deleted: only those that are marked as ours.

A finished artefact has a manifest (see `recmodels.artifacts`). A folder with an unfinished artefact has
`unfinished.json`, with its kind and its inputs. Any other folder that is not empty is not ours, and stays.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from recmodels.config_keys import description, same_inputs
from recmodels.errors import InputError
from recmodels.files import LEFTOVER, flush, write_json
from recmodels.json_files import of_type, read_json

MANIFEST = "manifest.json"
MARK = "unfinished.json"
# What earlier releases left of unfinished work: the names of all files, or of one with these keys.
EARLIER_FILES = re.compile(r"[0-9a-f]{16}\.(safetensors|partial)")
EARLIER_RECORDS = {
    "progress.json": {"inputs", "done"},
    "inputs.json": {"training", "train", "validation", "vocabulary"},
}


def refuse_link(path: Path) -> None:
    """Refuse a symbolic link, which may lead anywhere.

    Raises:
        InputError: it is one.
    """
    if path.is_symlink() or (hasattr(path, "is_junction") and path.is_junction()):
        raise InputError(f"{path} is a link: replace it by a folder of its own, or remove it")


def read_mark(folder: Path, kind: str) -> dict[str, Any] | None:
    """The record with which a folder says that it holds this kind of artefact, finished or not; None if it has none."""
    for name in (MARK, MANIFEST):
        try:
            record = read_json(folder / name, "")
        except InputError:
            continue
        if isinstance(record, dict) and record.get("kind") == kind:
            return record
    return None


def work_in(folder: Path, kind: str, inputs: dict[str, Any]) -> None:
    """Create a folder for unfinished work, or keep it with its content if that has the same kind and inputs.

    Args:
        folder: the folder.
        kind: what is being made.
        inputs: JSON description of what it is made from. Work on something else is deleted.

    Raises:
        InputError: the folder holds something else.
    """
    refuse_link(folder)
    record = read_mark(folder, kind)
    if record is None or not same_inputs(record.get("inputs"), inputs):
        remove(folder, kind)
        folder.mkdir(parents=True)
    write_json(folder / MARK, {"kind": kind, "inputs": description(inputs)}, durable=False)


def check_removable(folder: Path, kind: str) -> None:
    """Refuse to delete a folder that is neither empty nor marked as this kind; it may be missing.

    Raises:
        InputError: it is a link or a file, or has files that this program did not write.
    """
    refuse_link(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: move it away")
    if not (is_empty(folder, MARK) or read_mark(folder, kind) is not None or _of_earlier_release(folder)):
        raise InputError(f"{folder} has files that this program did not write: move it away")


def remove(folder: Path, kind: str, within: bool = False) -> None:
    """Delete a folder that is empty or marked as this kind; do nothing if it is missing.

    Args:
        folder: the folder.
        kind: what it must be marked as.
        within: the folder lies in a marked folder, so it needs no mark of its own.

    Raises:
        InputError: as `check_removable`.
    """
    refuse_link(folder)
    if not within:
        check_removable(folder, kind)
    if not folder.exists():
        return
    mark = folder / MARK
    # The mark is deleted last, so that a partly deleted folder is still recognised.
    for path in sorted(folder.iterdir()):
        if path == mark:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MANIFEST or mark.is_file():
            path.unlink()
    for name in (MANIFEST, MARK):
        (folder / name).unlink(missing_ok=True)
    folder.rmdir()


def swap(new: Path, folder: Path, kind: str) -> None:
    """Replace a folder by a finished one; the old one is deleted only when the new one is in place.

    Raises:
        InputError: the old folder, or one that a killed run left here, has files that this program did not write.
    """
    old = old_folder(folder)
    # Deleting takes time, in which a run may be killed: the old folder is renamed first.
    remove(old, kind)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    flush(folder.parent)
    remove(old, kind)


def old_folder(folder: Path) -> Path:
    """Where the artefact that is being replaced lies for a moment."""
    return folder.with_name(f"{folder.name}.old")


def is_empty(folder: Path, *leftovers_of: str, also: tuple[str, ...] = ()) -> bool:
    """Whether a folder has nothing in it.

    Args:
        folder: the folder.
        *leftovers_of: names of files; what a killed write of them left does not count.
        also: names of files that do not count.
    """
    names = (path.name for path in folder.iterdir() if path.name not in also)
    return all((leftover := LEFTOVER.search(name)) and name[: leftover.start()] in leftovers_of for name in names)


def _of_earlier_release(folder: Path) -> bool:
    for name, keys in EARLIER_RECORDS.items():
        try:
            record = read_json(folder / name, "")
        except InputError:
            continue
        if of_type(record, dict) and keys <= set(record):
            return True
    return all(EARLIER_FILES.fullmatch(path.name) and path.is_file() for path in folder.iterdir())
