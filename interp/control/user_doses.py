"""A dose for every user: the smallest amount at which the user's own list meets the goal.

Axes: n numbers of features set together, a amounts, u users, k places of a list.
"""

from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from interp.control.dose_search import DoseTrials, Goal, Search
from interp.control.receipts import Receipt, receipt_of_lists
from interp.control.user_metrics import user_metric
from interp.steering.edits import Steer
from recmodels.errors import InputError, for_terminal

GRID = 20  # steps from 0 to the reach
NAMED = 10  # users who are out of reach, in the short form


@dataclass(frozen=True)
class UserDoses:
    """A steer with a separate value for each user, and its receipt. It has a display for Jupyter and for a terminal.

    Attributes:
        goal: the goal for each user's list.
        steer: the argument for `rec.steer`, with values by user; it leaves out users who need no steering.
        users: user, n_features and amount in units (both 0 without steering), share_before, share_after, reached.
        receipt: what the steer changes, on these users.
    """

    goal: Goal
    steer: Steer
    users: pd.DataFrame
    receipt: Receipt

    @property
    def reached(self) -> bool:
        """Whether every user's list meets the goal."""
        return bool(self.users["reached"].all())

    @property
    def out_of_reach(self) -> list[Any]:
        """Users whose list does not meet the goal at any tried amount."""
        return self.users.loc[~self.users["reached"], "user"].tolist()

    @property
    def answer(self) -> str:
        """The answer in one sentence."""
        users = self.users
        there = users["reached"] & (users["n_features"] == 0)
        by_dose = users[users["reached"] & ~there]
        sentence = f"{there.sum()} of {len(users)} users have it without steering"
        if len(by_dose):
            sentence += f", {len(by_dose)} with a median of {by_dose['amount'].median():.3g} units"
        if self.out_of_reach:
            names = ", ".join(str(user) for user in self.out_of_reach[:NAMED])
            more = ", …" if len(self.out_of_reach) > NAMED else ""
            sentence += f"; out of reach for {len(self.out_of_reach)}: {names}{more}"
        return f"{self.goal} of each user: {sentence}"

    @for_terminal
    def __repr__(self) -> str:
        return f"{self.answer}\nreceipt, on the same users: {self.receipt!r}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.answer)}</p><p>receipt, on the same users:</p>{self.receipt._repr_html_()}"


def find_user_doses(search: Search, histories: Any) -> UserDoses:
    """For every user, the smallest amount at which the user's own list meets the goal.

    The amounts are on a grid of twentieths of the reach. The number of features is chosen for each user: of those that
    reach the share, the one with the largest overlap with the unsteered list, or with the largest value of
    `search.cost`. A list's share is a multiple of 1 / k, so 45% of a top 10 needs five items. The search does not use
    held-out items, so the costs in the receipt are not biased although it is about the same users; its share is the one
    of the goal.

    Users whose list meets the goal without steering are not steered. Users out of reach get the closest list, unless
    their unsteered list is as close; `out_of_reach` names them.

    Args:
        search: the goal for each user's list, and the features that may be turned.
        histories: the users, in any form.

    Raises:
        InputError: as in `interp.control.doses.find_dose`; a user has two histories; or the metric needs held-out
            items.
    """
    if search.cost not in (None, "overlap") and user_metric(search.cost).needs_truth:
        raise InputError(
            f"{search.cost} needs held-out items, which doses for each user do not use: choose overlap, or another "
            "metric without them"
        )
    goal, with_truth = search.goal, search.trials(histories)
    trials = replace(with_truth, truth=None)
    users = trials.inputs.users
    if not users.is_unique:
        twice = users[users.duplicated()].tolist()[0]
        raise InputError(f"user {twice!r} has two histories: give one for each, or find doses for one at a time")
    amounts, lists = _smallest(trials)
    shares = trials.shares(lists)
    _, cost = search.costs(trials)
    costs, is_met = np.stack([cost(part) for part in lists]), goal.is_met(shares)
    costs = np.where(np.isnan(costs), -np.finfo(float).max, costs)  # no value is the worst one
    # A list that meets the goal beats every list that does not; the first of equal lists has the fewest features.
    worth = np.where(is_met.any(axis=0), np.where(is_met, costs, -np.inf), goal.sign * shares)
    number, columns = worth.argmax(axis=0), np.arange(len(users))
    amount, after = amounts[number, columns], lists[number, columns]
    return UserDoses(
        goal,
        _steer(trials, number, amount),
        pd.DataFrame(
            {
                "user": users,
                "n_features": number,
                "amount": amount,
                "share_before": shares[0],
                "share_after": shares[number, columns],
                "reached": goal.is_met(shares[number, columns]),
            }
        ),
        receipt_of_lists(
            search.rec.recommender.vocabulary,
            (trials.plain, after),
            search.concepts,
            search.popularity,
            with_truth.truth,
            targets=[goal.target],
            resampling=search.resampling,
        ),
    )


def _smallest(trials: DoseTrials) -> tuple[np.ndarray, np.ndarray]:
    """Each user's smallest amount that meets the goal, or the closest, with the first 0, 1, 2, … features: float
    [1 + n, u], and their lists."""
    grid = trials.amounts(GRID)
    lists = trials.lists(np.tile(grid, (len(trials.features), 1)))
    place = trials.goal.first(trials.shares(lists).swapaxes(0, 1))
    best = np.take_along_axis(lists, place[:, None, :, None], axis=1)[:, 0]
    nothing = np.zeros((1, len(trials.inputs)))
    return np.concatenate([nothing, grid[place]]), np.concatenate([trials.plain[None], best])


def _steer(trials: DoseTrials, number: np.ndarray, amount: np.ndarray) -> Steer:
    users = trials.inputs.users.tolist()
    return trials.setting(
        {
            feature: {users[u]: float(amount[u] * trials.scale[feature]) for u in np.flatnonzero(number > place)}
            for place, feature in enumerate(trials.features[: number.max()])
        }
    )
