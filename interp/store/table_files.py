"""Groups of tables on disk: written once, whole or not at all, and read back as they were written."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from recmodels import artifacts
from recmodels.errors import InputError

KIND = artifacts.Kind("tables")
ENDINGS = (".csv", ".parquet")
# Columns that hold names.
TEXT = ("concept", "target", "trainer", "replaced", "site", "method", "attribute", "kind")
Tables = dict[str, pd.DataFrame]


def write_group(folder: Path, inputs: dict[str, Any], make: Callable[[], Tables], files: Sequence[str] = ()) -> None:
    """Compute a group of tables and write it as one verified folder, unless it is there already.

    Args:
        folder: the group's folder.
        inputs: JSON description of what the tables are computed from.
        make: computes them; keys are file names, which end in .csv or .parquet.
        files: those names: without one of them the folder is not whole.

    Raises:
        InputError: the folder holds something else, or another process writes it.
    """
    kind = artifacts.Kind(KIND.name, tuple(files))
    if artifacts.is_current(folder, kind, inputs):
        return
    with artifacts.claim(folder, kind):
        tables = make()
        artifacts.discard_partial(folder, kind)
        with artifacts.writing(folder, kind, inputs) as partial:
            for name, table in tables.items():
                if name.endswith(".csv"):
                    table.to_csv(partial / name, index=False)
                else:
                    table.to_parquet(partial / name, index=False)


def read_table(folder: Path, name: str, recommender: str | None = None) -> pd.DataFrame:
    """A table by name, such as "features", from the groups below a folder.

    Args:
        folder: the folder of groups.
        name: file name without its ending.
        recommender: fingerprint of the recommender that the table must be about.

    Raises:
        InputError: there is no such table, its group is unfinished or was altered, or it is about another
            recommender.
    """
    path = _listed(folder, name)
    if path is None:
        names = ", ".join(sorted(path.stem for path in folder.glob("*/*") if path.suffix in ENDINGS))
        others = f", or choose one of {names}" if names else ""
        raise InputError(f"no table {name!r} under {folder}: run the study again{others}")
    made_for = artifacts.verify(path.parent, KIND)["inputs"].get("recommender")
    if recommender is not None and made_for != recommender:
        raise InputError(f"{path} was computed for another recommender: run the study again")
    try:
        return _read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} holds no table ({error}): delete {path.parent} and run its step again") from None


def _listed(folder: Path, name: str) -> Path | None:
    """A table's file, by the manifests of the groups below a folder: a file that none of them lists is not read.

    Raises:
        InputError: it lies in a group whose manifest is damaged.
    """
    for manifest in sorted(folder.glob(f"*/{artifacts.MANIFEST}")):
        group = manifest.parent
        paths = [group / f"{name}{ending}" for ending in ENDINGS]
        try:
            files = artifacts.read_manifest(group, KIND)["files"]
        except InputError:
            if any(path.exists() for path in paths):
                raise
            continue
        for path in paths:
            if path.name in files and group.suffix not in (".partial", ".old"):
                return path
    return None


def _read_csv(path: Path) -> pd.DataFrame:
    """What was written, to the last bit; names stay names: a concept may be called 1990, True or None."""
    numbers = pd.read_csv(path, nrows=0).columns.difference(list(TEXT))
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(TEXT, str),
        keep_default_na=False,
        na_values={name: [""] for name in numbers},
        float_precision="round_trip",
    )
