"""Users' own past mixes of concepts as the goal of a dose: lists that are made of what the user's history is made of.

`study.calibrate()` is the short form. Each user gets amounts of the concepts' least-collateral steers, up or down; who
pays least for a list closer to the past goes furthest (`interp.control.user_amounts`). What miscalibration is, and the
re-ranking that it is compared with, is in `interp.control.calibration`.

Axes: r rounds, t trials, u users, b users of a batch, k places of a list, v items, c concepts, d hidden size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from interp.concepts import Concepts
from interp.control.calibration import concept_weights, list_mix, miscalibration, past_mix
from interp.control.intervals import of_means
from interp.control.least_collateral import LeastCollateral
from interp.control.popularity import by_code
from interp.control.receipts import Receipt, receipt
from interp.control.score_equations import LastStates
from interp.control.steered_lists import last_step_lists
from interp.control.user_amounts import price_for
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError, for_terminal, quote
from recmodels.scalars import as_number, whole_number
from recmodels.sequences import Histories
from recmodels.steady import steady

STEPS = (-1.0, -0.3, 0.3, 1.0)  # by which the amount of each concept is changed in a round
ROUNDS = 10  # changes of a user's amounts, at most
CHEAP = 1e-3  # a change that costs less of the expected NDCG counts as one that costs this
USERS = 32  # per pass


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
        return (
            f"miscalibration of the top {self.receipt.k}, mean of {n} user{'s' * (n != 1)}: {row['before']:.3f} → "
            f"{row['after']:.3f} (change {row['change']:+.3f} [{row['change_low']:+.3f}, {row['change_high']:+.3f}]), "
            f"{(self.users['n_concepts'] > 0).sum()} of them steered"
            f"{'' if self.reached else f'; out of reach: {self.by:.0%} less was asked for'}"
        )

    @for_terminal
    def __repr__(self) -> str:
        return f"{self.answer}\nreceipt, on the same users: {self.receipt!r}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.answer)}</p><p>receipt, on the same users:</p>{self.receipt._repr_html_()}"


@dataclass(frozen=True)
class MixTrials:
    """The lists that were found on the way of each user towards the past mix, the unsteered ones first.

    Attributes:
        amounts: [r, u, c].
        lists: int [r, u, k].
        miscalibration: [r, u], never rising along r.
        expected: [r, u] NDCG as the unsteered recommender expects it.
    """

    amounts: np.ndarray
    lists: np.ndarray
    miscalibration: np.ndarray
    expected: np.ndarray

    def closest(self, by: float) -> np.ndarray:
        """The round of each user, int [u], so that a part of the mean miscalibration goes at the least expected cost;
        if no rounds do that, those of the lists that are closest."""
        level = (1 - by) * self.miscalibration[0].mean()
        return price_for(self.expected, -self.miscalibration, -level)[1]


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


@steady()
@torch.no_grad()
def mix_trials(
    rec: RecommenderEnvoy, steers: Mapping[str, LeastCollateral], inputs: Histories, weights: np.ndarray, k: int = 10
) -> MixTrials:
    """Each user's way towards the mix of their past: in each round, one concept's amount changes by one of `STEPS`.

    It is the change that brings the list closest for what it costs of the NDCG that the unsteered recommender expects.
    The way ends where no change brings the list closer, or after `ROUNDS`.

    Args:
        rec: the recommender with the dictionary attached.
        steers: by concept, all at one site.
        inputs: the users' histories, without anything held out; their concepts are the goal.
        weights: [v, c] of `concept_weights`.
        k: list length.

    Raises:
        InputError: no concept is known of anybody's past.
    """
    past = past_mix(inputs, weights)
    if not past.any():
        raise InputError("no item of these histories has a concept: there is no past mix to come close to")
    site = next(iter(steers.values())).site
    directions = rec.site(site).sae.directions.detach()
    moves = torch.stack(
        [
            torch.from_numpy(steer.weights.to_numpy()).to(directions) @ directions[steer.weights.index.to_numpy()]
            for steer in steers.values()
        ]
    )
    parts, start = [], 0
    with tqdm(total=len(inputs), desc="calibration", unit="user", leave=False) as bar:
        for batch in inputs.batches(USERS):
            parts.append(_way(rec, batch, site, moves, past[start : start + len(batch)], weights, k))
            start += len(batch)
            bar.update(len(batch))
    return MixTrials(*(np.concatenate(values, axis=1) for values in zip(*parts, strict=True)))


def _way(
    rec: RecommenderEnvoy, batch: Histories, site: str, moves: Tensor, past: np.ndarray, weights: np.ndarray, k: int
) -> tuple[np.ndarray, ...]:
    """Amounts [r, b, c], lists [r, b, k], miscalibration [r, b] and expected NDCG [r, b] of each round."""
    states, hidden = LastStates.of(rec, batch), rec.hidden(batch, site)
    changes = np.concatenate([step * np.eye(len(moves)) for step in STEPS])[:, None]
    users = np.arange(len(batch))

    def measured(amounts: np.ndarray) -> tuple[np.ndarray, ...]:
        last = hidden[:, -1:] + (torch.from_numpy(amounts).to(moves) @ moves).transpose(0, 1)
        lists = last_step_lists(rec, batch, site, hidden, last, k)
        far = np.nan_to_num(miscalibration(past, list_mix(lists, weights)))
        return amounts, lists, far, states.expected_ndcg(lists)

    now = tuple(values[0] for values in measured(np.zeros((1, len(batch), len(moves)))))
    way = [now]
    for _ in range(ROUNDS):
        trials = measured(now[0] + changes)
        closer, cost = now[2] - trials[2], np.maximum(now[3] - trials[3], CHEAP)
        best = np.where(closer > 1e-9, closer / cost, 0).argmax(axis=0)
        moved = closer[best, users] > 1e-9
        now = tuple(
            np.where(moved.reshape(-1, *[1] * (old.ndim - 1)), new[best, users], old)
            for old, new in zip(now, trials, strict=True)
        )
        way.append(now)
    return tuple(np.stack(values) for values in zip(*way, strict=True))


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
