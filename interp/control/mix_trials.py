"""The search for amounts of the concepts' steers that bring each user's list closer to the mix of the user's past.

Axes: r rounds, t trials, u users, b users of a batch, k places of a list, v items, c concepts, d hidden size.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from interp.control.calibration import list_mix, miscalibration, past_mix
from interp.control.least_collateral import LeastCollateral
from interp.control.score_equations import LastStates
from interp.control.steered_lists import last_step_lists
from interp.control.user_amounts import price_for
from interp.model.envoys import RecommenderEnvoy
from recmodels.errors import InputError
from recmodels.progress import tqdm
from recmodels.sequences import Histories
from recmodels.steady import steady

STEPS = (-1.0, -0.3, 0.3, 1.0)  # by which the amount of each concept is changed in a round
ROUNDS = 10  # changes of a user's amounts, at most
CHEAP = 1e-3  # a change that costs less of the expected NDCG counts as one that costs this
USERS = 32  # per pass


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
    with tqdm(total=len(inputs), desc="calibration", unit="user") as bar:
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
