"""Tables that a study of an earlier release lacks: computed from its parts when they are first asked for, and kept."""

from typing import Any, TypeAlias

import pandas as pd

from interp.store.registry import describe, owner
from interp.store.rerun import advice
from interp.store.table_files import TableReader
from interp.study.computed_tables import ComputedTables
from recmodels.errors import InputError

StudyParts: TypeAlias = Any  # interp.study.study_parts.StudyParts, which may import this module


def later_table(study: StudyParts, name: str) -> pd.DataFrame:
    """A table by name; computed where the run, by an earlier release, did not make it.

    Raises:
        InputError: it is damaged, or it is missing and the study lacks what it is computed from.
    """
    try:
        return study.table(name)
    except InputError:
        if (study.folder / "tables" / owner(name).name / describe(name).file).exists() or study.left_out(name):
            raise
    try:
        tables = TableReader(study.folder / "tables", study.record["fingerprints"]["recommender"])
        return ComputedTables(study, tables)(name)
    except (InputError, OSError) as error:
        raise InputError(
            f"the study is of an earlier release, without the table {name!r}, and it cannot be made here ({error}): "
            f"{advice(study.folder)}"
        ) from None
