"""Claims of this project's own about what steering costs at equal share."""

import pandas as pd

from interp.verdicts.claim import BEYOND, NOTHING, Claim, signed

MOST = 0.8  # of the concepts: 4 of 5
SAME = 1e-9  # a smaller difference is rounding


def no_dearer_than_replacing(trade_offs: pd.DataFrame) -> Claim:
    """Beyond the paper, from the table `trade_offs`: its method "set" against "replace"."""
    return _no_dearer(
        trade_offs,
        "replace",
        "At equal share, steering that keeps the error loses no more NDCG than the paper’s replacement.",
        "the replacement",
    )


def no_dearer_than_boosting(trade_offs: pd.DataFrame) -> Claim:
    """Beyond the paper, from the table `trade_offs`: its method "set" against "boost"."""
    return _no_dearer(
        trade_offs,
        "boost",
        "At equal share, steering that keeps the error loses no more NDCG than boosting the scores of the concept’s "
        "items.",
        "the boost",
    )


def _no_dearer(trade_offs: pd.DataFrame, other: str, statement: str, called: str) -> Claim:
    criterion = (
        f"Holds if, for at least {MOST:.0%} of the concepts, NDCG@10 loses no more on average over the levels of share "
        "that both reach."
    )
    tables = ("trade_offs",)
    wide = trade_offs.set_index(["target", "part", "method"])[["value", "change"]].unstack("method")
    both = wide["value"].reindex(columns=["set", other]).notna().all(axis=1)
    every = trade_offs["target"].nunique()
    if not both.any():
        return Claim(BEYOND, statement, criterion, "There is no share that both reach.", None, tables)
    change = wide.loc[both, "change"]
    if change[["set", other]].isna().any(axis=None):
        return Claim(BEYOND, statement, criterion, NOTHING, None, tables)
    mean = change.groupby("target", sort=False)[["set", other]].mean()
    good = mean["set"] >= mean[other] - SAME
    told = "; ".join(
        f"{row.Index} {signed(row.kept, '+.1%')} against {signed(row.others, '+.1%')}"
        for row in mean.set_axis(["kept", "others"], axis=1).itertuples()
    )
    left = f" No level is reached by both for {every - len(mean)} more." if len(mean) < every else ""
    overall = mean.mean()
    measured = (
        f"True for {int(good.sum())} of {len(good)} concepts; on average NDCG@10 changes by "
        f"{signed(overall['set'], '+.1%')} with the error kept, {signed(overall[other], '+.1%')} with {called} "
        f"({told}).{left}"
    )
    return Claim(BEYOND, statement, criterion, measured, bool(good.mean() >= MOST), tables)
