"""Beyond the paper: the least costly steer that gives a concept a certain share of the lists."""

from typing import Any

import pandas as pd

from interp.plots.blocks import Block, Column, exhibit, table
from interp.study.study import Study
from recmodels.wording import signed

METHODS = {"population": "one dose for all", "user": "a dose for each"}
PARTS = {"found_on": "held out from the dictionary", "test": "test"}


def answers(study: Study) -> Block:
    """The answers in words, and their measurements."""
    rows = study.table("doses")
    answers_table = [
        {"asked": f"{goal:.0%} {target}", **_answer(group.set_index(["method", "part"]))}
        for (target, goal), group in rows.groupby(["target", "asked"], sort=False)
    ]
    number_rows = rows.assign(
        asked=[f"{row.asked:.0%} {row.target}" for row in rows.itertuples()],
        method=rows["method"].map(METHODS),
        part=[f"{row.users} {PARTS[row.part]}" for row in rows.itertuples()],
    )
    columns = [
        Column("asked", "Asked", None),
        Column("method", "Method", None),
        Column("part", "Users", None),
        Column("n_features", "Features", 1),
        Column("amount", "Units", 2),
        Column("share_before", "Share before"),
        Column("share_after", "after"),
        Column("own_before", "Users who have it before"),
        Column("own_after", "after"),
        Column("ndcg_before", "NDCG@10 before"),
        Column("ndcg_after", "after"),
        Column("ndcg_change_low", "change from"),
        Column("ndcg_change_high", "to"),
        Column("overlap", "Overlap"),
    ]
    return exhibit(
        "",
        "What a given share costs",
        "The least costly steers for a concept to have a share of the top 10. Up to three features that are aligned "
        "with it are set to the same amount in units of their own 99th percentiles: one dose for all users, with the "
        "highest NDCG@10 of those that reach the mean share on users held out from the dictionary, then tried on test "
        "users; or for each user the smallest amount at which their own list has the share. Intervals of changes hold "
        "95% of bootstrap samples of the users.",
        ["doses"],
        table(
            pd.DataFrame(answers_table),
            [
                Column("asked", "At least", None),
                Column("answer", "On held-out users", None),
                Column("test", "The same on test users", None),
                Column("each", "A dose for each test user", None),
            ],
        ),
        table(number_rows, columns, "All numbers"),
    )


def _answer(rows: pd.DataFrame) -> dict[str, str]:
    """A target's rows, by method and part, in words: what was found, what that does to test users, and own doses."""
    best, on_test = rows.loc[("population", "found_on")], rows.loc[("population", "test")]
    per_user = rows.loc[("user", "test")]
    if best["n_features"]:
        plural = "s" if best["n_features"] > 1 else ""
        detail = f"with {best['n_features']:.0f} feature{plural} at {best['amount']:.2f} units, {_change(best)}"
        answer = f"Reached {detail}" if best["reached"] else f"Out of reach; closest {detail}"
    else:
        answer = "There without steering" if best["reached"] else "Out of reach: no amount comes closer than none"
    return {
        "answer": answer,
        "test": f"{_change(on_test)}, NDCG@10 {_cost(on_test)}" if best["n_features"] else "–",
        "each": f"{per_user['own_before']:.0%} → {per_user['own_after']:.0%} of users have it, "
        f"NDCG@10 {_cost(per_user)}",
    }


def _change(row: Any) -> str:
    return f"{row['share_before']:.1%} → {row['share_after']:.1%}"


def _cost(row: Any) -> str:
    low, high = (signed(row[f"ndcg_change_{end}"], "+.3f") for end in ("low", "high"))
    return f"{row['ndcg_before']:.3f} → {row['ndcg_after']:.3f} [{low}, {high}]"
