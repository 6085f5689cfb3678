"""Whether the recommender is worth interpreting."""

import pandas as pd

from interp.store.claim import BEYOND, Claim
from interp.study.beside_popular import judge


def better_than_most_popular(most_popular_table: pd.DataFrame) -> Claim:
    """From the table `most_popular`."""
    beside = judge(most_popular_table)
    measured = f"{beside.comparison[0].upper()}{beside.comparison[1:]}."
    if beside.better is None:
        measured += " The interval of the difference holds 0: cannot tell."
    return Claim(
        BEYOND,
        "The recommender is better than recommending the most popular items.",
        "Holds if NDCG@10 on test users is higher, with the interval of the paired difference above 0; fails if it is "
        "not higher.",
        measured,
        beside.better,
        ("most_popular",),
        unclear=beside.better is None,
    )
