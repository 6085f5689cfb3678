"""Doses: how far features must be turned so that a concept has a given share of the lists.

`study.dose("Horror", 0.4)` is the short form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from interp.control.dose_search import DoseTrials, Goal, Search
from interp.control.receipts import Receipt, receipt_of_lists, steering_receipt
from interp.control.sweeps import user_overlap
from interp.steering.edits import Edit, Steer
from recmodels.errors import for_terminal
from recmodels.metrics import ndcg
from recmodels.wording import counted, signed

GRID = 10  # steps from 0 to the reach
FINER = 8  # parts of the step in which the share is first reached


@dataclass(frozen=True)
class Dose:
    """The least costly steer that meets a goal, with its receipt. It has a display for Jupyter and for a terminal.

    Attributes:
        goal: the goal.
        reached: whether the mean share meets the goal, on the users of the search.
        steer: the argument for `rec.steer`; empty if the goal is met without steering. If no steer meets the goal, the
            closest one.
        features: the features that are set, strongest first.
        amount: the amount they are set to, in their units; 0 without steering.
        share_before: mean share of the concept without steering, on the users of the search.
        share_after: the same with the steer.
        own_before: share of these users whose own list meets the goal without steering.
        own_after: the same with the steer.
        n_users: the number of users of the search.
        trials: n_features, amount, share, ndcg (NaN without truths), overlap, reached, and the metric of
            `Search.cost` if it is another one: the smallest amount for each number of features, or the closest one.
        receipt: what the steer changes, on the users of the search or on `receipt_on`.
        other_users: whether the receipt is about other users than those of the search.
    """

    goal: Goal
    reached: bool
    steer: Steer
    features: tuple[int, ...]
    amount: float
    share_before: float
    share_after: float
    own_before: float
    own_after: float
    n_users: int
    trials: pd.DataFrame
    receipt: Receipt
    other_users: bool

    @property
    def answer(self) -> str:
        """The answer in one sentence."""
        if self.reached and not self.features:
            result = f"there without steering, at {self.share_before:.1%}"
        elif self.features:
            values = ", ".join(
                f"{edit.feature} = {signed(edit.value, '.3g')}"
                for edit in self.steer.edits
                if isinstance(edit, Edit) and not isinstance(edit.value, Mapping)
            )
            change = f"{self.share_before:.1%} → {self.share_after:.1%} with {values} ({self.amount:.3g} units)"
            result = change if self.reached else f"out of reach; closest is {change}"
        else:
            result = f"out of reach; no steer comes closer than the {self.share_before:.1%} without one"
        return f"{self.goal}, mean of {counted(self.n_users, 'user')}: {result}"

    @property
    def _heading(self) -> str:
        return "receipt, on other users:" if self.other_users else "receipt, on the same users:"

    @for_terminal
    def __repr__(self) -> str:
        return f"{self.answer}\n{self._heading} {self.receipt!r}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.answer)}</p><p>{self._heading}</p>{self.receipt._repr_html_()}"


def find_dose(search: Search, histories: Any, receipt_on: Any = None) -> Dose:
    """The least costly steer under which a concept's mean share of these users' lists meets the goal.

    The first one, two, … of the features are set at the last step, all to the same amount in their own units. For each
    number of features the search finds the smallest amount that reaches the share: on a grid of tenths of the reach,
    then in eighths of the step in which the share is first reached. Of these, it takes the one with the highest NDCG;
    without truths, the one with the largest overlap with the unsteered lists; with `search.cost`, the one with the
    highest mean of that metric. In a tie, fewer features win. For an upper limit, features are set to 0 and below.

    A steer that was chosen on some users does a little better on them than on others, because the choice also fits them
    by chance. Pass other users as `receipt_on` for a receipt, share included, without this bias.

    Args:
        search: the goal, and the features that may be turned.
        histories: users of the search, in any form. The last item of each is held out as the truth, unless a user has
            only one.
        receipt_on: other users to make the receipt on.

    Raises:
        InputError: an unknown concept or feature, no features or histories, or a setting that makes no sense.
    """
    goal, trials = search.goal, search.trials(histories)
    cost, user_values = search.costs(trials)

    def mean_cost(lists: np.ndarray) -> float:
        return float(np.nanmean(user_values(lists)))

    rows, by_number = [{**_trial(trials, 0, 0.0, trials.plain), cost: mean_cost(trials.plain)}], [trials.plain]
    if not rows[0]["reached"]:
        coarse, _ = _first(trials, np.tile(trials.amounts(GRID)[1:], (len(trials.features), 1)))
        one_before = coarse - goal.sign * trials.reach / GRID
        pairs = zip(*_first(trials, np.linspace(one_before, coarse, FINER + 1, axis=1)), strict=True)
        for n, (amount, lists) in enumerate(pairs, 1):
            rows.append({**_trial(trials, n, float(amount), lists), cost: mean_cost(lists)})
            by_number.append(lists)
    table = pd.DataFrame(rows)
    reaching = table[table["reached"]]
    best = table.loc[reaching[cost].idxmax() if len(reaching) else int(goal.first(table["share"].to_numpy()))]
    n, amount = int(best["n_features"]), float(best["amount"])
    steer, lists = trials.steer(n, amount), (trials.plain, by_number[n])
    what = search.concepts, search.popularity
    about: dict[str, Any] = {"targets": [goal.target], "resampling": search.resampling}
    return Dose(
        goal=goal,
        reached=bool(best["reached"]),
        steer=steer,
        features=trials.features[:n],
        amount=amount,
        share_before=rows[0]["share"],
        share_after=float(best["share"]),
        own_before=trials.share_of_users(lists[0]),
        own_after=trials.share_of_users(lists[1]),
        n_users=len(trials.inputs),
        trials=table,
        receipt=receipt_of_lists(search.rec.recommender.vocabulary, lists, *what, trials.truth, **about)
        if receipt_on is None
        else steering_receipt(search.rec, receipt_on, steer, *what, goal.k, **about),
        other_users=receipt_on is not None,
    )


def _first(trials: DoseTrials, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In each row of [n, a] amounts, the first that meets the goal, or the closest: float [n], and its lists."""
    lists, rows = trials.lists(amounts), np.arange(len(amounts))
    place = trials.goal.first(trials.shares(lists).mean(axis=-1).T)
    return amounts[rows, place], lists[rows, place]


def _trial(trials: DoseTrials, n: int, amount: float, lists: np.ndarray) -> dict[str, Any]:
    share = float(trials.shares(lists).mean())
    return {
        "n_features": n,
        "amount": amount,
        "share": share,
        "ndcg": np.nan if trials.truth is None else ndcg(lists, trials.truth),
        "overlap": float(user_overlap(trials.plain, lists).mean()),
        "reached": bool(trials.goal.is_met(share)),
    }
