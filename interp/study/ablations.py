"""What each feature of a study is good for; of the test users, kept beside the study's feature matrices."""

import os
from typing import Any

import pandas as pd

from interp.control.feature_ablations import feature_ablations
from interp.steering.parsing import DICTIONARY
from interp.store.analysis import Table
from interp.store.table_files import read_tables, write_tables
from interp.study.study_parts import StudyParts
from recmodels.recommender import lists_key
from recmodels.scalars import whole_number

VERSION = 1  # raised when the same inputs give other tables
TABLE = Table("ablations", "what the lists lose without each feature")


def ablations_of(study: StudyParts, users: Any, k: int) -> pd.DataFrame:
    """See `Study.ablate_all`."""
    rec = study.recommender
    k = whole_number("k", k, most=len(rec.recommender.vocabulary))
    histories = rec.recommender.histories(study.users() if users is None else users)
    folder = study.of_dictionary / "tables" / f"ablations-{k}"
    if users is None and os.access(study.folder, os.W_OK) and not rec.steered:
        about = {"recommender": rec.recommender.fingerprint, "dictionary": study.sae.fingerprint, "k": k}
        key = {**about, "users": histories.fingerprint, "version": VERSION, **lists_key(study.keep_seen)}
        write_tables(folder, [TABLE], key, lambda: {TABLE.name: feature_ablations(rec, histories, study.site, k)})
        table = read_tables(folder, [TABLE])[TABLE.name]
    else:
        table = feature_ablations(rec, histories, study.site, k)
    table.insert(1, "label", table["feature"].map(study.labels))
    table = table.sort_values(["change", "feature"], ignore_index=True)
    table.attrs[DICTIONARY] = study.sae.fingerprint
    return table
