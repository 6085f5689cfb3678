"""The folder of a study. A study is written to an empty folder, or to the folder it was in before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from interp.config import StudyConfig
from interp.store.timings import FIELDS
from recmodels.errors import InputError, quote
from recmodels.files import remove_leftovers, saving
from recmodels.folders import MANIFEST, MARK, is_empty, read_mark, remove
from recmodels.json_files import check_record, read_json, read_record
from recmodels.locks import hold
from recmodels.paths import as_path

RECORD = "config.json"
LOCK = "study.lock"
# The folders and working folders that a study makes; nothing in them may lead out of the study.
PARTS = ("recommender*", "activations", "dictionaries", "evaluations", "features", "baselines", "tables", "scorecard")
FORBIDDEN = frozenset("/\\:\0")  # in a name that is to be a folder's


def check_finished(folder: Path) -> None:
    """Refuse a folder without a finished study.

    Raises:
        InputError: there is none.
    """
    path = as_path(folder)
    if not (path / RECORD).is_file():
        raise InputError(f"{path} holds no finished study: run `interp study` with --out {path} first")


def read_study_record(folder: Path) -> dict[str, Any]:
    """The content of a finished study's config.json.

    Raises:
        InputError: it is missing or damaged.
    """
    path, advice = folder / RECORD, "run the study again, which skips what is already there"
    types = {"config": dict, "dictionary": str, "fingerprints": dict}
    record = read_record(path, types, advice)
    check_record(record["config"], {"dataset": str}, path, advice)
    check_record(record["fingerprints"], {"recommender": str}, path, advice)
    check_record(record | {"attribute": record.get("attribute", "")}, {"attribute": str}, path, advice)
    _check_like(record["config"], StudyConfig(), path, advice)
    for name in (*record["dictionary"].split("/"), record["config"].get("site", "site")):
        if not is_name(name):
            raise InputError(f"{path} is damaged, {quote(name)} is not a name: {advice}")
    return _Record.of(record, path)


class _Record(dict[str, Any]):
    """An object of a JSON file. If a key is missing, the error names the file."""

    path: Path

    @classmethod
    def of(cls, value: Any, path: Path) -> Any:
        if not isinstance(value, dict):
            return value
        record = cls({key: cls.of(inner, path) for key, inner in value.items()})
        record.path = path
        return record

    def __missing__(self, key: str) -> Any:
        raise InputError(f"{self.path} is damaged, {quote(key)} is missing: run the study again")


def _check_like(settings: dict[str, Any], default: Any, path: Path, advice: str) -> None:
    """Refuse settings whose type is not that of the configuration; those that may be None are not checked.

    Nor are the settings of a kind of dictionary, which reads them itself.
    """
    for name, usual in vars(default).items():
        if name not in settings or usual is None or name == "settings":
            continue
        if is_dataclass(usual):
            check_record(settings, {name: dict}, path, advice)
            _check_like(settings[name], usual, path, advice)
        else:
            check_record(settings, {name: list if isinstance(usual, tuple) else type(usual)}, path, advice)


def is_name(text: Any) -> bool:
    """Whether a text can be the name of a folder and is not a path."""
    return (
        isinstance(text, str)
        and text.strip() not in ("", ".", "..")
        and text.isprintable()
        and not FORBIDDEN.intersection(text)
    )


def study_folder(config: StudyConfig) -> Path:
    """The absolute path of the folder that a study is written to.

    Raises:
        InputError: the data set or the model is called by a path, or the folder is the one we are in or above it.
    """
    for kind, name in (("data set", config.dataset), ("model", config.training.model)):
        if not is_name(name):
            raise InputError(f"the {kind} is called {quote(name)}: give it a name that is not a path")
    folder = as_path(config.folder if config.out is None else config.out)
    here = [Path.cwd(), Path.home()]
    if any(folder.resolve() in (place.resolve(), *place.resolve().parents) for place in here):
        raise InputError(f"{folder} holds more than a study: give a folder of its own with --out")
    return folder


@contextmanager
def claim_study(folder: Path) -> Iterator[None]:
    """While the body runs, this process alone writes the study in a folder.

    Raises:
        InputError: the folder is neither empty nor a study; a link in it leads elsewhere; another process works on it;
            or the disk is full.
    """
    check_study(folder)
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        with saving(folder), hold(folder / LOCK, f"the study in {folder}"):
            check_study(folder)  # again, now that nobody else writes to it
            remove_leftovers(folder)
            for part in (path for pattern in PARTS for path in folder.glob(pattern)):
                _remove_leftovers_of_artefacts(part)
            yield
    finally:
        with suppress(OSError):
            for place in absent:
                place.rmdir()  # of a study that came to nothing


def _remove_leftovers_of_artefacts(part: Path) -> None:
    """Delete the leftovers of a killed run beside finished artefacts: unused locks, and replaced folders."""
    for path in sorted((part, *part.rglob("*"))):
        with suppress(InputError):  # what is not ours, or in use, stays
            if path.suffix == ".lock" and path.is_file():
                with hold(path, path):
                    pass
            elif path.suffix == ".old" and (path.with_suffix("") / MANIFEST).is_file():
                remove(path, read_record(path / MANIFEST, {"kind": str}, "")["kind"])


def check_study(folder: Path) -> None:
    """Refuse a folder that is neither empty nor a study, finished or not.

    Raises:
        InputError: it is neither, or holds a link where the study's own files would be.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: choose another folder with --out")
    if not is_empty(folder, "timings.json", MARK, also=(LOCK,)) and not _is_study(folder):
        raise InputError(f"{folder} is neither empty nor a study: choose another folder with --out; it is as it was")
    for path in _links(folder):
        raise InputError(f"{path} is a link, which may lead out of the study: replace it by what it leads to")


def _is_study(folder: Path) -> bool:
    if read_mark(folder, "study") is not None:
        return True
    with suppress(InputError):
        return bool(read_study_record(folder))
    # What an earlier release left of a run that was interrupted.
    with suppress(InputError):
        timings = read_json(folder / "timings.json", "")
        for timing in timings.values() if isinstance(timings, dict) else ():
            check_record(timing, FIELDS, "", "")
        return isinstance(timings, dict) and bool(timings)
    return False


def _links(folder: Path) -> Iterator[Path]:
    """Links in the place of the study's own folders and files."""
    for pattern in PARTS:
        for part in sorted(folder.glob(pattern)):
            if part.is_symlink():
                yield part
            for place, folders, files in os.walk(part):
                yield from (path for name in (*folders, *files) if (path := Path(place, name)).is_symlink())
