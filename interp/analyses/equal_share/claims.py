"""Claims of this project's own about what steering costs at equal share."""

import pandas as pd

from interp.store.claim import BEYOND, NO_HITS, Claim, signed

MOST = 0.8  # of the concepts: 4 of 5
TOLERANCE = 1e-9  # a smaller difference is rounding


METHOD_NAMES = {
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


def no_dearer(equal_share: pd.DataFrame, method: str, other: str) -> Claim:
    """Beyond the paper, from the table `equal_share`: one of its methods against another."""
    statement = f"At equal share, {METHOD_NAMES[method]} loses no more NDCG than {METHOD_NAMES[other]}."
    criterion = (
        f"Holds if, for at least {MOST:.0%} of the concepts, NDCG@10 loses no more on average over the levels of share "
        "that both reach."
    )
    tables = ("equal_share",)
    wide = equal_share.set_index(["target", "part", "method"])[["value", "change"]].unstack("method")
    common = wide["value"].reindex(columns=[method, other]).notna().all(axis=1)
    n_concepts = equal_share["target"].nunique()
    if not common.any():
        return Claim(BEYOND, statement, criterion, "There is no share that both reach.", None, tables)
    change = wide.loc[common, "change"]
    if change[[method, other]].isna().any(axis=None):
        return Claim(BEYOND, statement, criterion, NO_HITS, None, tables)
    mean = change.groupby("target", sort=False)[[method, other]].mean()
    good = mean[method] >= mean[other] - TOLERANCE
    texts = "; ".join(
        f"{row.Index} {signed(row.kept, '+.1%')} against {signed(row.others, '+.1%')}"
        for row in mean.set_axis(["kept", "others"], axis=1).itertuples()
    )
    rest = f" No level is reached by both for {n_concepts - len(mean)} more." if len(mean) < n_concepts else ""
    overall = mean.mean()
    result = (
        f"True for {int(good.sum())} of {len(good)} concepts; on average NDCG@10 changes by "
        f"{signed(overall[method], '+.1%')}, against {signed(overall[other], '+.1%')} ({texts}).{rest}"
    )
    return Claim(BEYOND, statement, criterion, result, bool(good.mean() >= MOST), tables)
