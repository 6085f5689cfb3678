"""Finding the dose: how far features must be turned for a concept to have a given share of the lists.

`study.dose("Horror", 0.4)` is the short form.
"""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from interp.control.dose_search import Goal, Ladder, Search
from interp.control.receipts import Receipt, steering_receipt
from interp.control.sweeps import user_overlap
from interp.steering.edits import Steer
from recmodels.metrics import ndcg

GRID = 10  # steps from nothing to the reach
FINER = 8  # parts of the one in which the share is first reached


@dataclass(frozen=True)
class Dose:
    """The least costly steer that was found to meet a goal, with its receipt. Shows itself in Jupyter and a terminal.

    Attributes:
        goal: what was asked.
        reached: whether the mean share is as asked, on the users the dose was found on.
        steer: to be given to `rec.steer`; empty if the share is there without steering. Out of reach, the one that
            comes closest.
        features: those that are set, strongest first.
        amount: what they are set to, in their units; 0 without steering.
        share_before: mean share of the concept without steering, on the users the dose was found on.
        share_after: the same with the steer.
        n_users: users the dose was found on.
        tried: n_features, amount, share, ndcg (NaN without truths), overlap, reached, and the metric of
            `Search.cost` if it is another one: the smallest amount for each number of features, or the closest one.
        receipt: what the steer changes, on those users or on the others that were named.
        others: whether the receipt is about other users than the dose was found on.
    """

    goal: Goal
    reached: bool
    steer: Steer
    features: tuple[int, ...]
    amount: float
    share_before: float
    share_after: float
    n_users: int
    tried: pd.DataFrame
    receipt: Receipt
    others: bool

    @property
    def answer(self) -> str:
        """The answer in one sentence."""
        if self.reached and not self.features:
            found = f"there without steering, at {self.share_before:.1%}"
        elif self.features:
            values = ", ".join(f"{edit.feature} = {edit.value:.3g}" for edit in self.steer.edits)  # type: ignore[union-attr]
            change = f"{self.share_before:.1%} → {self.share_after:.1%} with {values} ({self.amount:.3g} units)"
            found = change if self.reached else f"out of reach; closest is {change}"
        else:
            found = f"out of reach; no steer comes closer than the {self.share_before:.1%} without one"
        return f"{self.goal}, mean of {self.n_users} user{'s' * (self.n_users != 1)}: {found}"

    @property
    def _heading(self) -> str:
        return "receipt, on other users:" if self.others else "receipt, on the same users:"

    def __repr__(self) -> str:
        return f"{self.answer}\n{self._heading} {self.receipt!r}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.answer)}</p><p>{self._heading}</p>{self.receipt._repr_html_()}"


def find_dose(search: Search, histories: Any, receipt_on: Any = None) -> Dose:
    """The least costly steer under which a concept's mean share of these users' lists is as asked.

    The first one, two, … of the features are set at the last step, all to the same amount in their own units. For each
    number of features the smallest amount that reaches the share is looked for: on a grid of tenths of the reach, then
    in eighths of the step in which the share is first reached. Of those that reach it, the one with the highest NDCG is
    taken; without truths, the one whose lists have most of the unsteered ones; with `search.cost`, the one with the
    highest mean of that metric. Fewer features win a tie. Where at most a share is asked for, features are set to 0 and
    below.

    A steer that was chosen on some users does a little better on them than on others, since what suits these users by
    chance was chosen too. Name other users in `receipt_on`, and the receipt says what to expect, share included.

    Args:
        search: what is asked, and what may be turned for it.
        histories: users that the dose is found on, in any form. The last item of each is held out as the truth, unless
            one has no other.
        receipt_on: other users to make the receipt on.

    Raises:
        InputError: an unknown concept or feature, no features or histories, or a setting that makes no sense.
    """
    goal, on = search.goal, search.ladder(histories)
    cost, mean_cost = search.costs(on)
    rungs = [{**_measured(on, 0, 0.0, on.plain), cost: mean_cost(on.plain)}]
    if not rungs[0]["reached"]:
        coarse, _ = _first(on, np.tile(on.amounts(GRID)[1:], (len(on.features), 1)))
        one_before = coarse - goal.sign * on.reach / GRID
        found = zip(*_first(on, np.linspace(one_before, coarse, FINER + 1, axis=1)), strict=True)
        rungs += [
            {**_measured(on, n, float(amount), lists), cost: mean_cost(lists)}
            for n, (amount, lists) in enumerate(found, 1)
        ]
    tried = pd.DataFrame(rungs)
    reaching = tried[tried["reached"]]
    chosen = tried.loc[reaching[cost].idxmax() if len(reaching) else int(goal.first(tried["share"].to_numpy()))]
    n, amount = int(chosen["n_features"]), float(chosen["amount"])
    steer = on.steer(n, amount)
    return Dose(
        goal=goal,
        reached=bool(chosen["reached"]),
        steer=steer,
        features=on.features[:n],
        amount=amount,
        share_before=rungs[0]["share"],
        share_after=float(chosen["share"]),
        n_users=len(on.inputs),
        tried=tried,
        receipt=steering_receipt(
            search.rec,
            histories if receipt_on is None else receipt_on,
            steer,
            search.concepts,
            search.popularity,
            goal.k,
            targets=[goal.target],
            resampling=search.resampling,
        ),
        others=receipt_on is not None,
    )


def _first(on: Ladder, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each row of [n, a] amounts the first that meets the goal, or the closest: float [n], and its lists."""
    lists, each = on.lists(amounts), np.arange(len(amounts))
    place = on.goal.first(on.shares(lists).mean(axis=-1).T)
    return amounts[each, place], lists[each, place]


def _measured(on: Ladder, n: int, amount: float, lists: np.ndarray) -> dict[str, Any]:
    share = float(on.shares(lists).mean())
    return {
        "n_features": n,
        "amount": amount,
        "share": share,
        "ndcg": np.nan if on.truth is None else ndcg(lists, on.truth),
        "overlap": float(user_overlap(on.plain, lists).mean()),
        "reached": bool(on.goal.met(share)),
    }
