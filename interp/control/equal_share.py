"""The cost of more of a concept: quality at equal share, interpolated on the curves of sweeps."""

from collections.abc import Sequence
from math import nan

import numpy as np
import pandas as pd

PARTS = (0.1, 0.2, 0.4, 0.6, 0.8)
REFERENCE = "replace"


def at_equal_share(
    sweeps: pd.DataFrame, measure: str = "ndcg@10", parts: Sequence[float] = PARTS, reference: str = REFERENCE
) -> pd.DataFrame:
    """Each method's quality at the same share of each target in the lists.

    **The shares.** With s₀ the target's share in the unsteered lists and s₁ the largest share of the reference method,
    the levels are s₀ + part · (s₁ − s₀). A target whose share the reference does not raise has no levels.

    **The curve** of a method goes through its points of value 0 and above, in order of the value; between two
    neighbours, share and quality are interpolated linearly. A service gets such a point, on average, if it gives each
    user one of the two neighbours at random.

    **The point** is where the curve first reaches the level from the smallest value; if the smallest value is already
    above the level, it is that point. A method whose curve stays below does not reach the level. So the value is chosen
    by the share alone, which needs no truth, and never by the quality: nothing is tuned on the held-out items of test
    users. As in the paper, test users only decide on a concept's feature, and on its neuron.

    Args:
        sweeps: columns method, target, value (NaN: the unsteered model), share and the measure; one row for each
            method, target and value. Methods may have values of their own.
        measure: the column of the quality.
        parts: of the reference's rise, each above 0.
        reference: the method that the levels come from.

    Returns:
        target, part, share (the level; NaN where there is none), method, value (interpolated likewise), the measure,
        and change (of the measure, relative to the unsteered model; NaN if that has 0). Value, measure and change are
        NaN where the method does not reach the share, or was not run for the target.
    """
    rows, methods = [], sweeps["method"].drop_duplicates()
    for target, of_target in sweeps.groupby("target", sort=False):
        plain = of_target[of_target["value"].isna()].iloc[0]
        up = of_target[of_target["value"] >= 0].sort_values("value")
        rise = up.loc[up["method"] == reference, "share"].max() - plain["share"]
        for part in parts:
            level = plain["share"] + part * rise if rise > 0 else nan
            for method in methods:
                value, quality = _first_at(up[up["method"] == method], level, measure)
                change = quality / plain[measure] - 1 if plain[measure] else nan
                row = {"target": target, "part": part, "share": level, "method": method, "value": value}
                rows.append({**row, measure: quality, "change": change})
    return pd.DataFrame(rows)


def _first_at(curve: pd.DataFrame, level: float, measure: str) -> tuple[float, float]:
    """Value and measure where the share of a curve, ordered by value, first attains a level; NaN where none does."""
    share = curve["share"].to_numpy()
    reached = np.flatnonzero(share >= level)
    if not len(reached):
        return nan, nan
    last = int(reached[0])
    first = max(last - 1, 0)
    way = (level - share[first]) / (share[last] - share[first]) if first < last else 1.0
    before, after = (curve.iloc[place][["value", measure]].to_numpy(float) for place in (first, last))
    value, quality = before + way * (after - before)
    return float(value), float(quality)
