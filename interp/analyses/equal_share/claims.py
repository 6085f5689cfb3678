"""Claims of this project's own about what steering costs at equal share."""

from collections.abc import Callable

import pandas as pd

from interp.control.cost_intervals import CANNOT_TELL, FAILS, HOLDS, PAIRS
from interp.store.claim import BEYOND, NO_HITS, Claim
from recmodels.bootstrap import FEWEST
from recmodels.wording import signed, with_interval

MOST = 0.8  # of the concepts: 4 of 5
METHOD_NAMES = {
    "set": "setting the top feature with the error kept",
    "profile": "adding the concept’s profile with the error kept",
    "replace": "the paper’s replacement",
    "boost": "boosting the scores of the concept’s items",
    "least": "adding at most 20 features of least collateral, all users alike,",
    "least_user": "adding at most 20 features of least collateral, each user by an own amount,",
    "final_user": "moving each user’s last hidden state by least squares",
    "boost_user": "boosting them by an own amount for each user",
}


def no_dearer(cost_differences: pd.DataFrame, method: str, other: str, times: float = 1.0) -> Claim:
    """Beyond the paper, from the table `cost_differences`: one method costs at most so many times as much as another.

    Args:
        cost_differences: the table.
        method, other, times: one of `interp.control.cost_intervals.PAIRS`.
    """
    much = "no more NDCG than" if times == 1 else f"at most {times:g} times as much NDCG as"
    statement = f"At equal share, {METHOD_NAMES[method]} loses {much} {METHOD_NAMES[other]}."
    criterion = (
        f"Holds if it does for at least {MOST:.0%} of the concepts: on average over 40, 60 and 80% of the rise of the "
        "share, as far as both reach it, the 95% interval of the difference (the same users resampled for both) lies "
        f"above 0. Cannot tell if so many intervals contain 0 that it may be either, or of fewer than {FEWEST} users."
    )
    pair = (cost_differences["method"] == method) & (cost_differences["other"] == other)
    rows = cost_differences[pair & (cost_differences["times"] == times)]
    known = rows[rows["difference"].notna()]
    tables = ("cost_differences",)
    if known.empty:
        return Claim(
            BEYOND, statement, criterion, f"There is no share that both reach, or no loss: {NO_HITS}", None, tables
        )
    counts = {name: int((known["verdict"] == name).sum()) for name in (HOLDS, FAILS, CANNOT_TELL)}
    texts = "; ".join(
        f"{row.target} {signed(row.cost, '+.1%')} against {signed(row.other_cost, '+.1%')}, "
        f"by {with_interval(row.difference, row.low, row.high, '+.1%')}: {row.verdict}"
        for row in known.itertuples()
    )
    rest = f" No level is reached by both for {len(rows) - len(known)} more." if len(known) < len(rows) else ""
    result = (
        f"True for {counts[HOLDS]} of {len(known)} concepts, false for {counts[FAILS]}, cannot tell for "
        f"{counts[CANNOT_TELL]}; on average NDCG@10 changes by {signed(known['cost'].mean(), '+.1%')}, against "
        f"{signed(known['other_cost'].mean(), '+.1%')} ({texts}).{rest}"
    )
    holds, possible = (count / len(known) >= MOST for count in (counts[HOLDS], counts[HOLDS] + counts[CANNOT_TELL]))
    unclear = possible and not holds
    return Claim(BEYOND, statement, criterion, result, None if unclear else holds, tables, unclear)


def _claim(method: str, other: str, times: float) -> Callable[[pd.DataFrame], Claim]:
    def claim(cost_differences_table: pd.DataFrame) -> Claim:
        return no_dearer(cost_differences_table, method, other, times)

    return claim


CLAIMS = tuple(_claim(*pair) for pair in PAIRS)
