"""A dose for every user: the smallest amount at which their own list has the share that is asked.

Axes: n numbers of features set together, a amounts, u users, k places of a list.
"""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from interp.control.dose_search import Goal, Ladder, Search
from interp.control.popularity import by_code
from interp.control.receipts import Receipt, receipt
from interp.control.sweeps import user_overlap
from interp.steering.edits import Steer
from recmodels.errors import InputError

GRID = 20  # steps from nothing to the reach
NAMED = 10  # users who are out of reach, in the short form


@dataclass(frozen=True)
class UserDoses:
    """A steer with a value of its own for each user, and its receipt. Shows itself in Jupyter and in a terminal.

    Attributes:
        goal: what was asked of each user's list.
        steer: to be given to `rec.steer`; values by user, and users who need none are not named.
        users: user, n_features (0 if they are left alone), amount (in units; 0 likewise), share_before, share_after,
            reached.
        receipt: what the steer changes, on these users.
    """

    goal: Goal
    steer: Steer
    users: pd.DataFrame
    receipt: Receipt

    @property
    def reached(self) -> bool:
        """Whether every user's list is as asked."""
        return bool(self.users["reached"].all())

    @property
    def out_of_reach(self) -> list[Any]:
        """Users whose list is not as asked, at any amount that was tried."""
        return self.users.loc[~self.users["reached"], "user"].tolist()

    @property
    def answer(self) -> str:
        """The answer in one sentence."""
        users = self.users
        there = users["reached"] & (users["n_features"] == 0)
        steered = users[users["reached"] & ~there]
        found = f"{there.sum()} of {len(users)} users have it without steering"
        if len(steered):
            found += f", {len(steered)} with a median of {steered['amount'].median():.3g} units"
        if self.out_of_reach:
            named = ", ".join(str(user) for user in self.out_of_reach[:NAMED])
            more = ", …" if len(self.out_of_reach) > NAMED else ""
            found += f"; out of reach for {len(self.out_of_reach)}: {named}{more}"
        return f"{self.goal} of each user: {found}"

    def __repr__(self) -> str:
        return f"{self.answer}\nreceipt, on the same users: {self.receipt!r}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.answer)}</p><p>receipt, on the same users:</p>{self.receipt._repr_html_()}"


def find_user_doses(search: Search, histories: Any) -> UserDoses:
    """For every user the smallest amount at which their own list has the share that is asked.

    The amounts are those of a grid of twentieths of the reach, and the number of features is chosen for each user: of
    those that reach the share, the one that keeps most of the unsteered list. A list's share is a multiple of 1 / k, so
    that 45% of a top 10 takes five items. Held-out items play no part in any of this, so the receipt's costs are not
    flattered by being made on the same users; the share in it is what was asked for.

    Users whose list is as asked without steering are left alone. Users out of reach get what comes closest, unless that
    is no closer than their unsteered list; `out_of_reach` names them.

    Args:
        search: what is asked of each user's list, and what may be turned for it.
        histories: the users, in any form.

    Raises:
        InputError: as in `interp.control.doses.find_dose`, or a user has two histories.
    """
    goal, on = search.goal, search.ladder(histories)
    users = on.inputs.users
    if not users.is_unique:
        twice = users[users.duplicated()].tolist()[0]
        raise InputError(f"user {twice!r} has two histories: give one for each, or find doses for one at a time")
    amounts, lists = _smallest(on)
    shares = on.shares(lists)
    overlap = np.stack([user_overlap(on.plain, some) for some in lists])
    # Any list that is as asked beats any that is not; the first of equals has the fewest features.
    worth = np.where(goal.met(shares), 2 + overlap, goal.sign * shares)
    number, each = worth.argmax(axis=0), np.arange(len(users))
    amount, after = amounts[number, each], lists[number, each]
    vocabulary = search.rec.recommender.vocabulary
    return UserDoses(
        goal,
        _steer(on, number, amount),
        pd.DataFrame(
            {
                "user": users,
                "n_features": number,
                "amount": amount,
                "share_before": shares[0],
                "share_after": shares[number, each],
                "reached": goal.met(shares[number, each]),
            }
        ),
        receipt(
            on.plain,
            after,
            search.concepts.labels(vocabulary.ids),
            search.concepts.names,
            by_code(search.popularity, vocabulary),
            on.truth,
            targets=[goal.target],
            resampling=search.resampling,
            ids=vocabulary.ids,
        ),
    )


def _smallest(on: Ladder) -> tuple[np.ndarray, np.ndarray]:
    """Each user's smallest amount that meets the goal, or the closest, with none of the features, the first, the first
    two, …: float [1 + n, u], and their lists."""
    grid = on.amounts(GRID)
    lists = on.lists(np.tile(grid, (len(on.features), 1)))
    place = on.goal.first(on.shares(lists).swapaxes(0, 1))
    chosen = np.take_along_axis(lists, place[:, None, :, None], axis=1)[:, 0]
    nothing = np.zeros((1, len(on.inputs)))
    return np.concatenate([nothing, grid[place]]), np.concatenate([on.plain[None], chosen])


def _steer(on: Ladder, number: np.ndarray, amount: np.ndarray) -> Steer:
    users = on.inputs.users.tolist()
    return on.setting(
        {
            feature: {users[u]: float(amount[u] * on.scale[feature]) for u in np.flatnonzero(number > place)}
            for place, feature in enumerate(on.features[: number.max()])
        }
    )
