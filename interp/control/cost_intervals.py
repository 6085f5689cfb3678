"""The price of more of a concept as one number for each method, beside re-ranking, with intervals over users.

Axes: a values of a method, u users, r bootstrap samples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recmodels.bootstrap import Resampling, bootstrap_counts, percentile_interval

PARTS = (0.4, 0.6, 0.8)  # of the rise, over which costs are averaged
REFERENCE = "boost"


@dataclass(frozen=True)
class Curve:
    """One method's lists at rising values, user by user.

    Attributes:
        share: [a, u] share of the concept in each user's list.
        ndcg: [a, u] each user's NDCG.
    """

    share: np.ndarray
    ndcg: np.ndarray


def mean_costs(
    curves: Mapping[str, Curve], levels: Sequence[float], plain: np.ndarray, resampling: Resampling | None = None
) -> pd.DataFrame:
    """What each method costs of NDCG, as a mean over levels of the share, and how that compares with re-ranking.

    Users are drawn with replacement, the same ones for all methods; the levels stay. Levels that a method does not
    reach in a sample leave the sample without a cost.

    Args:
        curves: by method, with `REFERENCE` among them; the first value of each is the smallest.
        levels: shares of the concept.
        plain: [u] NDCG without steering.
        resampling: how intervals are made.

    Returns:
        method; cost (relative change of NDCG, below 0 for a loss) and ratio (to the reference's cost), each with _low
        and _high. NaN where a level is not reached, or the reference costs nothing.
    """
    resampling = resampling or Resampling()
    weights = np.concatenate([np.ones((1, len(plain))), bootstrap_counts(len(plain), resampling)])
    base = weights @ plain
    costs = {
        name: _at_levels(weights @ curve.share.T / weights.sum(axis=1)[:, None], weights @ curve.ndcg.T, levels)
        for name, curve in curves.items()
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = {name: np.where(base > 0, cost / base - 1, np.nan) for name, cost in costs.items()}
        reference = changes[REFERENCE]
        ratios = {name: np.where(reference < 0, change / reference, np.nan) for name, change in changes.items()}
    rows = []
    for name in curves:
        row: dict[str, object] = {"method": name}
        for column, values in (("cost", changes[name]), ("ratio", ratios[name])):
            known = values[1:] if not np.isnan(values[0]) else np.full_like(values[1:], np.nan)
            low, high = percentile_interval(known, resampling.level)
            row |= {column: values[0], f"{column}_low": float(low), f"{column}_high": float(high)}
        rows.append(row)
    return pd.DataFrame(rows)


def _at_levels(share: np.ndarray, quality: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Mean quality [r] over the levels, each read where the share [r, a] first attains it, interpolated linearly."""
    rows, total = np.arange(len(share)), np.zeros(len(share))
    for level in levels:
        reached = share >= level
        last = reached.argmax(axis=1)
        first = np.maximum(last - 1, 0)
        rise = share[rows, last] - share[rows, first]
        way = np.divide(level - share[rows, first], rise, out=np.ones(len(share)), where=rise > 0)
        value = quality[rows, first] + way * (quality[rows, last] - quality[rows, first])
        total += np.where(reached.any(axis=1), value, np.nan)
    return total / len(levels)
