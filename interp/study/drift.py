"""Which features of a study rise or fade between two periods of histories."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from interp.activations.feature_matrix import step_features
from interp.features.activity_rates import rates
from interp.features.labels import UNLABELLED
from interp.study.study_parts import StudyParts
from recmodels.bootstrap import FEWEST
from recmodels.errors import InputError, for_terminal
from recmodels.sequences import Histories
from recmodels.wording import counted, signed

FEW = 10  # users below which intervals are too narrow
SHOWN = 10  # features of each kind
WIDTH = 80


@dataclass(frozen=True)
class Drift:
    """Features in two periods. It has a display for a terminal.

    Attributes:
        table: a row for each feature, what changed most surely first: the columns of
            `interp.features.activity_rates.rates`, label and concept (the one it is closest to).
        users: how many there are in the earlier and in the later period.
        steps: steps of each.
    """

    table: pd.DataFrame
    users: tuple[int, int]
    steps: tuple[int, int]

    @for_terminal
    def __repr__(self) -> str:
        drifting = self.table[self.table["drift"] != ""]
        few = f"\nfewer than {FEW} users in a period: intervals are too narrow" if min(self.users) < FEW else ""
        head = (
            f"before: {self.users[0]:,} users, {self.steps[0]:,} steps; after: {self.users[1]:,} users, "
            f"{self.steps[1]:,} steps{few}\n"
            f"{len(drifting)} of {len(self.table)} features drift (q ≤ 0.05 over users)"
        )
        lines = [head]
        for word in ("rises", "fades"):
            rows = drifting[drifting["drift"] == word]
            lines += [_line(row) for row in rows.head(SHOWN).itertuples()]
            if len(rows) > SHOWN:
                lines.append(f"  … and {len(rows) - SHOWN} more")
        return "\n".join(lines)


def drift(study: StudyParts, before: Any, after: Any) -> Drift:
    """Compare how often features are active in two periods; see `Study.drift`."""
    rec = study.recommender
    periods = [rec.recommender.histories(period) for period in (before, after)]
    for name, histories in zip(("before", "after"), periods, strict=True):
        if (n := histories.users.nunique()) < FEWEST:
            raise InputError(
                f"the period {name} has {counted(n, 'user')}, and of fewer than {FEWEST} nothing can be told: "
                f"make it longer"
            )
    length = rec.recommender.model.config.max_history
    windows = [histories.windows(length) for histories in periods]
    active = [step_features(rec, study.site, histories) > 0 for histories in windows]
    numbers, _ = pd.factorize(pd.Index(np.concatenate([_row_users(histories) for histories in windows])))
    first = active[0].shape[0]
    table = rates(active, (numbers[:first], numbers[first:]))
    if study.has_concepts:
        concepts = study.table("features").set_index("feature")["concept"]
        table = table.assign(
            label=[study.names[feature].shown for feature in table["feature"]], concept=table["feature"].map(concepts)
        )
    else:
        table = table.assign(label=UNLABELLED, concept="")
    table = table.sort_values(["p", "feature"], ignore_index=True)
    users = periods[0].users.nunique(), periods[1].users.nunique()
    return Drift(table, users, (first, active[1].shape[0]))


def _row_users(histories: Histories) -> np.ndarray:
    return histories.users.to_numpy().astype(object).repeat(histories.lengths)


def _line(row: Any) -> str:
    low, high = (signed(value, "+.1%") for value in (row.change_low, row.change_high))
    name = row.label if row.label != UNLABELLED else f"({row.concept})"
    text = (
        f"  {row.drift}  feature {row.feature:<6}{row.before:>6.1%} → {row.after:<6.1%} "
        f"{signed(row.change, '+.1%')} [{low}, {high}]"
    )
    return f"{text}  {name}"[:WIDTH]
