"""Two users' lists before and after (paper section 8.1)."""

import pandas as pd

from interp.plots.blocks import Block, exhibit
from interp.study.study import Study
from recmodels.wording import signed


def lists(study: Study) -> Block:
    """Figure 7: two users' lists before and after."""
    rows = study.table("lists")
    items = study.items.loc[rows["item"]]
    rows = rows.assign(title=items["title"].to_numpy(), concepts=[list(names) for names in items["concepts"]])
    target, feature = rows["target"].iat[0], int(rows["feature"].iat[0])
    users = [_user(group, target) for _, group in rows.groupby("direction", sort=False)]
    return exhibit(
        "Figure 7",
        f"Two users’ lists with {target} turned up and down",
        f"Top 10 before and after feature {feature} is set at the last step, for the user with the smallest share of "
        f"{target} in the list and for the user with the largest. Filled label: the item has {target}. “New”: the "
        "item is not in the list before.",
        ["lists", "items"],
        {"kind": "lists", "target": target, "users": users},
    )


def _user(rows: pd.DataFrame, target: str) -> Block:
    before = set(rows.loc[rows["value"].isna(), "item"])
    columns = []
    for value, group in rows.groupby("value", sort=False, dropna=False):
        columns.append(
            {
                "name": "as it is" if pd.isna(value) else f"set to {signed(value)}",
                "items": [
                    {
                        "title": row.title,
                        "concepts": row.concepts,
                        "has": target in row.concepts,
                        "new": row.item not in before,
                    }
                    for row in group.sort_values("rank").itertuples()
                ],
            }
        )
    return {"user": str(rows["user"].iat[0]), "direction": rows["direction"].iat[0], "columns": columns}
