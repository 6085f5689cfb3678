"""Columns of the tables on unseen items, as several topics show them."""

import pandas as pd

from interp.concepts.evidence import FEATURES
from interp.plots.blocks import Column, intervals

CONCEPT = (
    Column("concept", "Concept", None),
    Column("source", "Candidates", None),
    Column("items", "Items", 0),
    Column("correlation", "As the paper"),
    Column("null", "Null"),
    Column("p", "p"),
    Column("on_unseen_items", "Unseen items", None),
    Column("unseen_items_p", "p"),
    Column("unseen_items_q", "q"),
    Column("verdict", "", None),
)


def with_intervals(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table of means, with the number on unseen items, and how far features are ahead, as text."""
    more = rows.assign(
        on_unseen_items=intervals(rows, "unseen_items", signs=False), lead=intervals(rows, "ahead", signs=True)
    )
    more.loc[more["source"] == FEATURES, "lead"] = ""
    return more


def with_verdicts(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table of concepts, with the number on unseen items, and the verdict, as text."""
    return rows.assign(
        on_unseen_items=intervals(rows, "unseen_items", signs=False),
        verdict=["passes" if passes else "no better than chance" for passes in rows["passes"]],
    )
