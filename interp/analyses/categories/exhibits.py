"""Features for more than the study's concepts (paper section 7.2.2)."""

import pandas as pd

from interp.plots.blocks import Block, Column, exhibit, table
from interp.plots.formats import number, numbers
from interp.study.study import Study


def categories(study: Study) -> Block:
    """Figure 6: histories of the best case of each kind, and all cases."""
    cases, histories = study.table("cases"), study.table("case_histories")
    items, largest = study.items, study.table("features").set_index("feature")["max"]
    groups = []
    for case in cases[cases["rank"] == 1].itertuples():
        rows = histories[histories["kind"] == case.kind]
        groups.append(
            {
                "title": f"{case.kind}: {case.concept} (feature {case.feature}, p_top100 {case.p_top100:.2f})",
                "concept": case.concept,
                "largest": number(largest[case.feature]),
                "histories": [_history(history, items) for _, history in rows.groupby("rank")],
            }
        )
    columns = [
        Column("kind", "Kind", None),
        Column("concept", "Stands for", None),
        Column("feature", "Feature", 0),
        Column("correlation", "Correlation"),
        Column("unseen_items", "On unseen items"),
        Column("auc", "ROC AUC"),
        Column("p_top100", "p_top100"),
        Column("p_top100_pooled", "p_top100, pooled"),
        Column("rows", "Steps with it", 0),
    ]
    return exhibit(
        "Figure 6",
        "Features for more than the concepts",
        "A search over all features and all categories of the items; the best aligned come first. For the first of "
        "each kind, the strongest histories are shown around their peak (outlined). Violet: activation, as a "
        "share of the feature’s largest. Blue edge and filled label: the item belongs to the category. On unseen "
        "items: the feature is chosen on one half of the items, and its correlation measured on the other.",
        ["cases", "case_histories", "features", "items"],
        {"kind": "histories", "groups": groups},
        table(cases, columns),
    )


def _history(rows: pd.DataFrame, items: pd.DataFrame) -> Block:
    item_rows = items.loc[rows["item"]]
    return {
        "user": str(rows["user"].iat[0]),
        "first": int(rows["step"].iat[0]),
        "titles": item_rows["title"].tolist(),
        "concepts": [list(names) for names in item_rows["concepts"]],
        "has": rows["has"].astype(bool).tolist(),
        "activations": numbers(rows["activation"]),
    }
