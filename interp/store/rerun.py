"""The command that runs a study again, for messages about tables that it lacks."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from interp.presets import PRESETS
from interp.store.registry import analyses
from interp.store.study_folder import read_study_record
from recmodels.errors import InputError

PLACES = ("dataset", "out", "processes")  # which the command names by itself, or which change no number


def advice(folder: Path) -> str:
    """What to do about a study without a table of this release: the command with its own settings, if that can be told.

    Args:
        folder: of the study.
    """
    with suppress(InputError, OSError):
        config = read_study_record(folder)["config"]
        if config["dataset"] in PRESETS and not config.get("recommender"):
            usual = asdict(PRESETS[config["dataset"]][1])
            words = ["interp study", config["dataset"], "--out", str(folder), *_flags(config, usual)]
            return f"run {words[0]} {shlex.join(words[1:])}, which makes what is not there"
    return "run the study again by the command that made it, which makes what is not there"


@contextmanager
def tables_of_this_release(*folders: Path) -> Iterator[None]:
    """Say which table of a study is of an earlier release where a column is missed.

    Args:
        folders: of the studies that are read.

    Raises:
        InputError: a column was missed, and a table lacks one that this release has.
    """
    try:
        yield
    except (KeyError, AttributeError) as error:
        missed = str(error)
        lacking = [(folder, *names) for folder in folders for names in _lacking(folder)]
        for folder, table, column in sorted(lacking, key=lambda names: names[2] not in missed)[:1]:
            raise InputError(
                f"the table {table!r} of {folder} is of an earlier release, without {column!r}: {advice(folder)}"
            ) from error
        raise


def _lacking(folder: Path) -> Iterator[tuple[str, str]]:
    """The columns that tables of a study lack, each with its table; of those that are kept as text."""
    for analysis in analyses():
        for table in analysis.tables:
            for path in folder.glob(f"tables/*/{table.file}") if table.columns else ():
                there = pd.read_csv(path, nrows=0).columns
                yield from ((table.name, column) for column in table.kinds if column not in there)


def _flags(config: Mapping[str, Any], usual: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The settings that differ from the usual ones, as words of a command line."""
    for name, default in usual.items():
        value = config.get(name, default)
        if isinstance(default, dict) and isinstance(value, Mapping):
            yield from _flags(value, default, f"{prefix}{name}.")
            continue
        values = [str(part) for part in value] if isinstance(value, list | tuple) else [str(value)]
        usual_values = [str(part) for part in default] if isinstance(default, list | tuple) else [str(default)]
        if values != usual_values and value is not None and name not in PLACES:
            yield from (f"--{prefix}{name}".replace("_", "-"), *values)
