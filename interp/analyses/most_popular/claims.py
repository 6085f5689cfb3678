"""Whether the recommender is worth interpreting."""

import pandas as pd

from interp.store.claim import BEYOND, Claim
from interp.study.beside_popular import judge


def better_than_most_popular(most_popular_table: pd.DataFrame, saw_test_users: bool) -> Claim:
    """From the table `most_popular`; undecided where the recommender may have been trained on the test users."""
    beside = judge(most_popular_table)
    measured = f"{beside.comparison[0].upper()}{beside.comparison[1:]}."
    if beside.better is None:
        measured += " The interval of the difference holds 0, or the users are too few: cannot tell."
    better = beside.better
    if better and saw_test_users:
        better = None
        measured += " The recommender may have been trained on these users and items: cannot tell."
    return Claim(
        BEYOND,
        "The recommender is better than recommending the most popular items.",
        "Holds if NDCG@10 on test users is higher, with the interval of the paired difference above 0; fails if it is "
        "not higher.",
        measured,
        better,
        ("most_popular",),
        unclear=better is None,
    )
