"""The price of more of a concept as one number for each method, beside re-ranking, with intervals over users.

Axes: a values of a method, u users, r bootstrap samples, l levels of the share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recmodels.bootstrap import Resampling, bootstrap_counts, is_above_zero, percentile_interval

PARTS = (0.4, 0.6, 0.8)  # of the rise, over which costs are averaged
REFERENCE = "boost"
# Method, another, and how many times the other's cost the first may have: what claims compare.
PAIRS = (
    ("set", "replace", 1.0),
    ("profile", "replace", 1.0),
    ("set", "boost", 1.0),
    ("profile", "boost", 1.0),
    ("final_user", "boost", 1.1),
    ("least", "boost", 1.3),
    ("least_user", "boost", 1.3),
    ("least_user", "boost_user", 1.3),
)
HOLDS, FAILS, CANNOT_TELL = "holds", "fails", "cannot tell"
_ROUNDING = 1e-9  # a smaller difference is none


@dataclass(frozen=True)
class Curve:
    """One method's lists at rising values, user by user.

    Attributes:
        share: [a, u] share of the concept in each user's list.
        ndcg: [a, u] each user's NDCG.
    """

    share: np.ndarray
    ndcg: np.ndarray


def level_costs(
    curves: Mapping[str, Curve], levels: Sequence[float], plain: np.ndarray, resampling: Resampling | None = None
) -> dict[str, np.ndarray]:
    """What each method costs of NDCG at each level of the share.

    Users are drawn with replacement, the same ones for all methods, so that differences between methods are paired; the
    levels stay.

    Args:
        curves: by method; the first value of each is the smallest.
        levels: shares of the concept, [l].
        plain: [u] NDCG without steering.
        resampling: how users are drawn.

    Returns:
        By method, the relative change of NDCG [1 + r, l], below 0 for a loss: first of the users as they are, then of
        each sample. NaN where a level is not reached, or there is no NDCG to lose.
    """
    weights = np.concatenate([np.ones((1, len(plain))), bootstrap_counts(len(plain), resampling or Resampling())])
    base, users = (weights @ plain)[:, None], weights.sum(axis=1)[:, None]
    qualities = {
        name: _at_levels(weights @ curve.share.T / users, weights @ curve.ndcg.T, levels)
        for name, curve in curves.items()
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: np.where(base > 0, quality / base - 1, np.nan) for name, quality in qualities.items()}


def mean_costs(costs: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The mean cost of each method over all levels, and how many times that of re-ranking it is.

    Args:
        costs: `level_costs`, with `REFERENCE` among them.

    Returns:
        method; cost (relative change of NDCG) and ratio (to the reference's cost), each with _low and _high (95%).
        NaN where a level is not reached, or the reference costs nothing. Samples without the number are left out.
    """
    means = {name: changes.mean(axis=1) for name, changes in costs.items()}
    reference, rows = means[REFERENCE], []
    for name, cost in means.items():
        ratio = np.divide(cost, reference, out=np.full_like(cost, np.nan), where=reference < 0)
        rows.append({"method": name, **_bounded("cost", cost), **_bounded("ratio", ratio)})
    return pd.DataFrame(rows)


def cost_differences(
    costs: Mapping[str, np.ndarray], users: int, pairs: Sequence[tuple[str, str, float]] = PAIRS
) -> pd.DataFrame:
    """How much less one method costs than so many times another, over the levels that both reach.

    Unlike a ratio, the difference is defined where the other costs nothing or gains; as much as it gains is then asked.

    Args:
        costs: `level_costs`.
        users: how many they are of.
        pairs: method, other, times.

    Returns:
        method, other, times; levels (how many both reach); cost and other_cost (their mean changes of NDCG there);
        difference (cost − times · other_cost, or − other_cost where that is above 0; it is above 0 where the method is
        the cheaper one), low and high (95%, paired over users); verdict (`verdict`). Samples in which a level is not
        reached are left out.
    """
    rows = []
    for method, other, times in pairs:
        both = np.isfinite(costs[method][0]) & np.isfinite(costs[other][0])
        own, others = (
            costs[name][:, both].mean(axis=1) if both.any() else np.full(len(costs[name]), np.nan)
            for name in (method, other)
        )
        row = _bounded("difference", own - np.minimum(others, times * others))
        low, high = row["difference_low"], row["difference_high"]
        about = {"method": method, "other": other, "times": times, "levels": int(both.sum())}
        means = {"cost": own[0], "other_cost": others[0], "difference": row["difference"]}
        rows.append({**about, **means, "low": low, "high": high, "verdict": verdict(low, high, users)})
    return pd.DataFrame(rows)


def verdict(low: float, high: float, users: int) -> str:
    """Whether a method costs at most what it may: `CANNOT_TELL` if the interval of the difference has 0 in it.

    A bound of 0 tells nothing either: if few users have a hit, many resamples have none of those who differ.
    """
    return {True: HOLDS, False: FAILS, None: CANNOT_TELL}[is_above_zero(low - _ROUNDING, high + _ROUNDING, users)]


def _bounded(name: str, values: np.ndarray) -> dict[str, float]:
    """The value of the users as they are, and the interval of the samples; NaN where the former is."""
    low, high = percentile_interval(values[1:]) if np.isfinite(values[0]) else (np.nan, np.nan)
    return {name: float(values[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def _at_levels(share: np.ndarray, quality: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Quality [r, l], each read where the share [r, a] first attains the level, interpolated linearly."""
    rows, columns = np.arange(len(share)), []
    for level in levels:
        reached = share >= level
        last = reached.argmax(axis=1)
        first = np.maximum(last - 1, 0)
        rise = share[rows, last] - share[rows, first]
        way = np.divide(level - share[rows, first], rise, out=np.ones(len(share)), where=rise > 0)
        value = quality[rows, first] + way * (quality[rows, last] - quality[rows, first])
        columns.append(np.where(reached.any(axis=1), value, np.nan))
    return np.stack(columns, axis=1)
