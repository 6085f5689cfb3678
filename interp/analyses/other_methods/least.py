"""Least-collateral steers and re-ranking, with one amount for all users and with an amount for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor

from interp.concepts import Concepts
from interp.control.baselines import RAISED, Raise, boosted_lists
from interp.control.cost_intervals import PARTS, Curve, cost_differences, level_costs, mean_costs
from interp.control.least_collateral import AMOUNTS, LeastCollateral, share_of
from interp.control.score_equations import LastStates, NearItems, last_states, user_moves
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import profile_points, set_points
from interp.control.user_amounts import PRICES, amounts_by_price
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from recmodels.metrics import user_ndcg
from recmodels.ranking import top_k
from recmodels.sequences import Histories

K = 10
UP = (0.0, *RAISED)
BOOSTS = (*(-boost for boost in reversed(RAISED)), *UP)
USERS, SCORES = 64, 2**21  # of the users whose last states are worked on at once, so that they stay in the cache
CANDIDATES = 100  # that are left for re-ranking where the rest was cut off before


@dataclass(frozen=True)
class MethodLists:
    """One method's lists at rising values.

    Attributes:
        method: its name.
        values: [a].
        lists: int [a, u, k].
    """

    method: str
    values: Sequence[float]
    lists: np.ndarray


@dataclass(frozen=True)
class Unsteered:
    """What all concepts are compared with on the same users.

    Attributes:
        users: whose last item is held out.
        plain: their lists, int [u, k].
        hidden: their last hidden states, [u, d].
    """

    users: Histories
    plain: np.ndarray
    hidden: Tensor

    @classmethod
    def of(cls, rec: RecommenderEnvoy, users: Histories) -> "Unsteered":
        """The lists and states of users without a steer."""
        inputs = users.split_last()[0]
        return cls(users, rec.rank(inputs, K), last_states(rec, inputs))


@dataclass(frozen=True)
class Boosted:
    """A concept's lists by re-ranking, int [a, u, k] each: of all items, and of each user's best `CANDIDATES` only.

    The former are at `BOOSTS`, the latter at `UP`.
    """

    everything: np.ndarray
    few: np.ndarray

    @property
    def up(self) -> np.ndarray:
        """Those of all items at `UP`."""
        return self.everything[-len(UP) :]


def boosted_by_concept(rec: RecommenderEnvoy, inputs: Histories, sets: Mapping[str, np.ndarray]) -> dict[str, Boosted]:
    """Every concept's lists by re-ranking, from one pass over the users."""
    raises = [rule for has in sets.values() for rule in (Raise(has, BOOSTS), Raise(has, UP, CANDIDATES))]
    lists = iter(boosted_lists(rec, inputs, raises, K, progress="re-ranking"))
    return {name: Boosted(next(lists), next(lists)) for name in sets}


def least_lists(
    rec: RecommenderEnvoy, before: Unsteered, steer: LeastCollateral, boosted: Boosted
) -> Iterator[MethodLists]:
    """The lists of least-collateral steers and of boosts for one concept, method by method.

    "least" adds the concept's least-collateral features, all users alike. "final_user" moves each user's last hidden
    state as far as a boost would, by the user's own least squares. "boost_few" boosts among each user's best 100 items
    only, as where a service has cut off the rest before ranking. The others give each user an amount by price:
    "least_user" of the least-collateral features, "boost_user" of the boost, "final_price" of the user's own move.

    Args:
        rec, before: the recommender and the users.
        steer: of the concept.
        boosted: the concept's lists by re-ranking.
    """
    inputs = before.users.split_last()[0]
    least = steer.lists(rec, inputs, AMOUNTS, K)
    parts, start = [], 0
    for users in inputs.batches(min(max(SCORES // len(steer.has), 1), USERS)):
        rows = slice(start, start + len(users))
        states = LastStates.of(rec, users, before.hidden[rows])
        near = NearItems.of(states, steer.has)
        moves = (user_moves(near, boost) for boost in UP)
        moved = np.stack([top_k(states.scores_of(states.hidden + move), users, K, rec.keep_seen)[0] for move in moves])
        expected = [states.expected_ndcg(lists) for lists in (least[:, rows], boosted.up[:, rows], moved)]
        parts.append((moved, *expected))
        start += len(users)
    moved, *expected = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
    yield MethodLists("least", AMOUNTS, least)
    yield by_user("least_user", expected[0], least, steer.has)
    yield MethodLists("boost_few", UP, boosted.few)
    yield by_user("boost_user", expected[1], boosted.up, steer.has)
    yield MethodLists("final_user", UP, moved)
    yield by_user("final_price", expected[2], moved, steer.has)


def by_user(method: str, expected: np.ndarray, lists: np.ndarray, has: np.ndarray) -> MethodLists:
    """Of lists [a, u, k] with expected NDCG [a, u], each user's at each price (`interp.control.user_amounts`)."""
    places = amounts_by_price(expected, share_of(lists, has), np.array(PRICES))
    return MethodLists(method, PRICES, lists[places, np.arange(lists.shape[1])])


def cost_rows(
    rec: RecommenderEnvoy,
    before: Unsteered,
    sae: SparseAutoencoder,
    target: str,
    feature: int,
    has: np.ndarray,
    boosted: Boosted,
    methods: Sequence[MethodLists],
    profiles: pd.DataFrame,
    values: Sequence[float],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A concept's rows of the tables `steering_cost` and `cost_differences`.

    Args:
        rec, before, sae: the recommender, the users, and the dictionary.
        target, feature, has: the concept, its top feature and its items.
        boosted: its lists by re-ranking.
        methods: the lists of `least_lists`.
        profiles: of the concepts.
        values: of features, those from 0 up.
    """
    inputs, truth = before.users.split_last()
    up = [0.0, *(value for value in values if value > 0)]
    points = [*set_points(sae, {target: feature}, up), *profile_points(sae, profiles, [target], up)]
    lists = steered_lists(rec, inputs, [point.steer for point in points], K)
    names = np.array([point.method for point in points])
    groups: Mapping[str, np.ndarray] = {
        "boost": boosted.up,
        **{name: lists[names == name] for name in ("set", "profile", "replace")},
        **{method.method: method.lists for method in methods},
    }
    share = float(share_of(before.plain, has).mean())
    rise = float(share_of(groups["replace"], has).mean(axis=1).max()) - share
    if rise <= 0:
        return pd.DataFrame(), pd.DataFrame()
    curves = {name: Curve(share_of(some, has), _ndcg(some, truth)) for name, some in groups.items()}
    levels = [share + part * rise for part in PARTS]
    costs = level_costs(curves, levels, user_ndcg(before.plain, truth))
    return mean_costs(costs).assign(target=target), cost_differences(costs, len(inputs)).assign(target=target)


def learnable(concepts: Concepts, ids: pd.Index) -> dict[str, np.ndarray]:
    """The concepts that some items have and others lack: name → bool [v]."""
    labels = concepts.labels(ids)
    return {
        name: labels[:, column]
        for column, name in enumerate(concepts.names)
        if labels[:, column].any() and not labels[:, column].all()
    }


def _ndcg(lists: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """NDCG of lists int [a, u, k]: float [a, u]."""
    return np.stack([user_ndcg(some, truth) for some in lists])
