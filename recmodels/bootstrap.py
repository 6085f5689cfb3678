"""Resampling users, whose steps and lists belong together: how much a number rests on who the users are.

Axes: n users, r resamples, m measures.
"""

from dataclasses import dataclass

import numpy as np

from recmodels.errors import InputError

# Users that a verdict needs. So few may all differ in the same direction by chance, 2 / 2**n, and then every resample
# does too: of 5 users this happens once in 16 times, of 6 once in 32, which is less than once in 20.
FEWEST = 6


@dataclass(frozen=True)
class Resampling:
    """How intervals are made."""

    resamples: int = 1000
    """Bootstrap samples of the users."""
    level: float = 0.95
    """Confidence level."""
    seed: int = 0
    """The same seed gives the same intervals."""

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise InputError(f"resamples is {self.resamples}: ask for at least one")
        if not 0 < self.level < 1:
            raise InputError(f"level is {self.level}: give a share between 0 and 1, such as 0.95")


def bootstrap_counts(n: int, resampling: Resampling) -> np.ndarray:
    """How often each of n users is in each bootstrap sample, drawn with replacement: float [r, n]."""
    sample = np.random.default_rng(resampling.seed).integers(0, n, (resampling.resamples, n))
    flat = sample + n * np.arange(resampling.resamples)[:, None]
    return np.bincount(flat.ravel(), minlength=sample.size).reshape(sample.shape).astype(float)


def percentile_interval(resampled: np.ndarray, level: float = Resampling.level) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends [m] of the percentile interval of resampled values [r, m].

    Samples in which a measure is undefined (NaN) are ignored; a measure that is undefined in all of them has no bounds.
    """
    never = np.isnan(resampled).all(axis=0)
    values = np.where(never, 0, resampled)
    quantile = np.nanquantile if np.isnan(values).any() else np.quantile  # which takes all columns at once
    low, high = quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.where(never, np.nan, low), np.where(never, np.nan, high)


def is_above_zero(low: float, high: float, users: float) -> bool | None:
    """What an interval of a difference tells: True above 0, False below 0, None where it cannot tell.

    Args:
        low, high: the interval; NaN where there is none.
        users: how many it rests on; fewer than `FEWEST` cannot tell.
    """
    if users < FEWEST or not (low > 0 or high < 0):
        return None
    return bool(low > 0)
