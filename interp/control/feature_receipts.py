"""What turning each feature costs: a receipt of every feature, curves with bands, and re-ranking to the same share.

Every feature is turned by multiples of its own unit, alone, at the last step. The lists of all features come from the
fast path (`interp.control.steered_lists`), so a dictionary takes seconds.

**Which concept a feature is measured by.** A feature that follows a concept is measured by that one, which was chosen
by correlation and not by what steering does. Of any other feature, one half of the users says which concept it moves
most, and the other half measures it: the largest of many changes, shown on the users that it was chosen on, would be
too large.

Axes: n users, f features, a amounts, k places of a list, c concepts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.concepts.alignment import UNALIGNED
from interp.control.baselines import RAISED, Raise, boosted_lists
from interp.control.intervals import of_means
from interp.control.popularity import by_code
from interp.control.receipts import receipt
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import user_shares
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from recmodels.bootstrap import Resampling
from recmodels.metrics import user_ndcg
from recmodels.progress import tqdm
from recmodels.sequences import Histories

K = 10
AMOUNTS = (-1.0, 1.0, 2.0)  # multiples of a feature's unit, of which receipts are for `TURNED`
TURNED = 1.0
TOGETHER = 32  # features whose lists are in memory at a time
BY_CORRELATION, BY_OTHER_USERS = "correlation", "other users"


@dataclass(frozen=True)
class Target:
    """The concept by which a feature is measured.

    Attributes:
        concept: its place among the concepts; −1 for none.
        chosen_by: `BY_CORRELATION`, `BY_OTHER_USERS`, or "" for none.
        users: the users who measure it, int [n].
    """

    concept: int
    chosen_by: str
    users: np.ndarray


@dataclass(frozen=True)
class Users:
    """Lists before anything is turned, and what they are judged by.

    Attributes:
        inputs: histories without the held-out items, [n].
        truth: the held-out items, [n].
        lists: int [n, k].
        labels: bool [v, c], concepts of every item in code order.
        popularity: [v], training interactions in code order.
    """

    inputs: Histories
    truth: np.ndarray
    lists: np.ndarray
    labels: np.ndarray
    popularity: np.ndarray

    def shares(self, lists: np.ndarray, concept: int) -> np.ndarray:
        """Share of a concept in each user's list: float [n]; NaN for no concept."""
        if concept < 0:
            return np.full(len(lists), nan)
        return user_shares(lists, self.labels[:, [concept]])[:, 0]


def feature_receipts(
    rec: RecommenderEnvoy,
    histories: Histories,
    features: pd.DataFrame,
    concepts: Concepts,
    popularity: pd.Series,
    site: str,
    resampling: Resampling | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The receipt of each feature, its curves, and what it costs beside re-ranking.

    Args:
        rec: the recommender, with the dictionary at the site.
        histories: users of at least two items; the last one of each is held out as the truth.
        features: feature, p99 (its unit; a feature with 0 is left out), concept and correlation (its best one).
        concepts: whose shares are reported.
        popularity: training interactions by item id.
        site: where.
        resampling: how intervals are made.

    Returns:
        Receipts: feature, measure ("share" for shares of concepts), concept (empty for other measures), interval, and
        before, after and change with their bounds, of each feature turned up by its unit. Curves: feature, amount (in
        units; 0 is not turned), and share (of its target) and ndcg with _low and _high, which bound the change from
        not turning. Costs: a row for each feature, see `_costs`.
    """
    resampling = resampling or Resampling()
    inputs, truth = histories.split_last()
    vocabulary = rec.recommender.vocabulary
    labels = concepts.labels(vocabulary.ids)
    users = Users(inputs, truth, rec.rank(inputs, K), labels, by_code(popularity, vocabulary))
    alive = features[features["p99"] > 0]
    boosts = Boosts(rec, users)
    receipts, curves, costs = [], [], []
    with tqdm(desc="receipts of features", total=len(alive), unit="feature") as bar:
        for start in range(0, len(alive), TOGETHER):
            rows = list(alive.iloc[start : start + TOGETHER].itertuples())
            steers = [Steer((Edit(int(row.feature), a * row.p99, "add"),), site) for row in rows for a in AMOUNTS]
            lists = steered_lists(rec, inputs, steers, K).reshape(len(rows), len(AMOUNTS), *users.lists.shape)
            for row, turned in zip(rows, lists, strict=True):
                by_amount = dict(zip(AMOUNTS, turned, strict=True))
                feature, after = {"feature": int(row.feature)}, by_amount[TURNED]
                target = _target(row, users, after, concepts)
                receipts.append(_receipt(users, after, concepts, resampling, vocabulary.ids).assign(**feature))
                curves.append(_curve(users, by_amount, target, resampling).assign(**feature))
                costs.append(feature | _costs(users, after, target, boosts, resampling, concepts))
                bar.update()
    first = ["feature", "measure", "concept", "interval"]
    receipt_table = pd.concat(receipts, ignore_index=True)
    curve_table = pd.concat(curves, ignore_index=True)
    return (
        receipt_table[[*first, *receipt_table.columns.drop(first)]],
        curve_table[["feature", *curve_table.columns.drop("feature")]],
        pd.DataFrame(costs),
    )


def _target(row: Any, users: Users, after: np.ndarray, concepts: Concepts) -> Target:
    """The concept that a feature follows; else the one that it moves most for every other user."""
    everyone = np.arange(len(after))
    if row.concept and row.correlation >= UNALIGNED:
        return Target(concepts.index(row.concept), BY_CORRELATION, everyone)
    if not concepts.names or len(after) < 4:
        return Target(-1, "", everyone)
    choosing = everyone[::2]
    moved = user_shares(after[choosing], users.labels) - user_shares(users.lists[choosing], users.labels)
    change = np.abs(moved.mean(axis=0).round(12))  # rounding errors must not choose
    return Target(int(change.argmax()), BY_OTHER_USERS, everyone[1::2]) if change.any() else Target(-1, "", everyone)


def _receipt(
    users: Users, after: np.ndarray, concepts: Concepts, resampling: Resampling, ids: pd.Index
) -> pd.DataFrame:
    """What `interp.control.receipts.receipt` says, in one table."""
    parts = receipt(
        users.lists, after, users.labels, concepts.names, users.popularity, users.truth, resampling=resampling, ids=ids
    )
    shares = parts.shares.drop(columns="target").assign(measure="share", interval="bootstrap")
    return pd.concat([parts.measures.assign(concept=""), shares], ignore_index=True)


def _curve(users: Users, by_amount: Mapping[float, np.ndarray], target: Target, resampling: Resampling) -> pd.DataFrame:
    """Share of the target, by the users who measure it, and NDCG of all users, from the smallest amount on."""
    amounts = sorted({0.0, *by_amount})
    lists = [by_amount.get(amount, users.lists) for amount in amounts]
    rows = pd.DataFrame({"amount": amounts})
    values: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "share": lambda some: users.shares(some, target.concept)[target.users],
        "ndcg": lambda some: user_ndcg(some, users.truth),
    }
    for name, value in values.items():
        after = np.column_stack([value(some) for some in lists])
        before = np.repeat(value(users.lists)[:, None], len(lists), axis=1)
        table = of_means(before, after, resampling)
        rows[name] = table["after"]
        for side in ("low", "high"):
            rows[f"{name}_{side}"] = table["before"] + table[f"change_{side}"]
    return rows


def _costs(
    users: Users, after: np.ndarray, target: Target, boosts: "Boosts", resampling: Resampling, concepts: Concepts
) -> dict[str, Any]:
    """What one feature turned up by its unit does to its target, what it costs, and what re-ranking would have cost.

    All numbers are of the same users. Re-ranking raises, or lowers, the scores of the target's items by the amount that
    gives them the same mean share; no held-out item plays a part in that.

    Returns:
        concept, chosen_by, users (how many); share_before, share_after; share, ndcg and boost (the changes of the share
        and of NDCG, and of NDCG by re-ranking), ahead (how far the feature's NDCG is above that of re-ranking), each
        with _low and _high. NaN where re-ranking does not reach the share, or there is no target.
    """
    rows = target.users
    before, turned = (users.shares(lists, target.concept)[rows] for lists in (users.lists, after))
    ndcg_before, ndcg = (user_ndcg(lists, users.truth)[rows] for lists in (users.lists, after))
    boosted = boosts.ndcg_at(target, float(turned.mean()))
    table = of_means(
        np.column_stack([before, ndcg_before, ndcg_before, boosted]),
        np.column_stack([turned, ndcg, boosted, ndcg]),
        resampling,
    )
    row: dict[str, Any] = {
        "concept": concepts.names[target.concept] if target.concept >= 0 else "",
        "chosen_by": target.chosen_by,
        "users": len(rows),
        "share_before": table["before"][0],
        "share_after": table["after"][0],
    }
    for name, change in zip(("share", "ndcg", "boost", "ahead"), table.itertuples(), strict=True):
        row |= {name: change.change, f"{name}_low": change.change_low, f"{name}_high": change.change_high}
    return row


class Boosts:
    """Re-ranking by concept: each concept's boosted lists are made when they are first asked for.

    Args:
        rec: the recommender.
        users: whose lists.
    """

    def __init__(self, rec: RecommenderEnvoy, users: Users) -> None:
        self.users = users
        self._rec = rec
        self._curves: dict[tuple[int, bool], tuple[np.ndarray, np.ndarray]] = {}

    def ndcg_at(self, target: Target, level: float) -> np.ndarray:
        """NDCG of each measuring user where the boosted lists first have a mean share of the target: float [n].

        Between two boosts it is interpolated, as if each user got one of the two lists at random. NaN where no boost
        reaches the share.
        """
        rows = target.users
        if target.concept < 0:
            return np.full(len(rows), nan)
        plain = float(self.users.shares(self.users.lists, target.concept)[rows].mean())
        sign = 1.0 if level >= plain else -1.0
        shares, ndcg = (part[:, rows] for part in self._curve(target.concept, sign > 0))
        means = sign * shares.mean(axis=1)
        reached = np.flatnonzero(means >= sign * level - 1e-12)
        if not len(reached):
            return np.full(len(rows), nan)
        last = int(reached[0])
        first = max(last - 1, 0)
        rise = means[last] - means[first]
        way = (sign * level - means[first]) / rise if rise > 0 else 1.0
        return ndcg[first] + way * (ndcg[last] - ndcg[first])

    def _curve(self, concept: int, up: bool) -> tuple[np.ndarray, np.ndarray]:
        """Shares of a concept and NDCG, float [boost, n] each, at rising boosts or at falling ones."""
        if (concept, up) not in self._curves:
            has = self.users.labels[:, concept]
            values: Sequence[float] = [0.0, *((1.0 if up else -1.0) * rise for rise in RAISED)]
            (lists,) = boosted_lists(self._rec, self.users.inputs, [Raise(has, values)], K)
            shares = np.stack([self.users.shares(some, concept) for some in lists])
            self._curves[concept, up] = shares, np.stack([user_ndcg(some, self.users.truth) for some in lists])
        return self._curves[concept, up]
