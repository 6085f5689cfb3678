"""The least-collateral steer: at most 20 features that move the items of a set and leave other scores alone.

The features and their weights are learnt once on held-out users and are the same for all users. How much of them a user
gets is one amount for all, or each user's own (`interp.control.user_amounts`).

Axes: u users, d hidden size, f features, v items, a amounts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.control.score_equations import LastStates, NearItems, equations, greedy_weights, user_jacobians
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import user_shares
from interp.control.user_amounts import price_for
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from interp.steering.parsing import DICTIONARY
from recmodels.errors import InputError, for_terminal, quote
from recmodels.lists import members
from recmodels.sequences import Histories, histories_of
from recmodels.wording import counted, signed

_DECIMALS = partial(signed, form=".4g")
FEATURES = 20  # at most
BOOST = 0.8  # the gain that weights are learnt for, in standard deviations of a user's scores; amount 1 means this gain
LEARN_ON = 128  # users
AMOUNTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0)


@dataclass(frozen=True)
class LeastCollateral:
    """A steer towards a set of items by at most 20 features. It has a display for Jupyter and for a terminal.

    Attributes:
        name: of the set, such as a concept's.
        weights: what is added to each feature's activation at amount 1, indexed by feature, in order of choice.
        has: bool [v], the set, in code order.
        site: where the features are.
        dictionary: the fingerprint of their dictionary.
        labels: what the features are called, by feature; empty if that is not known.
        is_concept: whether the name is that of a concept, which receipts then take for the target.
    """

    name: str
    weights: pd.Series
    has: np.ndarray
    site: str
    dictionary: str
    labels: Mapping[int, str]
    is_concept: bool = True

    def __post_init__(self) -> None:
        weights = self.weights.copy()
        weights.attrs[DICTIONARY] = self.dictionary
        object.__setattr__(self, "weights", weights)

    def steer(self, amount: float | Mapping[Any, float] = 1.0) -> Steer:
        """The argument for `rec.steer` at an amount, or at the amount of each user; users not named are left alone."""

        def value(weight: float) -> Any:
            if isinstance(amount, Mapping):
                return {user: weight * float(size) for user, size in amount.items()}
            return weight * float(amount)

        concept = self.name if self.is_concept else None
        edits = (Edit(int(feature), value(weight), "add", concept=concept) for feature, weight in self._pairs)
        return Steer(tuple(edits), self.site, dictionary=self.dictionary)

    def for_users(self, rec: RecommenderEnvoy, histories: Any, share: float, k: int = 10) -> Steer:
        """A steer with an amount for each user, so that the set has a mean share of these users' lists.

        Who pays least gets most (`interp.control.user_amounts`); held-out items play no part.

        Args:
            rec: the recommender with the dictionary attached.
            histories: the users, in any form: what is known of them, without anything held out.
            share: of the places of the lists, such as 0.4.
            k: list length.

        Raises:
            InputError: the share is out of reach, or two histories have the same user.
        """
        users = rec.recommender.histories(histories)
        if not len(users) or not users.users.is_unique:
            raise InputError("amounts by user need users: give at least one history, and one for each user")
        lists = self.lists(rec, users, AMOUNTS, k)
        expected, shares = LastStates.of(rec, users).expected_ndcg(lists), share_of(lists, self.has)
        price, place = price_for(expected, shares, share)
        if np.isinf(price):
            most = shares.max(axis=0).mean()
            raise InputError(f"a share of {share:g} of {self.name} is out of reach: ask for at most {most:.2f}")
        return self.steer({user: AMOUNTS[a] for user, a in zip(users.users.tolist(), place.tolist(), strict=True) if a})

    def lists(self, rec: RecommenderEnvoy, histories: Histories, amounts: Sequence[float], k: int = 10) -> np.ndarray:
        """Lists of all users at each amount: int [a, u, k]."""
        return steered_lists(rec, histories, [self.steer(amount) for amount in amounts], k)

    @property
    def _pairs(self) -> list[tuple[int, float]]:
        return [(int(feature), float(weight)) for feature, weight in self.weights.items()]

    @property
    def table(self) -> pd.DataFrame:
        """feature, label, weight."""
        labels = [self.labels.get(feature, "") for feature, _ in self._pairs]
        return pd.DataFrame({"feature": self.weights.index, "label": labels, "weight": self.weights.to_numpy()})

    @for_terminal
    def __repr__(self) -> str:
        n = len(self.weights)
        table = self.table.to_string(index=False, float_format=_DECIMALS)
        return f"{counted(n, 'feature')} that move {self.name} and leave others alone\n{table}"

    def _repr_html_(self) -> str:
        text = f"{counted(len(self.weights), 'feature')} that move {self.name} and leave others alone"
        return f"<p>{escape(text)}</p>{self.table.to_html(index=False, float_format=_DECIMALS, border=0)}"


def learn_weights(
    rec: RecommenderEnvoy, histories: Histories, site: str, sets: Mapping[str, np.ndarray], n: int = FEATURES
) -> pd.DataFrame:
    """The features of the least-collateral steers towards some sets, learnt on users who are not tested.

    Args:
        rec: the recommender with a dictionary at the site.
        histories: the users, whole; `LEARN_ON` of them are taken, spread evenly.
        site: where.
        sets: name → bool [v], in code order.
        n: features of each, at most.

    Returns:
        concept, feature, weight: features in order of choice, and what is added to them at amount 1.

    Raises:
        InputError: no histories, or a set without items or with all of them.
    """
    if not len(histories):
        raise InputError("no histories given: pass at least one list of item ids")
    for name, has in sets.items():
        if not has.any() or has.all():
            raise InputError(f"{quote(name)} has {'all' if has.all() else 'no'} items: give a set of some items")
    sae = rec.site(site).sae
    some = histories.select(np.unique(np.linspace(0, len(histories) - 1, LEARN_ON).astype(int)))
    states, jacobian = LastStates.of(rec, some), user_jacobians(rec, some, site, float(sae.std))
    directions, parts = sae.directions.detach(), []
    for name, has in sets.items():
        gram, side = equations(NearItems.of(states, has), BOOST)
        gram = (jacobian.mT @ gram @ jacobian).sum(dim=0)
        side = (side[:, None] @ jacobian)[:, 0].sum(dim=0)
        features, weights = greedy_weights(directions, gram, side, n)
        parts.append(pd.DataFrame({"concept": name, "feature": features, "weight": weights.cpu().numpy()}))
    return pd.concat(parts, ignore_index=True)


def store_histories(store: ActivationStore, rec: RecommenderEnvoy) -> Histories:
    """The histories of the users of an activation store, as far as it has them."""
    return histories_of(store.rows, rec.recommender.vocabulary, is_ordered=True)


def share_of(lists: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Share of a set in lists int [..., k]: float […]."""
    shares = user_shares(lists.reshape(-1, lists.shape[-1]), has[:, None])
    return shares.reshape(lists.shape[:-1])


def set_of(rec: RecommenderEnvoy, items: Any) -> np.ndarray:
    """Which items a set has: bool [v], from item ids.

    Raises:
        InputError: not a collection of items, or an item that the recommender does not know.
    """
    ids = members(items)
    if ids is None:
        raise InputError(f"items is {quote(items)}: give a list of item ids")
    has = np.zeros(len(rec.recommender.vocabulary), dtype=bool)
    has[rec.recommender.vocabulary.encode(ids)] = True
    return has
