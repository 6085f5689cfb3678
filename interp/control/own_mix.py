"""Users' own past mixes of concepts as the goal of a dose: lists that are made of what the user's history is made of.

`study.calibrate()` is the short form. Each user gets amounts of the concepts' least-collateral steers, up or down; who
pays least for a list closer to the past goes furthest (`interp.control.mix_trials`). What miscalibration is, and the
re-ranking that it is compared with, is in `interp.control.calibration`.

Axes: u users, c concepts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.control.calibration import concept_weights, past_mix
from interp.control.intervals import of_means
from interp.control.least_collateral import LeastCollateral
from interp.control.mix_trials import mix_trials
from interp.control.popularity import by_code
from interp.control.receipts import Receipt, receipt
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError, for_terminal, quote
from recmodels.scalars import as_number, whole_number
from recmodels.wording import counted, with_interval


@dataclass(frozen=True)
class Calibration:
    """A steer that brings each user's list closer to the mix of the user's own past, with its receipt.

    Attributes:
        by: which part of the mean miscalibration was asked to go.
        steer: the argument for `rec.steer`, with values by user; it leaves out users who need no steering.
        users: user, before and after (miscalibration of the list; NaN where no concept of the past is known),
            n_concepts (that are turned).
        miscalibration: its mean over users as in a receipt: before, after and change with their bounds, one row.
        amounts: of the least-collateral steers, indexed by user, a column for each concept.
        receipt: what the steer changes, on these users; no concept is a target, because each user has targets of
            their own.
    """

    by: float
    steer: Steer
    users: pd.DataFrame
    miscalibration: pd.DataFrame
    amounts: pd.DataFrame
    receipt: Receipt

    @property
    def reached(self) -> bool:
        """Whether the mean miscalibration fell by as much as was asked."""
        row = self.miscalibration.iloc[0]
        return bool(row["after"] <= (1 - self.by) * row["before"] + 1e-9)

    @property
    def answer(self) -> str:
        """The answer in one sentence."""
        row, n = self.miscalibration.iloc[0], len(self.users)
        change = with_interval(row["change"], row["change_low"], row["change_high"], "+.3f")
        return (
            f"miscalibration of the top {self.receipt.k}, mean of {counted(n, 'user')}: {row['before']:.3f} → "
            f"{row['after']:.3f} (change {change}), "
            f"{(self.users['n_concepts'] > 0).sum()} of them steered"
            f"{'' if self.reached else f'; out of reach: {self.by:.0%} less was asked for'}"
        )

    @for_terminal
    def __repr__(self) -> str:
        return f"{self.answer}\nreceipt, on the same users: {self.receipt!r}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.answer)}</p><p>receipt, on the same users:</p>{self.receipt._repr_html_()}"


def calibrate(
    rec: RecommenderEnvoy,
    steers: Mapping[str, LeastCollateral],
    concepts: Concepts,
    popularity: pd.Series,
    histories: Any,
    by: float = 0.5,
    k: int = 10,
) -> Calibration:
    """Amounts of the concepts' steers for each user, so that lists come closer to the users' own past mixes.

    Args:
        rec: the recommender with the dictionary attached.
        steers: by concept, all at one site; concepts without one are not turned.
        concepts: what the mixes are made of.
        popularity: training interactions by item id.
        histories: the users, in any form. The last item of each is held out, unless one has no other; it plays no part.
        by: the part of the mean miscalibration that is to go.
        k: list length.

    Raises:
        InputError: no histories, two of one user, no steers, no user of whose past a concept is known, or a part that
            makes no sense.
    """
    part = as_number(by)
    if part is None or not 0 < part <= 1:
        raise InputError(f"by is {quote(by)}: give the part of the miscalibration that is to go, such as 0.5")
    k = whole_number("k", k, most=len(rec.recommender.vocabulary))
    if not steers:
        raise InputError("there are no concepts to turn: give the items of the study an attribute")
    inputs, truth = rec.recommender.histories(histories), None
    if not len(inputs) or not inputs.users.is_unique:
        raise InputError("a past mix needs users: give at least one history, and one for each user")
    if (inputs.lengths > 1).all():
        inputs, truth = inputs.split_last()
    labels = concepts.labels(rec.recommender.vocabulary.ids)
    weights = concept_weights(labels)
    known = past_mix(inputs, weights).any(axis=1)
    trials = mix_trials(rec, steers, inputs, weights, k)
    users, rounds = np.arange(len(inputs)), trials.closest(part)
    amounts, after = trials.amounts[rounds, users], trials.lists[rounds, users]
    far = [np.where(known, trials.miscalibration[place, users], np.nan) for place in (0, rounds)]
    return Calibration(
        part,
        _steer(steers, inputs.users, amounts),
        pd.DataFrame(
            {"user": inputs.users, "before": far[0], "after": far[1], "n_concepts": (amounts != 0).sum(axis=1)}
        ),
        of_means(far[0][:, None], far[1][:, None], Resampling()),
        pd.DataFrame(amounts, index=inputs.users.rename("user"), columns=list(steers)),
        receipt(
            trials.lists[0],
            after,
            labels,
            concepts.names,
            by_code(popularity, rec.recommender.vocabulary),
            truth,
            ids=rec.recommender.vocabulary.ids,
        ),
    )


def _steer(steers: Mapping[str, LeastCollateral], users: pd.Index, amounts: np.ndarray) -> Steer:
    """One steer with each user's sum of what the concepts' steers add at the user's amounts."""
    first = next(iter(steers.values()))
    table = pd.concat({name: steer.weights for name, steer in steers.items()}, axis=1).fillna(0.0)  # [feature, c]
    values = amounts @ table[list(steers)].to_numpy().T
    steered = amounts.any(axis=1)
    labels = users.tolist()
    edits = tuple(
        Edit(int(feature), {labels[u]: float(column[u]) for u in np.flatnonzero(steered)}, "add")
        for feature, column in zip(table.index, values.T, strict=True)
        if column.any()
    )
    return Steer(edits, first.site, dictionary=first.dictionary)
