"""Claims of this project's own about what steering costs at equal share."""

import pandas as pd

from interp.store.claim import BEYOND, NOTHING, Claim, signed

MOST = 0.8  # of the concepts: 4 of 5
SAME = 1e-9  # a smaller difference is rounding


CALLED = {
    "set": "setting the top feature with the error kept",
    "profile": "adding the concept’s profile with the error kept",
    "replace": "the paper’s replacement",
    "boost": "boosting the scores of the concept’s items",
}


def feature_against_replacement(equal_share_table: pd.DataFrame) -> Claim:
    """Beyond the paper: the top feature set, with the error kept, against the paper's replacement."""
    return no_dearer(equal_share_table, "set", "replace")


def profile_against_replacement(equal_share_table: pd.DataFrame) -> Claim:
    """Beyond the paper: a concept's profile against the paper's replacement."""
    return no_dearer(equal_share_table, "profile", "replace")


def profile_against_boost(equal_share_table: pd.DataFrame) -> Claim:
    """Beyond the paper: a concept's profile against re-ranking."""
    return no_dearer(equal_share_table, "profile", "boost")


def no_dearer(equal_share: pd.DataFrame, ours: str, other: str) -> Claim:
    """Beyond the paper, from the table `equal_share`: one of its methods against another."""
    statement = f"At equal share, {CALLED[ours]} loses no more NDCG than {CALLED[other]}."
    criterion = (
        f"Holds if, for at least {MOST:.0%} of the concepts, NDCG@10 loses no more on average over the levels of share "
        "that both reach."
    )
    tables = ("equal_share",)
    wide = equal_share.set_index(["target", "part", "method"])[["value", "change"]].unstack("method")
    both = wide["value"].reindex(columns=[ours, other]).notna().all(axis=1)
    every = equal_share["target"].nunique()
    if not both.any():
        return Claim(BEYOND, statement, criterion, "There is no share that both reach.", None, tables)
    change = wide.loc[both, "change"]
    if change[[ours, other]].isna().any(axis=None):
        return Claim(BEYOND, statement, criterion, NOTHING, None, tables)
    mean = change.groupby("target", sort=False)[[ours, other]].mean()
    good = mean[ours] >= mean[other] - SAME
    told = "; ".join(
        f"{row.Index} {signed(row.kept, '+.1%')} against {signed(row.others, '+.1%')}"
        for row in mean.set_axis(["kept", "others"], axis=1).itertuples()
    )
    left = f" No level is reached by both for {every - len(mean)} more." if len(mean) < every else ""
    overall = mean.mean()
    measured = (
        f"True for {int(good.sum())} of {len(good)} concepts; on average NDCG@10 changes by "
        f"{signed(overall[ours], '+.1%')}, against {signed(overall[other], '+.1%')} ({told}).{left}"
    )
    return Claim(BEYOND, statement, criterion, measured, bool(good.mean() >= MOST), tables)
