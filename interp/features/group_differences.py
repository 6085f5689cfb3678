"""Means over users in two groups, and which of them differ: intervals by resampling, p-values, false discoveries.

Axes: n and u users of the two groups, m measures, r resamples.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import scipy

from recmodels.bootstrap import Resampling, bootstrap_counts, percentile_interval


def differences(a: np.ndarray, b: np.ndarray, resampling: Resampling | None = None) -> pd.DataFrame:
    """Compare two groups of users, each user with one value of each measure.

    Users are drawn with replacement within each group. The p-value is that of Welch's t-test (Biometrika 1947), which
    allows for few users and unequal spreads; a percentile interval of fewer than about ten users is too narrow.

    Args:
        a, b: float [n, m] and [u, m].
        resampling: how intervals are made.

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
    sides = [(side.mean(axis=0), side.std(axis=0, ddof=1), len(side)) for side in (a, b)]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = scipy.stats.ttest_ind_from_stats(*sides[0], *sides[1], equal_var=False).pvalue
    p = np.where(np.isnan(p), 1.0, p)  # the same value for all users of both groups
    tested = (a != 0).any(axis=0) | (b != 0).any(axis=0)
    return pd.DataFrame({**columns, "p": p, "q": corrected(p, tested)})


def corrected(p: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """p-values [m] corrected for the number of those that were tested, bool [m]; 1 for others."""
    q = np.ones(len(p))
    if tested.any():
        q[tested] = scipy.stats.false_discovery_control(p[tested])
    return q
