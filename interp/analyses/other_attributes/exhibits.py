"""What is left of the paper's Appendix C, in the first section of the report."""

from interp.plots.blocks import Block, Column, exhibit, table
from interp.plots.evidence_columns import CONCEPT, with_intervals, with_verdicts
from interp.study.study import Study


def attributes(study: Study) -> list[Block]:
    """The same for other attributes (Appendix C)."""
    rows, means = study.table("attribute_evidence"), study.table("attribute_summary")
    if rows.empty:
        return []
    means = with_intervals(means)
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
        table(with_verdicts(rows), (Column("attribute", "Attribute", None), *CONCEPT), "All values"),
    )
    return [block]
