"""Means over users in two groups, and which of them differ: intervals by resampling, p-values, false discoveries.

Axes: n and u users of the two groups, m measures, r resamples, p permutations.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import scipy

from recmodels.bootstrap import Resampling, bootstrap_counts, percentile_interval

COLUMNS = [name + end for name in ("a", "b", "difference") for end in ("", "_low", "_high")] + ["p", "q"]
PERMUTATIONS = 9_999
_AT_ONCE = 1_000  # permutations
ROUNDING = 1e-9  # of a difference, relative to the largest value


def differences(
    a: np.ndarray, b: np.ndarray, resampling: Resampling | None = None, permutations: int = PERMUTATIONS
) -> pd.DataFrame:
    """Compare two groups of users, each user with one value of each measure.

    Users are drawn with replacement within each group; a percentile interval of fewer than about ten users is too
    narrow. The p-value is that of a permutation test: how often users who are drawn at random into groups of these
    sizes differ as much. It holds for any number of users and any spread, also for features that few users have, where
    a t-test of five users against forty finds differences in nearly every table of chance.

    Args:
        a, b: float [n, m] and [u, m].
        resampling: how intervals are made; its seed is that of the permutations too.
        permutations: how many.

    Returns:
        A row for each measure: a, a_low, a_high, b, b_low, b_high, difference (a less b) with its own bounds, p, and q
        (p corrected for the number of measures that are not 0 for all users; Benjamini and Hochberg 1995).
    """
    resampling = resampling or Resampling()
    draws = [
        bootstrap_counts(len(values), replace(resampling, seed=resampling.seed + place)) @ values / len(values)
        for place, values in enumerate((a, b))
    ]
    values = {"a": (a.mean(axis=0), draws[0]), "b": (b.mean(axis=0), draws[1])}
    values["difference"] = (values["a"][0] - values["b"][0], draws[0] - draws[1])
    columns: dict[str, np.ndarray] = {}
    for name, (estimate, resampled) in values.items():
        low, high = percentile_interval(resampled, resampling.level)
        columns |= {name: estimate, f"{name}_low": low, f"{name}_high": high}
    p = permutation_p(a, b, permutations, resampling.seed)
    tested = (a != 0).any(axis=0) | (b != 0).any(axis=0)
    return pd.DataFrame({**columns, "p": p, "q": corrected(p, tested)})


def permutation_p(a: np.ndarray, b: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0) -> np.ndarray:
    """Two-sided p-values [m] of a difference in means between two groups, [n, m] and [u, m], by permuting their users.

    The share of the permutations, the actual one among them, whose difference is as large: at least 1 / (p + 1).
    """
    pooled, n = np.concatenate([a, b]), len(a)
    total, rounding = pooled.sum(axis=0), ROUNDING * np.abs(pooled).max(initial=0)

    def difference(of_first: np.ndarray) -> np.ndarray:
        return np.abs(of_first / n - (total - of_first) / len(b))

    actual, reached = difference(a.sum(axis=0)), np.ones(pooled.shape[1])
    rng, labels = np.random.default_rng(seed), np.repeat([1.0, 0.0], [n, len(b)])
    for start in range(0, permutations, _AT_ONCE):
        drawn = np.tile(labels, (min(_AT_ONCE, permutations - start), 1))
        reached += (difference(rng.permuted(drawn, axis=1) @ pooled) >= actual - rounding).sum(axis=0)
    return reached / (permutations + 1)


def corrected(p: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """p-values [m] corrected for the number of those that were tested, bool [m]; 1 for others."""
    q = np.ones(len(p))
    if tested.any():
        q[tested] = scipy.stats.false_discovery_control(p[tested])
    return q
