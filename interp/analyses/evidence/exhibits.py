"""The first section of the report: what holds on unseen items and users."""

from interp.analyses.evidence.figures import concepts_on_unseen_items, sources_compared
from interp.plots.blocks import Block, Column, exhibit, figure, table
from interp.plots.evidence_columns import CONCEPT, with_intervals, with_verdicts
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
        table(with_intervals(rows), COLUMNS, strong=[0]),
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
        table(with_verdicts(rows), CONCEPT, "All numbers"),
    )
