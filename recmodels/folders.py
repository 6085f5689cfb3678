"""Which folders may be written, replaced and deleted: only those that carry a mark of what they are.

A finished artefact carries its manifest (see `recmodels.artifacts`). A folder in which one is being made carries
`unfinished.json`, which says of what and from which inputs. Any other folder that is not empty is someone else's.
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


def marked(folder: Path, kind: str) -> dict[str, Any] | None:
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
    """Make a folder for unfinished work, or keep it with what is in it if that is work on the same thing.

    Args:
        folder: the folder.
        kind: what is being made.
        inputs: JSON description of what it is made from. Work on something else is deleted.

    Raises:
        InputError: the folder holds anything else.
    """
    refuse_link(folder)
    record = marked(folder, kind)
    if record is None or not same_inputs(record.get("inputs"), inputs):
        remove(folder, kind)
        folder.mkdir(parents=True)
    write_json(folder / MARK, {"kind": kind, "inputs": description(inputs)}, durable=False)


def check_removable(folder: Path, kind: str) -> None:
    """Refuse to delete a folder that is neither empty nor marked as this kind; it need not be there.

    Raises:
        InputError: it is a link, a file, or someone else's.
    """
    refuse_link(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: move it away")
    if not (is_empty(folder, MARK) or marked(folder, kind) is not None or _of_earlier_release(folder)):
        raise InputError(f"{folder} has files that this program did not write: move it away")


def remove(folder: Path, kind: str, within: bool = False) -> None:
    """Delete a folder that is empty, or marked as this kind; do nothing if it is not there.

    Args:
        folder: the folder.
        kind: what it must be marked as.
        within: it lies in a folder that is marked, and needs no mark of its own.

    Raises:
        InputError: as `check_removable`.
    """
    refuse_link(folder)
    if not within:
        check_removable(folder, kind)
    if not folder.exists():
        return
    mark = folder / MARK
    # The mark goes last, so that a folder whose deletion was cut short can still be told.
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


def swap(made: Path, folder: Path, kind: str) -> None:
    """Put a finished folder in the place of an older one, which goes only when the new one is there.

    Raises:
        InputError: the older one, or what a run that was killed here left of an even older one, is someone else's.
    """
    old = old_folder(folder)
    # Deleting takes time, in which a run may be killed: the old folder is renamed first.
    remove(old, kind)
    if folder.exists():
        folder.rename(old)
    made.rename(folder)
    flush(folder.parent)
    remove(old, kind)


def old_folder(folder: Path) -> Path:
    """Where the artefact that is being replaced lies for a moment."""
    return folder.with_name(f"{folder.name}.old")


def is_empty(folder: Path, *written: str, also: tuple[str, ...] = ()) -> bool:
    """Whether a folder has nothing in it.

    Args:
        folder: the folder.
        *written: names of files; what a kill left of their writing does not count.
        also: names of files that do not count.
    """
    names = (path.name for path in folder.iterdir() if path.name not in also)
    return all((left := LEFTOVER.search(name)) and name[: left.start()] in written for name in names)


def _of_earlier_release(folder: Path) -> bool:
    for name, keys in EARLIER_RECORDS.items():
        try:
            record = read_json(folder / name, "")
        except InputError:
            continue
        if of_type(record, dict) and keys <= set(record):
            return True
    return all(EARLIER_FILES.fullmatch(path.name) and path.is_file() for path in folder.iterdir())
