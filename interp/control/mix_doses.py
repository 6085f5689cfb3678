"""Doses for several concepts at once: how much of each least-collateral steer gives all of them their shares.

`study.dose({"Horror": 0.3, "Drama": interp.at_most(0.2)})` is the short form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.control.dose_search import Goal
from interp.control.least_collateral import AMOUNTS, LeastCollateral, share_of
from interp.control.receipts import Receipt, steering_receipt
from interp.control.steered_lists import steered_lists
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from recmodels.errors import InputError, for_terminal, quote
from recmodels.sequences import Histories
from recmodels.wording import counted, signed

ROUNDS = 4  # each concept moves the others, so that amounts are found again
FINER = 8  # parts of the step in which a share is first reached


@dataclass(frozen=True)
class AtMost:
    """An upper limit of a share."""

    share: float


def at_most(share: float) -> AtMost:
    """At most this share, as a goal of `study.dose({"Horror": 0.3, "Drama": at_most(0.2)})`."""
    return AtMost(share)


@dataclass(frozen=True)
class MixDose:
    """A steer that meets goals for several concepts, with its receipt. It has a display for Jupyter and a terminal.

    Attributes:
        goals: concept, asked, at_most, amount (of the concept's least-collateral steer), before, after (mean shares on
            the users of the search), reached; a row for each.
        steer: the argument for `rec.steer`; if not all goals can be met, the closest one that was found.
        n_users: the number of users of the search.
        receipt: what the steer changes, on the users of the search or on `receipt_on`.
        other_users: whether the receipt is about other users than those of the search.
    """

    goals: pd.DataFrame
    steer: Steer
    n_users: int
    receipt: Receipt
    other_users: bool

    @property
    def reached(self) -> bool:
        """Whether all goals are met, on the users of the search."""
        return bool(self.goals["reached"].all())

    @property
    def answer(self) -> str:
        """The answer in one sentence."""
        parts = [
            f"{'at most' if row.at_most else 'at least'} {row.asked:.1%} {row.concept}: {row.before:.1%} → "
            f"{row.after:.1%} ({signed(row.amount, '+.2f')}){'' if row.reached else ', out of reach'}"
            for row in self.goals.itertuples()
        ]
        return f"mean of {counted(self.n_users, 'user')}: {'; '.join(parts)}"

    @property
    def _heading(self) -> str:
        return f"receipt, on {'other' if self.other_users else 'the same'} users:"

    @for_terminal
    def __repr__(self) -> str:
        return f"{self.answer}\n{self._heading} {self.receipt!r}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.answer)}</p><p>{self._heading}</p>{self.receipt._repr_html_()}"


def goals_of(asked: Mapping[str, Any], k: int = 10) -> list[Goal]:
    """Goals from a mapping from concept to share or `at_most(share)`.

    Raises:
        InputError: there is none, or a share makes no sense.
    """
    if not asked:
        raise InputError('no goals given: write them like {"Horror": 0.3, "Drama": at_most(0.2)}')
    return [
        Goal(name, share.share, True, k) if isinstance(share, AtMost) else Goal(name, share, False, k)
        for name, share in asked.items()
    ]


def single_share(words: Sequence[str]) -> float | None:
    """The share of a command line with one concept and its share, as in `Horror 0.3`; None for goals like Horror=0.3.

    Raises:
        InputError: nothing is asked for, or the share is not a number.
    """
    if not words:
        raise InputError("nothing is asked for: give a concept and a share, such as Horror 0.3")
    if len(words) != 2 or "=" in words[1]:
        return None
    try:
        return float(words[1])
    except ValueError:
        if "=" in words[0]:
            return None  # several goals, of which one has no share
        raise InputError(f"share is {quote(words[1])}: give a share of the list, such as 0.4") from None


def read_goals(words: Sequence[str]) -> dict[str, Any]:
    """Goals of a command line: Horror=0.3 for at least, Drama<=0.2 for at most.

    Raises:
        InputError: a word has another form, or names a concept twice.
    """
    asked: dict[str, Any] = {}
    for word in words:
        name, sign, share = word.rpartition("=")
        is_limit = name.endswith("<")
        name = name.removesuffix("<").removesuffix(">")  # >= is another way to write =
        try:
            number = float(share)
        except ValueError:
            sign = ""
        if not sign or not name:
            raise InputError(f"cannot read the goal {quote(word)}: write it as CONCEPT=SHARE or CONCEPT<=SHARE")
        if name in asked:
            raise InputError(f"{quote(name)} has two goals: keep one of them")
        asked[name] = at_most(number) if is_limit else number
    return asked


def find_mix_dose(
    rec: RecommenderEnvoy,
    goals: Sequence[Goal],
    steers: Mapping[str, LeastCollateral],
    concepts: Concepts,
    popularity: pd.Series,
    histories: Any,
    receipt_on: Any = None,
) -> MixDose:
    """Amounts of the concepts' least-collateral steers under which all goals are met, as small as they can be.

    One concept after the other gets the smallest amount at which its own share is as asked while the others stay, for
    up to four rounds, because each moves the others. If goals stay out of reach, the amounts tried on the way that miss
    them by least in all are kept. Amounts are positive for more of a concept, negative for less.

    Args:
        rec: the recommender with the dictionary attached.
        goals: one for each concept, all with the same length of the list.
        steers: of these concepts, all at one site.
        concepts: whose shares the receipt is about.
        popularity: training interactions by item id.
        histories: users of the search, in any form; the last item of each is held out, unless one has no other.
        receipt_on: other users to make the receipt on.

    Raises:
        InputError: no histories.
    """
    inputs = rec.recommender.histories(histories)
    if not len(inputs):
        raise InputError("no histories given: pass at least one list of item ids")
    if (inputs.lengths > 1).all():
        inputs = inputs.split_last()[0]
    k, amounts = goals[0].k, np.zeros(len(goals))
    own = [steers[goal.target] for goal in goals]
    tried = [amounts.copy()]
    for _ in range(ROUNDS):
        earlier = amounts.copy()
        for place, goal in enumerate(goals):
            amounts[place] = _smallest(rec, inputs, own, amounts, place, goal)
            tried.append(amounts.copy())
        if np.array_equal(earlier, amounts):
            break
    shares = [
        [float(share_of(lists, steer.has).mean()) for steer in own]
        for lists in steered_lists(rec, inputs, [together(own, row) for row in tried], k)
    ]
    best = int(np.argmin([_shortfall(goals, row) for row in shares]))
    amounts, before, after = tried[best], shares[0], shares[best]
    rows = [
        {"concept": goal.target, "asked": goal.share, "at_most": bool(goal.at_most), "amount": float(amount)}
        | {"before": was, "after": share, "reached": bool(goal.is_met(share))}
        for goal, amount, was, share in zip(goals, amounts, before, after, strict=True)
    ]
    steer = together(own, amounts)
    users = histories if receipt_on is None else receipt_on
    targets = [goal.target for goal in goals]
    receipt = steering_receipt(rec, users, steer, concepts, popularity, k, targets=targets)
    return MixDose(pd.DataFrame(rows), steer, len(inputs), receipt, receipt_on is not None)


def _shortfall(goals: Sequence[Goal], shares: Sequence[float]) -> float:
    """By how much all goals are missed, in shares of the list; 0 if they are met."""
    pairs = zip(goals, shares, strict=True)
    return sum(0.0 if goal.is_met(share) else abs(goal.share - share) for goal, share in pairs)


def together(steers: Sequence[LeastCollateral], amounts: Sequence[float] | np.ndarray) -> Steer:
    """One steer that adds what several add at their amounts; features that they share get the sum."""
    parts = [steer.weights * float(amount) for steer, amount in zip(steers, amounts, strict=True) if amount]
    if not parts:
        return Steer((), steers[0].site, dictionary=steers[0].dictionary)
    total = pd.concat(parts).groupby(level=0, sort=False).sum()
    edits = tuple(Edit(int(feature), float(value), "add") for feature, value in total.items())
    return Steer(edits, steers[0].site, dictionary=steers[0].dictionary)


def _smallest(
    rec: RecommenderEnvoy,
    inputs: Histories,
    steers: Sequence[LeastCollateral],
    amounts: np.ndarray,
    place: int,
    goal: Goal,
) -> float:
    """The amount closest to 0 of one steer at which its goal is met while the others stay, or the closest to it."""

    def first(tried: np.ndarray) -> int:
        every = np.repeat(amounts[None], len(tried), axis=0)
        every[:, place] = tried
        lists = steered_lists(rec, inputs, [together(steers, row) for row in every], goal.k)
        return int(goal.first(share_of(lists, steers[place].has).mean(axis=1)))

    coarse = goal.sign * np.array(AMOUNTS)
    at = first(coarse)
    if at == 0:
        return 0.0
    fine = np.linspace(coarse[at - 1], coarse[at], FINER + 1)
    return float(fine[first(fine)])
