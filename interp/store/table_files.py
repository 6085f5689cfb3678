"""Tables on disk. The tables of an analysis are in one folder, which is written as a whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from interp.store.analysis import Table
from interp.store.registry import describe
from interp.store.rerun import advice
from recmodels import artifacts
from recmodels.errors import InputError

KIND = artifacts.Kind("tables")
Tables = Mapping[str, pd.DataFrame]


def write_tables(folder: Path, tables: Sequence[Table], key: Mapping[str, Any], make: Callable[[], Tables]) -> None:
    """Compute some tables and write them as one verified folder, unless they are there already.

    Args:
        folder: of these tables.
        tables: which; without one of them the folder is not whole.
        key: what they follow from (`interp.store.keys`).
        make: computes them.

    Raises:
        InputError: the folder holds something else, another process writes it, or a table has a column that is not
            declared.
    """
    kind, inputs = artifacts.Kind(KIND.name, tuple(table.file for table in tables)), dict(key)
    if artifacts.is_current(folder, kind, inputs):
        return
    with artifacts.claim(folder, kind):
        frames = make()
        artifacts.discard_partial(folder, kind)
        with artifacts.writing(folder, kind, inputs) as partial:
            for table in tables:
                _write(frames[table.name], table, partial / table.file)


def read_tables(folder: Path, tables: Sequence[Table]) -> dict[str, pd.DataFrame]:
    """Tables from their folder, checked.

    Raises:
        InputError: the folder is missing, unfinished or altered.
    """
    artifacts.verify(folder, artifacts.Kind(KIND.name, tuple(table.file for table in tables)))
    return {table.name: _read(folder / table.file, table) for table in tables}


def holds_tables(folder: Path) -> bool:
    """Whether a folder is a finished folder of tables."""
    try:
        artifacts.read_manifest(folder, KIND)
    except InputError:
        return False
    return True


class TableReader:
    """The tables of a study, each read and checked once.

    A frame that it gives out shares its values with all others of the same table, so they cannot be changed in place:
    `copy()` it for that. Columns can be added.

    Args:
        folder: the folder of folders of tables.
        recommender: fingerprint of the recommender that they must be about.
    """

    def __init__(self, folder: Path, recommender: str | None = None) -> None:
        self.folder = folder
        self.recommender = recommender
        self._frames: dict[str, tuple[Any, pd.DataFrame]] = {}

    def __call__(self, name: str) -> pd.DataFrame:
        """A table by name, such as "features".

        Raises:
            InputError: no analysis makes it, it was not computed, was altered, or is about another recommender.
        """
        entry = self._frames.get(name)
        if entry is None or entry[0] != _stamp(entry[0][0]):
            table = describe(name)
            folder = self._folder(table)
            stamp = _stamp(folder)
            self._check(folder)
            entry = self._frames[name] = (stamp, _read_only(_read(folder / table.file, table)))
        return entry[1].copy(deep=False)

    def _folder(self, table: Table) -> Path:
        """The folder of a table according to the manifests. A file that no manifest lists is not read.

        Releases call their folders otherwise, so all of them are looked at.

        Raises:
            InputError: none has it, or it lies in one whose manifest is damaged.
        """
        for manifest in sorted(self.folder.glob(f"*/{artifacts.MANIFEST}")):
            folder = manifest.parent
            if folder.suffix in (".partial", ".old"):
                continue
            try:
                files = artifacts.read_manifest(folder, KIND)["files"]
            except InputError:
                if (folder / table.file).exists():
                    raise
                continue
            if table.file in files:
                return folder
        raise InputError(f"the table {table.name!r} is not under {self.folder}: {advice(self.folder.parent)}")

    def _check(self, folder: Path) -> None:
        inputs = artifacts.verify(folder, KIND)["inputs"]
        needs = inputs.get("needs")
        about = needs.get("rec") if isinstance(needs, dict) else inputs.get("recommender")
        if self.recommender is not None and about not in (None, self.recommender):
            raise InputError(f"{folder} was computed for another recommender: run the study again")


def _write(frame: pd.DataFrame, table: Table, path: Path) -> None:
    if not table.columns:
        frame.to_parquet(path, index=False)
        return
    unknown = frame.columns.difference(list(table.kinds))
    if len(unknown):
        raise InputError(f"table {table.name} has a column {unknown[0]!r} that its analysis does not declare: add it")
    frame.to_csv(path, index=False)


def _read(path: Path, table: Table) -> pd.DataFrame:
    """A table exactly as it was written. Text stays text: a concept may be called 1990, True or None.

    Raises:
        InputError: the file holds no such table.
    """
    kinds = table.kinds
    try:
        if not kinds:
            return pd.read_parquet(path)
        return pd.read_csv(
            path,
            dtype={name: str for name, kind in kinds.items() if kind == "text"},
            keep_default_na=False,
            na_values={name: [""] for name, kind in kinds.items() if kind != "text"},
            float_precision="round_trip",
        )
    except (ValueError, OSError) as error:
        raise InputError(f"{path} holds no table ({error}): delete {path.parent} and run its step again") from None


def _stamp(folder: Path) -> tuple[Path, int, int] | None:
    """A folder, and the time at which it was last written."""
    try:
        about = (folder / artifacts.MANIFEST).stat()
    except OSError:
        return None
    return folder, about.st_mtime_ns, about.st_ino


def _read_only(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame, whose values numpy refuses to change."""
    columns: dict[Any, Any] = {}
    for name, column in frame.items():
        values = column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array
        if isinstance(values, np.ndarray):
            values = values.view()
            values.setflags(write=False)
        columns[name] = values
    return pd.DataFrame(columns, index=frame.index, copy=False)
