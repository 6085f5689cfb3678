"""Features that depend on the popularity of items, and steers from popular items to the long tail.

After PopSteer (Ahmadov and Mansoury, RecSys 2025, arXiv 2508.17297).

Axes: n rows (one user at one step), f features, v items.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix, last_features
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from interp.steering.parsing import DICTIONARY
from recmodels.errors import InputError
from recmodels.metrics import head_items
from recmodels.moments import Levelled, mean_difference
from recmodels.sequences import Histories
from recmodels.vocabulary import Vocabulary


@dataclass(frozen=True)
class SyntheticUsers:
    """Users who like popular items alone, and users who like unpopular items alone."""

    share: float = 0.2
    """Share of all training interactions of the popular items, the most popular ones, and of the unpopular items, the
    least popular ones."""
    users: int = 500
    """Users of each kind."""
    length: int = 20
    """Items of each history, drawn uniformly from the group without repetition; fewer if a group has fewer."""
    seed: int = 0
    """The same seed gives the same users."""

    def __post_init__(self) -> None:
        if not 0 < self.share <= 0.5:
            raise InputError(f"share is {self.share}: give one above 0 and at most 0.5")
        if self.users < 2 or self.length < 1:
            raise InputError(f"{self.users} users with {self.length} items: ask for two users and one item, or more")


def by_code(popularity: pd.Series, vocabulary: Vocabulary) -> np.ndarray:
    """Popularity of the recommender's items in code order: float [v].

    Args:
        popularity: training interactions by item id, such as `study.items["popularity"]`.
        vocabulary: the items.

    Raises:
        InputError: an item has none, or a negative one.
    """
    values = popularity.reindex(vocabulary.ids)
    wrong = values.isna() | (values < 0)
    if wrong.any():
        raise InputError(
            f"item {vocabulary.ids[wrong].tolist()[0]!r} has no popularity: give its number of interactions, or 0"
        )
    return values.to_numpy(dtype=np.float64)


def popularity_groups(popularity: np.ndarray, share: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """The popular and the unpopular items, each with about this share of all interactions: two bool arrays [v].

    The unpopular items are the long tail that `recmodels.metrics.head_items` leaves with a head of 1 − share.
    """
    return head_items(popularity, share), ~head_items(popularity, 1 - share)


def synthetic_histories(popularity: np.ndarray, config: SyntheticUsers) -> tuple[Histories, Histories]:
    """Users with popular items alone, and users with unpopular ones alone.

    All histories have the same length, so that it does not differ between the two kinds of users.

    Raises:
        InputError: a group has no items.
    """
    groups = [np.flatnonzero(group) for group in popularity_groups(popularity, config.share)]
    length = min(config.length, *(len(items) for items in groups))
    if not length:
        raise InputError(f"no item is unpopular with a share of {config.share}: give popularity that differs by item")
    rng = np.random.default_rng(config.seed)
    offsets = np.arange(config.users + 1, dtype=np.int64) * length
    histories = []
    for items in groups:
        samples = [rng.choice(items, length, replace=False) for _ in range(config.users)]
        users = pd.RangeIndex(config.users, name="user")
        histories.append(Histories(users, np.concatenate(samples).astype(np.int32), offsets))
    return histories[0], histories[1]


def popularity_features(
    rec: RecommenderEnvoy,
    store: ActivationStore,
    features: FeatureMatrix,
    popularity: pd.Series,
    config: SyntheticUsers | None = None,
) -> pd.DataFrame:
    """How much every feature differs between popular and unpopular items, as an effect size.

    It is measured twice: on the last step of synthetic users (PopSteer), and on real users' steps, by the popularity of
    the step's input item. The first is about users, the second about items. Neither is the feature's effect on lists:
    where users meet no item twice, a history of popular items may even predict unpopular ones.
    `interp.control.receipts.steering_receipt` measures the effect of a `popularity_steer`.

    Args:
        rec: the recommender, with a dictionary at the store's site.
        store: activations of real users.
        features: [n, f] their features.
        popularity: training interactions by item id.
        config: the synthetic users, by default 500 of either kind; its `share` also groups the items of real steps.

    Returns:
        feature, d, mean_popular, mean_unpopular, std (pooled) on synthetic users, and the same four of real steps
        with the prefix `real_`. d is Cohen's, above 0 for a feature that is stronger with popular items. The largest
        |d| comes first.

    Raises:
        InputError: the dictionary does not fit the store, an item has no popularity, or a group has no rows.
    """
    config = config or SyntheticUsers()
    counts = by_code(popularity, rec.recommender.vocabulary)
    synthetic = [last_features(rec, store.site, histories) for histories in synthetic_histories(counts, config)]
    codes = rec.recommender.vocabulary.encode(store.rows["item"])
    activations = features.tocsr()
    real = []
    for name, group in zip(("popular", "unpopular"), popularity_groups(counts, config.share), strict=True):
        rows = activations[np.flatnonzero(group[codes])]
        if not rows.shape[0]:
            raise InputError(f"no step of the store has a {name} item: raise share above {config.share}")
        real.append(rows)
    tables = [cohens_d(*groups) for groups in (synthetic, real)]
    table = tables[0].join(tables[1].add_prefix("real_")).rename_axis("feature").reset_index()
    return table.sort_values("d", key=np.abs, ascending=False, kind="stable", ignore_index=True)


def popularity_steer(features: pd.DataFrame, site: str, strength: float = 1.0, n: int = 10) -> Steer:
    """A steer away from popular items: it moves the features with the largest |d| towards unpopular items.

    It lowers the features of popular items and raises those of unpopular items, by strength × |d| / max |d| standard
    deviations (PopSteer's weights). PopSteer cuts activations off at 0; here lowered activations may be negative, as
    with every steer.

    Args:
        features: from `popularity_features`.
        site: where their dictionary reads.
        strength: standard deviations by which the best aligned feature is moved; negative for more popular items.
        n: features that are moved.

    Raises:
        InputError: n is less than 1, or no feature follows popularity.
    """
    if n < 1:
        raise InputError(f"n is {n}: steer at least one feature")
    size = features["d"].abs()
    top = features.loc[size.nlargest(n).index]
    top = top[(top["d"] != 0) & (top["std"] > 0)]
    if top.empty:
        raise InputError("no feature differs between popular and unpopular items: there is nothing to steer")
    moves = -strength * top["d"] / top["d"].abs().max() * top["std"]
    return Steer(
        tuple(Edit(int(feature), float(move), "add") for feature, move in zip(top["feature"], moves, strict=True)),
        site,
        dictionary=features.attrs.get(DICTIONARY),
    )


def cohens_d(popular: sparse.csr_array, unpopular: sparse.csr_array) -> pd.DataFrame:
    """Difference of two groups' means in units of their pooled standard deviation (Cohen 1988).

    Args:
        popular: activations [n, f] of one group.
        unpopular: activations of the other, of any number of rows.

    Returns:
        d, mean_popular, mean_unpopular, std; a row per feature. d is 0 where both groups are constant: without any
        spread there is no unit.
    """
    groups = [Levelled.of(group) for group in (popular, unpopular)]
    means = [np.asarray(x.astype(np.float64).sum(axis=0)).ravel() / x.shape[0] for x in (popular, unpopular)]
    freedom = sum(x.rows for x in groups) - 2
    std = np.sqrt(sum(x.scatter() for x in groups) / max(freedom, 1))
    d = np.divide(mean_difference(*groups), std, out=np.zeros_like(std), where=std > 0)
    return pd.DataFrame({"d": d, "mean_popular": means[0], "mean_unpopular": means[1], "std": std})
