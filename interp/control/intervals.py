"""Intervals over users for metrics of lists: bootstrap intervals where they are valid, jackknife intervals elsewhere.

Users are drawn with replacement, the same users for before and after; the bounds of a mean over users are percentiles
of the mean over these samples. One user alone has no bounds, because every sample would be that user. Diversity is
treated in the same way, over pairs of different users, because a user who is drawn twice would form a pair without
distance. Coverage and the Gini index are different: a sample that repeats users lists fewer items, so percentile and
basic bootstrap intervals miss the expectation, nearly always for before and after and mostly for the change. These two
get the jackknife's normal interval, estimate ± z · standard error. By the inequality of Efron and Stein (The jackknife
estimate of variance, Annals of Statistics 1981) its standard error is on average too large rather than too small.

Axes: n users, k places of a list, v items, m measures, r resamples.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from recmodels.bootstrap import Resampling, bootstrap_counts, percentile_interval
from recmodels.metrics import gini_index

CELLS = 4_000_000  # cells of resamples × items at once, so that a large catalogue fits into memory

Resampled: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Estimates [m] from all users, and from resampled users [r, m]."""
Bounds: TypeAlias = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Lower and upper bounds [m], from estimates [m] and their values on resamples [r, m]."""


def of_means(before: np.ndarray, after: np.ndarray, resampling: Resampling) -> pd.DataFrame:
    """Means over users of values [n, m], NaN where a user has none: before, after and change with bounds, m rows.

    Bounds are NaN where fewer than two users have a value.
    """
    weights = bootstrap_counts(len(before), resampling)
    sides = []
    for values in (before, after):
        defined = (~np.isnan(values)).sum(axis=0) > 1
        resampled = np.where(defined, _means(weights, values), np.nan)
        sides.append((_means(np.ones((1, len(values))), values)[0], resampled))
    return _changes(sides, _percentiles(resampling.level))


def of_diversity(before: np.ndarray, after: np.ndarray, resampling: Resampling) -> pd.DataFrame:
    """Inter-list diversity of lists int [n, k]: before, after and change with bounds, one row."""
    weights = bootstrap_counts(len(before), resampling)
    sides = [(diversity(np.ones((1, len(x))), x), diversity(weights, x)[:, None]) for x in (before, after)]
    return _changes(sides, _percentiles(resampling.level))


def of_exposure(before: np.ndarray, after: np.ndarray, n_items: int, resampling: Resampling) -> pd.DataFrame:
    """Coverage and Gini index of lists int [n, k]: before, after and change with bounds, a row each."""
    sides = [exposure_and_jackknife(lists, n_items) for lists in (before, after)]
    table = _changes(sides, _normal(resampling.level, len(before)))
    return table.assign(**table.filter(regex="^(before|after)").clip(0, 1))


def diversity(weights: np.ndarray, lists: np.ndarray) -> np.ndarray:
    """Inter-list diversity over the pairs of different users, when each user counts several times.

    Args:
        weights: [r, n], how often each user counts.
        lists: int [n, k].

    Returns:
        float [r]: Σ_{u≠v} w_u w_v (1 − cos) / Σ_{u≠v} w_u w_v; `recmodels.metrics.inter_list_diversity` where all
        weights are 1. NaN where fewer than two users count.
    """
    in_list = lists >= 0
    lengths = in_list.sum(axis=1)
    user = np.repeat(np.arange(len(lists)), lengths)
    listed, column = np.unique(lists[in_list], return_inverse=True)  # of a large catalogue, few items
    vectors = sparse.csr_array((lengths[user] ** -0.5, (user, column)), shape=(len(lists), max(len(listed), 1)))
    step = max(CELLS // vectors.shape[1], 1)
    squared = [np.square(weights[at : at + step] @ vectors).sum(axis=1) for at in range(0, len(weights), step)]
    alike = np.concatenate(squared) - np.square(weights) @ (lengths > 0)
    pairs = np.square(weights.sum(axis=1)) - np.square(weights).sum(axis=1)
    return 1 - np.divide(alike, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def exposure_and_jackknife(lists: np.ndarray, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """Coverage and Gini index of all lists, [2], and without each list in turn, [n, 2].

    Items are counted only once. Without a user, the items that only this list has are not covered. The counts of the
    list's items fall by one; taking them from the lower end of each run of equal counts keeps the order of counts, so
    the Gini index loses the terms of those places.
    """
    in_list = lists >= 0
    counts = np.bincount(lists[in_list], minlength=n_items)
    item_counts = np.where(in_list, counts[lists], 0)
    coverage = ((counts > 0).sum() - (item_counts == 1).sum(axis=1)) / n_items
    earlier = np.tri(lists.shape[1], k=-1, dtype=bool)
    place = (
        np.searchsorted(np.sort(counts), item_counts)
        + ((item_counts[:, :, None] == item_counts[:, None, :]) & earlier).sum(axis=2)
        + 1
    )
    total, remaining_places = counts.sum(), counts.sum() - in_list.sum(axis=1)
    whole = float(gini_index(counts))
    lost = np.where(in_list, 2 * place - n_items - 1, 0).sum(axis=1)
    gini = np.divide(
        whole * n_items * total - lost,
        n_items * remaining_places,
        out=np.full(len(lists), np.nan),
        where=remaining_places > 0,
    )
    return np.array([(counts > 0).mean(), whole]), np.column_stack([coverage, gini])


def _means(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weighted means [r, m] of values [n, m] over the users [r, n] for whom they are known."""
    defined = ~np.isnan(values)
    total, count = weights @ np.where(defined, values, 0), weights @ defined
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _percentiles(level: float) -> Bounds:
    return lambda _, resampled: percentile_interval(resampled, level)


def _normal(level: float, n: int) -> Bounds:
    def bounds(estimate: np.ndarray, without: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        spread = without.var(axis=0) if n > 1 else np.nan
        error = np.sqrt((n - 1) * spread) * scipy.stats.norm.ppf((1 + level) / 2)
        return estimate - error, estimate + error

    return bounds


def _changes(sides: Sequence[Resampled], bounds: Bounds) -> pd.DataFrame:
    """The nine columns, a row per measure, from what was measured before and after."""
    before, after = sides
    change = (after[0] - before[0], after[1] - before[1])
    columns: dict[str, np.ndarray] = {}
    for name, (estimate, resampled) in {"before": before, "after": after, "change": change}.items():
        low, high = bounds(estimate, resampled)
        columns |= {name: estimate, f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(columns)
