"""Groups of tables on disk: written once, whole or not at all, and read back as they were written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from recmodels import artifacts
from recmodels.errors import InputError

KIND = "tables"
# Columns that hold names.
TEXT = ("concept", "target", "trainer", "replaced", "site", "method", "attribute", "kind")
Tables = dict[str, pd.DataFrame]


def write_group(folder: Path, inputs: dict[str, Any], make: Callable[[], Tables]) -> None:
    """Compute a group of tables and write it as one verified folder, unless it is there already.

    Args:
        folder: the group's folder.
        inputs: JSON description of what the tables are computed from.
        make: computes them; keys are file names, which end in .csv or .parquet.
    """
    if artifacts.is_current(folder, KIND, inputs):
        return
    tables = make()
    artifacts.discard_partial(folder)
    with artifacts.writing(folder, KIND, inputs) as partial:
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
    found = sorted(folder.glob(f"*/{name}.*"))
    if not found:
        names = ", ".join(sorted(path.stem for path in folder.glob("*/*") if path.suffix in (".csv", ".parquet")))
        others = f", or choose one of {names}" if names else ""
        raise InputError(f"no table {name!r} under {folder}: run the study again{others}")
    made_for = artifacts.verify(found[0].parent, KIND)["inputs"].get("recommender")
    if recommender is not None and made_for != recommender:
        raise InputError(f"{found[0]} was computed for another recommender: run the study again")
    return _read_csv(found[0]) if found[0].suffix == ".csv" else pd.read_parquet(found[0])


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
