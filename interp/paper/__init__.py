"""The paper's own numbers, transcribed as printed, slips included (its `note` columns say which).

table1    what the strength of the L1 penalty does (sparsity empty: the original model); MovieLens-20M, GPTRec
concepts  top features of concepts: Tables 2, 4 and 5, by the columns table, dataset and model; "Mean" ends each
table3    features beside neurons, over concepts; by dataset and model
table6    the same for other attributes; MovieLens-20M, GPTRec
"""

from pathlib import Path

import pandas as pd

from recmodels.errors import InputError

NAMES = ("table1", "concepts", "table3", "table6")
DATASETS = {"ml-20m": "MovieLens-20M", "music4all": "Music4all"}


def paper_table(name: str) -> pd.DataFrame:
    """One of the paper's tables, by the names above; its columns are named as in the tables of a study.

    Raises:
        InputError: there is no such table.
    """
    if name not in NAMES:
        raise InputError(f"there is no table {name!r} of the paper: choose one of {', '.join(NAMES)}")
    table = pd.read_csv(Path(__file__).parent / f"{name}.csv")
    return table.fillna({"note": ""}) if "note" in table else table
