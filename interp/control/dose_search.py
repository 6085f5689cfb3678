"""The search for a dose: its goal, the features that may be turned, and the amounts that are tried.

Axes: n numbers of features set together, a amounts, u users, k places of a list, v items, f features.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from interp.activations.feature_matrix import Units, units_of
from interp.concepts import Concepts
from interp.control.popularity import by_code
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import user_overlap, user_shares
from interp.control.user_metrics import item_table, user_metric, values_of
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from interp.steering.parsing import Meanings
from interp.steering.vocabulary import Reconstruct
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError, quote
from recmodels.scalars import as_number, whole_number
from recmodels.sequences import Histories

ALIGNED = 3  # features of a concept that are turned together, at most
ROUNDING = 1e-9  # rounding error of a mean of shares


@dataclass(frozen=True)
class Goal:
    """The goal of a dose: a share of the lists with a concept."""

    target: str
    """The concept."""
    share: float
    """Of the list's places, such as 0.4."""
    at_most: bool = False
    """Whether the share is an upper limit, not a lower one."""
    k: int = 10
    """List length."""

    def __post_init__(self) -> None:
        if not isinstance(self.at_most, bool | np.bool_):
            raise InputError(f"at_most is {quote(self.at_most)}: give True or False")
        if not isinstance(self.target, str):
            raise InputError(
                f"{quote(self.target)} is not the name of a concept: a dose is found for one, such as 'Horror'"
            )
        share = as_number(self.share)
        if share is None or not 0 <= share <= 1 or (share == 0 and not self.at_most):
            raise InputError(
                f"share is {quote(self.share)}: give a share of the list above 0 and at most 1, such as 0.4"
            )
        object.__setattr__(self, "share", share)
        object.__setattr__(self, "k", whole_number("k", self.k))

    @property
    def sign(self) -> int:
        """The direction in which features are turned: 1 for more of the concept, −1 for less."""
        return -1 if self.at_most else 1

    def is_met(self, shares: np.ndarray | float) -> np.ndarray:
        """Whether each share meets the goal."""
        return self.sign * (np.asarray(shares) - self.share) >= -ROUNDING

    def first(self, shares: np.ndarray) -> np.ndarray:
        """Along the first axis, the first place where a share meets the goal; otherwise the first of the closest.

        Args:
            shares: [a, …].

        Returns:
            int […].
        """
        reached = self.is_met(shares)
        closest = np.round(self.sign * shares, 9).argmax(axis=0)
        return np.where(reached.any(axis=0), reached.argmax(axis=0), closest)

    def __str__(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {100 * self.share:.6g}% {self.target} in the top {self.k}"


@dataclass(frozen=True)
class DoseTrials:
    """The trials of a search: the first 1, 2, … of some features set to equal amounts of their units.

    Attributes:
        rec: the recommender.
        inputs: histories without the held-out items.
        truth: int [u], each user's held-out item; None if a history has only one item.
        goal: the goal.
        features: strongest first.
        scale: [f], each feature's unit.
        has: bool [v, 1], which items have the concept.
        site: where the features are.
        reconstruct: what happens to the reconstruction error.
        reach: the largest amount, in units.
    """

    rec: RecommenderEnvoy
    inputs: Histories
    truth: np.ndarray | None
    goal: Goal
    features: tuple[int, ...]
    scale: np.ndarray
    has: np.ndarray
    site: str
    reconstruct: Reconstruct
    reach: float

    @cached_property
    def plain(self) -> np.ndarray:
        """The unsteered lists: int [u, k]."""
        return self.rec.rank(self.inputs, self.goal.k)

    def steer(self, n: int, amount: float) -> Steer:
        """The steer of the first n features at an amount; with n = 0 it changes nothing."""
        return self.setting({feature: float(amount * self.scale[feature]) for feature in self.features[:n]})

    def setting(self, values: Mapping[int, Any]) -> Steer:
        """The steer that sets features to values for the target concept; without values it changes nothing."""
        edits = tuple(Edit(feature, value, concept=self.goal.target) for feature, value in values.items())
        dictionary = self.rec.site(self.site).sae.fingerprint
        return Steer(edits, self.site, self.reconstruct if edits else "none", dictionary)

    def amounts(self, steps: int) -> np.ndarray:
        """From 0 to the reach in so many steps, or to its negative for less of the concept: float [steps + 1]."""
        return self.goal.sign * np.linspace(0, self.reach, steps + 1)

    def lists(self, amounts: np.ndarray) -> np.ndarray:
        """Lists with the first n features at each of [n, a] amounts, row by row: int [n, a, u, k]."""
        steers = [self.steer(row + 1, amount) for row, row_amounts in enumerate(amounts) for amount in row_amounts]
        lists = steered_lists(self.rec, self.inputs, steers, self.goal.k)
        return lists.reshape(*amounts.shape, *lists.shape[1:])

    def shares(self, lists: np.ndarray) -> np.ndarray:
        """Share of the concept in each list: float […] of int […, k]."""
        return user_shares(lists.reshape(-1, lists.shape[-1]), self.has).reshape(lists.shape[:-1])

    def share_of_users(self, lists: np.ndarray) -> float:
        """Share of the users whose own list meets the goal, of int [u, k]."""
        return float(self.goal.is_met(self.shares(lists)).mean())


@dataclass(frozen=True)
class Search:
    """The inputs of a search for doses."""

    rec: RecommenderEnvoy
    """The recommender, with a dictionary attached."""
    concepts: Concepts
    """The concepts whose shares are reported."""
    popularity: pd.Series
    """Training interactions by item id, such as `study.items["popularity"]`, for receipts."""
    goal: Goal
    """The goal."""
    features: Sequence[Any]
    """The features that may be set, such as those aligned with the concept, strongest first."""
    units: Units | None = None
    """[f] one unit of each feature, such as `study.features.table["p99"]`, which makes features comparable; by default
    one unit is an activation of 1."""
    reach: float = 10.0
    """The largest amount that is tried, in units."""
    reconstruct: Reconstruct = "none"
    """As in `rec.steer`."""
    site: str | None = None
    """The site of the dictionary; by default the only site with one."""
    resampling: Resampling | None = None
    """How the intervals of receipts are made."""
    cost: str | None = None
    """The metric that a dose keeps as high as possible: "overlap" with the unsteered lists, or a metric, your own
    included (`interp.register_metric`); by default NDCG, or the overlap where no held-out items are used."""

    def costs(self, trials: DoseTrials) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
        """The name of that metric, and its values for lists [u, k]: float [u].

        Raises:
            InputError: there is no such metric, or it needs held-out items.
        """
        name = self.cost or ("overlap" if trials.truth is None else "ndcg")
        if name == "overlap":
            return name, lambda lists: user_overlap(trials.plain, lists)
        metric, vocabulary = user_metric(name), self.rec.recommender.vocabulary
        items = item_table(by_code(self.popularity, vocabulary), vocabulary.ids)
        values_of(metric, trials.plain, trials.truth, items)  # refuses an invalid metric before any work is done
        return name, lambda lists: values_of(metric, lists, trials.truth, items)

    @classmethod
    def aligned(
        cls, rec: RecommenderEnvoy, site: str, concepts: Concepts, popularity: pd.Series, goal: Goal, meanings: Meanings
    ) -> "Search":
        """A search over the best three of the features that are aligned with the concept, in their 99th percentiles.

        Raises:
            InputError: there is no such concept.
        """
        features = meanings.features(goal.target)[:ALIGNED]
        return cls(rec, concepts, popularity, goal, features, meanings.units["p99"], site=site)

    def trials(self, histories: Any) -> DoseTrials:
        """The trials on these users. The last item of each is held out as the truth, unless a user has only one.

        Raises:
            InputError: an unknown concept or feature, no features or histories, or a setting that makes no sense.
        """
        rec, column = self.rec, self.concepts.index(self.goal.target)
        reach = as_number(self.reach)
        if reach is None or not 0 < reach < np.inf:
            raise InputError(f"reach is {quote(self.reach)}: give a positive number of units, such as 10")
        if not isinstance(self.features, Iterable) or isinstance(self.features, str | pd.DataFrame):
            raise InputError(
                f"no features given: pass a list of at least one, such as [412], not {quote(self.features)}"
            )
        name = rec.only_site() if self.site is None else self.site
        ablation = rec.steer_of(self.features, site=name, op="ablate", reconstruct=self.reconstruct)
        numbers = tuple(dict.fromkeys(int(edit.feature) for edit in ablation.edits if isinstance(edit, Edit)))
        if not numbers:
            raise InputError("no features given: pass a list of at least one, such as [412]")
        scale = units_of(self.units, rec.site(name).sae.n_features)
        for feature in numbers:
            if not scale[feature]:
                raise InputError(f"feature {feature} has the unit 0, so it is never active: leave it out")
        inputs, truth = rec.recommender.histories(histories), None
        if not len(inputs):
            raise InputError("no histories given: pass at least one list of item ids")
        if (inputs.lengths > 1).all():
            inputs, truth = inputs.split_last()
        has = self.concepts.labels(rec.recommender.vocabulary.ids)[:, [column]]
        return DoseTrials(rec, inputs, truth, self.goal, numbers, scale, has, name, self.reconstruct, float(reach))
