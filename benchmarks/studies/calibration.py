"""What lists that follow the users' own past mixes cost, by steering and by re-ranking, at equal miscalibration.

    python benchmarks/studies/calibration.py artifacts/ml-1m artifacts/reference/ml-1m

takes a part of the mean miscalibration of the test users away in three ways: by the steers of `study.calibrate`; by the
greedy re-ranking of Steck (RecSys 2018) with one strength for all users; and by the same with a strength for each user,
chosen by the rule that chooses the amounts of steers. Re-ranking sees all items, or each user's best 100. Whether it
reads scores or probabilities is chosen on users held out of the SAE part. Prints the table and writes
`calibration.csv`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import interp
from interp.control.calibration import calibrated_lists, concept_weights, list_mix, miscalibration, past_mix
from interp.control.mix_trials import mix_trials
from interp.control.score_equations import LastStates
from interp.control.user_amounts import price_for
from recmodels.bootstrap import Resampling, bootstrap_counts, percentile_interval
from recmodels.metrics import user_ndcg

PARTS = (0.2, 0.4, 0.5, 0.6)
STRENGTHS = {
    "scores": (0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    "probabilities": (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.15, 0.3),
}
CANDIDATES = (None, 100)
STEERED, ONE, EACH = "steering, amounts for each user", "re-ranking, one strength", "re-ranking, a strength for each"


def measured(study: interp.Study, part: str, units: Sequence[str] = tuple(STRENGTHS)) -> pd.DataFrame:
    """A row for each method and part of the miscalibration: part, method, unit, and user by user far and ndcg."""
    rec = study.recommender
    inputs, truth = study.users(part).split_last()
    weights = concept_weights(study.concepts.labels(rec.recommender.vocabulary.ids))
    steers = {name: study.least_collateral(name) for name in study.table("least_collateral")["concept"].unique()}
    states, past = LastStates.of(rec, inputs), past_mix(inputs, weights)
    plain = rec.rank(inputs)
    start = np.nan_to_num(miscalibration(past, list_mix(plain, weights)))
    rows = [{"part": 0.0, "method": "neither", "unit": "", "far": start, "ndcg": user_ndcg(plain, truth)}]

    def note(method: str, unit: str, lists: np.ndarray, shared: bool = False) -> None:
        far = np.nan_to_num(miscalibration(past, list_mix(lists, weights)))
        ndcg, expected = np.stack([user_ndcg(some, truth) for some in lists]), states.expected_ndcg(lists)
        for asked in PARTS:
            level = (1 - asked) * start.mean()
            pair = _shared(far, ndcg, level) if shared else _each(far, ndcg, expected, level)
            if pair is not None:
                rows.append({"part": asked, "method": method, "unit": unit, "far": pair[0], "ndcg": pair[1]})

    note(STEERED, "", mix_trials(rec, steers, inputs, weights).lists)
    for unit in units:
        values = states.probabilities if unit == "probabilities" else states.scores / states.unit
        left = values.masked_fill(states.own, -torch.inf)
        for candidates in CANDIDATES if len(units) == 1 else (None,):
            if candidates is not None:
                left = left.masked_fill(left < left.topk(candidates, dim=1).values[:, -1:], -torch.inf)
            lists = calibrated_lists(left, weights, past, STRENGTHS[unit])
            where = "all items" if candidates is None else f"best {candidates}"
            note(f"{ONE}, {where}", unit, lists, shared=True)
            note(f"{EACH}, {where}", unit, lists)
    return pd.DataFrame(rows)


def _shared(far: np.ndarray, ndcg: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Each user's values where the mean miscalibration first falls to a level, between two strengths by chance."""
    reached = np.flatnonzero(far.mean(axis=1) <= level + 1e-9)
    if not len(reached):
        return None
    last, first = int(reached[0]), max(int(reached[0]) - 1, 0)
    fall = far[first].mean() - far[last].mean()
    way = (far[first].mean() - level) / fall if fall > 0 else 1.0
    return (1 - way) * far[first] + way * far[last], (1 - way) * ndcg[first] + way * ndcg[last]


def _each(
    far: np.ndarray, ndcg: np.ndarray, expected: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray] | None:
    price, place = price_for(expected, -far, -level)
    users = np.arange(far.shape[1])
    return None if np.isinf(price) else (far[place, users], ndcg[place, users])


def better_unit(rows: pd.DataFrame) -> str:
    """What re-ranking does best to read: the unit with the larger mean NDCG over methods and parts."""
    rows = rows[rows["unit"] != ""]
    return str(rows["ndcg"].map(np.mean).groupby(rows["unit"]).mean().idxmax())


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """part, method, unit, miscalibration and change of NDCG, relative to the unsteered one, with intervals."""
    resampling = Resampling()
    plain = rows.iloc[0]["ndcg"]
    weights = np.concatenate([np.ones((1, len(plain))), bootstrap_counts(len(plain), resampling)])
    table = []
    for row in rows.itertuples():
        line = {"part": row.part, "method": row.method, "unit": row.unit}
        far = weights @ row.far / weights.sum(axis=1)
        change = (weights @ row.ndcg) / (weights @ plain) - 1
        for name, values in (("miscalibration", far), ("ndcg_change", change)):
            low, high = percentile_interval(values[1:], resampling.level)
            line |= {name: values[0], f"{name}_low": float(low), f"{name}_high": float(high)}
        table.append(line)
    return pd.DataFrame(table).sort_values("part", kind="stable").round(4)


def main() -> None:
    """Choose units on held-out users, measure on test users, print and write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("study", type=Path)
    options.add_argument("to", type=Path)
    asked = options.parse_args()
    study = interp.open(asked.study)
    held_out = measured(study, "sae_validation")
    print(summary(held_out).to_string(index=False), "\n", flush=True)
    table = summary(measured(study, "test", (better_unit(held_out),)))
    print(table.to_string(index=False))
    table.to_csv(asked.to / "calibration.csv", index=False)


if __name__ == "__main__":
    main()
