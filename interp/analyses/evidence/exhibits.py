"""The first section of the report: what holds on unseen items and users."""

import pandas as pd

from interp.analyses.evidence.figures import concepts_on_unseen_items, sources_compared
from interp.concepts.evidence import FEATURES
from interp.plots.blocks import Block, Column, exhibit, figure, intervals, table
from interp.study.study import Study

ROWS = 12  # of a table that is not folded away
COLUMNS = (
    Column("source", "Candidates", None),
    Column("candidates", "How many", 0),
    Column("l0", "L0", 1),
    Column("correlation", "As the paper"),
    Column("null", "Null"),
    Column("above_null", "Concepts above null", 0),
    Column("on_unseen_items", "Unseen items", None),
    Column("unseen_items_null", "Null"),
    Column("unseen_users", "Unseen users"),
    Column("unseen_both", "Both"),
    Column("passes", "Concepts that pass", 0),
    Column("lead", "Features ahead by", None),
)
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


def sources(study: Study) -> Block:
    """Features, neurons and baselines, in short."""
    rows = study.table("evidence_summary")
    about = ". ".join(f"{row.source}: {row.about}" for row in rows.itertuples())
    return exhibit(
        "",
        "Features, neurons and baselines on unseen items",
        "The mean over concepts of the largest correlation. As the paper: chosen and measured on the same rows. Null: "
        "the same search after each item was given the concepts of another item that is about as popular. Unseen "
        "items: chosen on half of the items, measured on the other half, with 95% intervals over users. Unseen users: "
        "chosen on the validation users. A concept passes if its correlation on unseen items is above that of permuted "
        f"concepts, at a false discovery rate of 5%. {about}.",
        ["evidence_summary"],
        figure(sources_compared(rows)),
        table(_with_intervals(rows), COLUMNS, strong=[0]),
    )


def concepts(study: Study) -> Block:
    """Each concept on unseen items."""
    rows = study.table("evidence")
    both = rows[rows["source"].isin(["features", "neurons"])]
    return exhibit(
        "",
        "Each concept on unseen items",
        "Faint bars are no better than chance (q above 0.05). Intervals: 95%, users resampled.",
        ["evidence"],
        figure(concepts_on_unseen_items(both)),
        table(_shown(rows), CONCEPT, "All numbers"),
    )


def attributes(study: Study) -> list[Block]:
    """The same for other attributes (Appendix C)."""
    rows, means = study.table("attribute_evidence"), study.table("attribute_summary")
    if rows.empty:
        return []
    means = _with_intervals(means)
    columns = [
        Column("attribute", "Attribute", None),
        Column("source", "Candidates", None),
        Column("known", "Steps known"),
        Column("values", "Values", 0),
        Column("items", "Items, median", 1),
        Column("correlation", "As the paper"),
        Column("null", "Null"),
        Column("on_unseen_items", "Unseen items", None),
        Column("passes", "Values that pass", 0),
        Column("lead", "Features ahead by", None),
    ]
    block = exhibit(
        "",
        "Other attributes on unseen items",
        "What is left of Appendix C: means over the values of each attribute, with 95% intervals over users. Steps "
        "known: the share of the steps whose item has a known value; the others are left out. Items: of the test "
        "users’ steps that have a value. Features ahead by: on unseen items, the same users drawn for both.",
        ["attribute_summary", "attribute_evidence"],
        table(means, columns),
        table(_shown(rows), (Column("attribute", "Attribute", None), *CONCEPT), "All values"),
    )
    return [block]


def _with_intervals(rows: pd.DataFrame) -> pd.DataFrame:
    """With the number on unseen items, and how far features are ahead of other candidates, as text."""
    more = rows.assign(
        on_unseen_items=intervals(rows, "unseen_items", signs=False), lead=intervals(rows, "ahead", signs=True)
    )
    more.loc[more["source"] == FEATURES, "lead"] = ""
    return more


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(
        on_unseen_items=intervals(rows, "unseen_items", signs=False),
        verdict=["passes" if passes else "no better than chance" for passes in rows["passes"]],
    )
