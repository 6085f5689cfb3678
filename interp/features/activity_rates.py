"""Features that rise or fade between two periods, under the same recommender.

A feature's rate in a period is the share of all users' steps on which it is active. Users are drawn with replacement,
each with all steps of both periods, because the steps of one user belong together and a user may be in both periods.

Axes: n steps, u users, f features, r resamples.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from recmodels.bootstrap import Resampling, bootstrap_counts, percentile_interval

FALSE_DISCOVERIES = 0.05  # expected share of changes that are chance (Benjamini and Hochberg 1995)


def rates(
    active: Sequence[sparse.csr_array], users: Sequence[np.ndarray], resampling: Resampling | None = None
) -> pd.DataFrame:
    """How often each feature is active in two periods.

    Args:
        active: bool [n, f] of the earlier and of the later period, with numbers of steps of their own.
        users: int [n] of each, the number of each step's user, from 0; a user has the same number in both.
        resampling: how intervals are made.

    Returns:
        A row for each feature: feature; before and after, the rates; before_low, before_high and so on, their
        intervals; change (after less before) with its own; p (two-sided, that the change is 0: normal, by the standard
        error over resamples) and q (p corrected for the number of features, Benjamini and Hochberg); drift: "rises",
        "fades", or "" where q is above 0.05. Features that are never active have p = q = 1.
    """
    resampling = resampling or Resampling()
    count = 1 + max(int(own.max(initial=-1)) for own in users)
    weights = bootstrap_counts(count, resampling)
    sides = []
    for matrix, own in zip(active, users, strict=True):
        by_user = sparse.csr_array((np.ones(len(own)), (own, np.arange(len(own)))), (count, len(own)))
        counts, steps = sparse.csr_array(by_user @ matrix.astype(np.float64)), by_user.sum(axis=1)
        resampled_steps = weights @ steps
        ratio = (weights @ counts) / np.where(resampled_steps > 0, resampled_steps, np.nan)[:, None]
        sides.append((counts.sum(axis=0) / steps.sum(), ratio))
    (before, before_resampled), (after, after_resampled) = sides
    change, resampled = after - before, after_resampled - before_resampled
    error = np.nanstd(resampled, axis=0)
    p = np.where(error > 0, 2 * scipy.stats.norm.sf(np.abs(change) / np.where(error > 0, error, 1)), 1.0)
    tested = (before > 0) | (after > 0)
    q = np.ones(len(p))
    if tested.any():
        q[tested] = scipy.stats.false_discovery_control(p[tested])
    columns: dict[str, np.ndarray] = {"feature": np.arange(len(p))}
    values = {"before": (before, before_resampled), "after": (after, after_resampled), "change": (change, resampled)}
    for name, (estimate, draws) in values.items():
        low, high = percentile_interval(draws, resampling.level)
        columns |= {name: estimate, f"{name}_low": low, f"{name}_high": high}
    table = pd.DataFrame({**columns, "p": p, "q": q})
    return table.assign(drift=np.where(q > FALSE_DISCOVERIES, "", np.where(change > 0, "rises", "fades")))
