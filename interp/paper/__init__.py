"""The paper's own numbers, transcribed as printed, slips included (its `note` columns say which).

table1    what the strength of the L1 penalty does (sparsity empty: the original model); MovieLens-20M, GPTRec
concepts  top features of concepts: Tables 2, 4 and 5, by the columns table, dataset and model; "Mean" ends each
table3    features beside neurons, over concepts; by dataset and model
table6    the same for other attributes; MovieLens-20M, GPTRec
"""

from pathlib import Path
from typing import Any

import pandas as pd

from recmodels.errors import InputError

NAMES = ("table1", "concepts", "table3", "table6")
# The sections that studies say something of: first whether it holds on unseen items, then in the paper's order; what
# goes beyond it comes last.
SECTIONS = {
    "evidence": "What holds on unseen items and users",
    "5": "5 Setting",
    "6": "6 Reconstruction",
    "7.1.1": "7.1.1 Top features of concepts",
    "7.1.2": "7.1.2 Overall interpretability",
    "7.1.3": "7.1.3 Features and neurons",
    "7.2.1": "7.2.1 Features of one concept",
    "7.2.2": "7.2.2 Other features",
    "8.1": "8.1 Examples of control",
    "8.2.1": "8.2.1 Control: what is recommended",
    "8.2.2": "8.2.2 Control: how good it is",
    "8.2.3": "8.2.3 Linear probes",
    "C": "Appendix C Other attributes",
    "beyond": "Beyond the paper",
}
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


# Table 2, Figures 2, 4 and 9 have counterparts for the paper's other experiments.
NUMBERS = {
    "top": {("ml-20m", "bert4rec"): "Table 4", ("music4all", "gptrec"): "Table 5"},
    "heatmap": {("ml-20m", "bert4rec"): "Figure 11", ("music4all", "gptrec"): "Figure 15"},
    "neurons": {("ml-20m", "bert4rec"): "Figure 12", ("music4all", "gptrec"): "Figure 4(b)"},
    "sweep": {("ml-20m", "bert4rec"): "Figure 14", ("music4all", "gptrec"): "Figure 17"},
}
FIRST = {"top": "Table 2", "heatmap": "Figure 2", "neurons": "Figure 4", "sweep": "Figure 9"}


def number_of(kind: str, dataset: str, model: str) -> str:
    """The paper's number of a table or figure, for its experiment with this data and model if there is one."""
    return NUMBERS[kind].get((dataset, model), FIRST[kind])


def is_the_papers(study: Any, dataset: str, model: str) -> bool:
    """Whether a study is of the same data set, model, concepts and loss as something in the paper."""
    matches = (study.name, study.model) == (dataset, model)
    return matches and study.attribute == "genres" and study.config["sae"]["trainer"] == "unsquared"
