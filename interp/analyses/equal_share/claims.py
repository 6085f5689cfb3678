"""Claims of this project's own about what steering costs at equal share."""

import pandas as pd

from interp.control.cost_intervals import REFERENCE
from interp.store.claim import BEYOND, NO_HITS, Claim
from recmodels.wording import signed

MOST = 0.8  # of the concepts: 4 of 5
TOLERANCE = 1e-9  # a smaller difference is rounding


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


def feature_against_replacement(equal_share_table: pd.DataFrame) -> Claim:
    """Beyond the paper: the top feature set, with the error kept, against the paper's replacement."""
    return no_dearer(equal_share_table, "set", "replace")


def profile_against_replacement(equal_share_table: pd.DataFrame) -> Claim:
    """Beyond the paper: a concept's profile against the paper's replacement."""
    return no_dearer(equal_share_table, "profile", "replace")


def profile_against_boost(equal_share_table: pd.DataFrame, steering_cost_table: pd.DataFrame) -> Claim:
    """Beyond the paper: a concept's profile against re-ranking."""
    return no_dearer(equal_share_table, "profile", REFERENCE, steering_cost_table)


def user_steer_against_boost(steering_cost_table: pd.DataFrame) -> Claim:
    """Beyond the paper: each user's own least-collateral move of the last hidden state, against re-ranking."""
    return at_most_times(steering_cost_table, "final_user", "boost", 1.1)


def shared_features_against_boost(steering_cost_table: pd.DataFrame) -> Claim:
    """Beyond the paper: 20 features and one amount for all users, against re-ranking."""
    return at_most_times(steering_cost_table, "least", "boost", 1.3)


def shared_features_by_user_against_boost(steering_cost_table: pd.DataFrame) -> Claim:
    """Beyond the paper: 20 features for all users with an amount for each, against re-ranking."""
    return at_most_times(steering_cost_table, "least_user", "boost", 1.3)


def shared_features_by_user_against_boost_by_user(steering_cost_table: pd.DataFrame) -> Claim:
    """Beyond the paper: the same, against re-ranking that gives each user an amount by the same rule."""
    return at_most_times(steering_cost_table, "least_user", "boost_user", 1.3)


def at_most_times(steering_cost: pd.DataFrame, method: str, other: str, most: float) -> Claim:
    """Beyond the paper, from the table `steering_cost`: one method costs at most so many times as much as another."""
    statement = (
        f"At equal share, {METHOD_NAMES[method]} loses at most {most:g} times as much NDCG as {METHOD_NAMES[other]}."
    )
    criterion = (
        f"Holds if, for at least {MOST:.0%} of the concepts, the mean loss of NDCG@10 over 40, 60 and 80% of the rise "
        f"of the share is at most {most:g} times that of the other."
    )
    if other == REFERENCE:
        criterion += " Cannot tell if the intervals of the ratios (users resampled) allow both verdicts."
    tables = ("steering_cost",)
    cost = steering_cost.pivot(index="target", columns="method", values="cost").reindex(columns=[method, other])
    known = cost.dropna()
    if known.empty:
        return Claim(BEYOND, statement, criterion, "There is no share that both reach.", None, tables)
    good = known[method] >= most * known[other] - TOLERANCE
    texts = "; ".join(
        f"{target} {signed(own, '+.1%')} against {signed(others, '+.1%')}"
        for target, own, others in known.itertuples(name=None)
    )
    rest = f" Not all levels are reached by both for {len(cost) - len(known)} more." if len(known) < len(cost) else ""
    mean = known.mean()
    result = (
        f"True for {int(good.sum())} of {len(good)} concepts; on average NDCG@10 changes by "
        f"{signed(mean[method], '+.1%')}, against {signed(mean[other], '+.1%')} ({texts}).{rest}"
    )
    if other == REFERENCE and _is_unclear(steering_cost, method, most):
        return Claim(BEYOND, statement, criterion, result, None, tables, unclear=True)
    return Claim(BEYOND, statement, criterion, result, bool(good.mean() >= MOST), tables)


def _is_unclear(steering_cost: pd.DataFrame, method: str, most: float) -> bool:
    """Whether the verdict differs between the lower and the upper ends of the ratios to re-ranking."""
    rows = steering_cost[steering_cost["method"] == method].dropna(subset=["ratio_low", "ratio_high"])
    verdicts = {bool((rows[end] <= most).mean() >= MOST) for end in ("ratio_low", "ratio_high")}
    return len(rows) > 0 and len(verdicts) > 1


def no_dearer(equal_share: pd.DataFrame, method: str, other: str, steering_cost: pd.DataFrame | None = None) -> Claim:
    """Beyond the paper, from the table `equal_share`: one of its methods against another.

    With the table `steering_cost`, whose ratios to re-ranking have intervals, the claim may be unclear.
    """
    statement = f"At equal share, {METHOD_NAMES[method]} loses no more NDCG than {METHOD_NAMES[other]}."
    criterion = (
        f"Holds if, for at least {MOST:.0%} of the concepts, NDCG@10 loses no more on average over the levels of share "
        "that both reach."
    )
    tables: tuple[str, ...] = ("equal_share",)
    if steering_cost is not None:
        criterion += (
            " Cannot tell if the intervals of the ratios of the losses at 40, 60 and 80% of the rise (users resampled) "
            "allow both verdicts."
        )
        tables = ("equal_share", "steering_cost")
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
    if steering_cost is not None and _is_unclear(steering_cost, method, 1):
        return Claim(BEYOND, statement, criterion, result, None, tables, unclear=True)
    return Claim(BEYOND, statement, criterion, result, bool(good.mean() >= MOST), tables)
