"""Whether exposure can be moved to the long tail."""

import pandas as pd

from interp.store.claim import BEYOND, Claim, drop
from recmodels.wording import signed

TAIL = "long_tail_share@10"


def reaches_the_long_tail(popularity_table: pd.DataFrame) -> Claim:
    """From the table `popularity`."""
    statement = "Steering moves exposure from popular items to the long tail, at a cost that is measured."
    criterion = (
        "Holds if the share of the long tail never falls from one strength to the next and is higher at the highest "
        "strength than without a steer, with an interval above 0; cannot tell if it never falls, but the interval "
        "contains 0."
    )
    tail = popularity_table[popularity_table["measure"] == TAIL].sort_values("strength")
    if tail.empty or tail["change"].isna().any():
        reason = "No feature separates popular from unpopular items here."
        return Claim(BEYOND, statement, criterion, reason, None, ("popularity",))
    strongest = tail.iloc[-1]
    at_end = popularity_table[popularity_table["strength"] == strongest["strength"]].set_index("measure")
    price = [f"{at_end.at['overlap', 'after']:.0%} of the lists stay"]
    if "ndcg@10" in at_end.index and at_end.at["ndcg@10", "before"]:
        loss = drop(at_end.at["ndcg@10", "before"], at_end.at["ndcg@10", "after"])
        price.insert(0, f"NDCG@10 changes by {signed(-loss, '+.1%')}")
    result = (
        f"It is {', '.join(f'{row.after:.3f} at {signed(row.strength)}' for row in tail.itertuples())}; at strength "
        f"{signed(strongest['strength'])} it changes by {signed(strongest['change'], '+.3f')} "
        f"[{signed(strongest['change_low'], '+.3f')}, {signed(strongest['change_high'], '+.3f')}], "
        f"{' and '.join(price)}."
    )
    rises = bool(tail["after"].is_monotonic_increasing)
    unclear = rises and bool(strongest["change_low"] <= 0 <= strongest["change_high"])
    holds = None if unclear else rises and bool(strongest["change_low"] > 0)
    return Claim(BEYOND, statement, criterion, result, holds, ("popularity",), unclear)
