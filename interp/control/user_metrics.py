"""Metrics of lists with one value per user: those of receipts, and your own, such as revenue.

Axes: n users, k places of a list, v items.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from recmodels.errors import InputError, quote
from recmodels.metrics import head_items, user_hits, user_means, user_ndcg
from recmodels.plugins import Registry
from recmodels.wording import counted

UserValues: TypeAlias = Callable[[np.ndarray, np.ndarray | None, pd.DataFrame], np.ndarray]
"""A value for each user, float [n], NaN where there is none: from lists, truth and items (`register_metric`)."""


@dataclass(frozen=True)
class UserMetric:
    """A metric with one value per user.

    Attributes:
        name: what receipts call it, with @ and the length of the list behind it.
        values: gives the values.
        needs_truth: whether it is left out where no held-out items are known.
        version: raised when it gives other values than before.
        own: whether it comes from outside this package.
    """

    name: str
    values: UserValues
    needs_truth: bool
    version: int
    own: bool


_METRICS: Registry[UserMetric] = Registry("there is no metric", "interp.metrics", "interp.register_metric")


def register_metric(name: str, values: UserValues, *, needs_truth: bool = False, version: int = 1) -> UserValues:
    """Register your own metric: receipts show it with its interval, and doses can use it as their cost.

    Args:
        name: what it is called, such as "revenue".
        values: called with lists, int [n, k] of item codes, best first, −1 where a list ran out; with truth, int [n],
            each user's held-out item, or None; and with items, a frame of v rows in code order, indexed by item id,
            with `popularity` (training interactions) and `long_tail` (whether the item is outside the head of the
            catalogue). Gives float [n], NaN for a user without a value. The more, the better.
        needs_truth: whether it is left out where no held-out items are known; if not, it must do with None.
        version: raise it when the metric gives other values than before, so that studies compute receipts again.

    Returns:
        `values`.

    Raises:
        InputError: this package has a metric of that name.
    """
    module = values.__module__
    is_own = module.partition(".")[0] != __name__.partition(".")[0]
    if name == "overlap" or not str(name).isidentifier():
        raise InputError(f"{quote(name)} cannot name a metric: give letters, digits and _, such as revenue")
    _METRICS.add(name, UserMetric(name, values, needs_truth, version, is_own), module)
    return values


def user_metrics(truth: bool = True) -> list[UserMetric]:
    """All metrics, ours first.

    Args:
        truth: whether held-out items are known.

    Raises:
        InputError: an installed package with metrics cannot be imported.
    """
    _METRICS.load()
    return [metric for metric in _METRICS.values() if truth or not metric.needs_truth]


def user_metric(name: str) -> UserMetric:
    """A metric by name.

    Raises:
        InputError: there is none.
    """
    return _METRICS.find(name)


def own_metrics() -> dict[str, int]:
    """The version of each metric that comes from outside this package: what tables with them follow from."""
    return {metric.name: metric.version for metric in user_metrics() if metric.own}


def item_table(popularity: np.ndarray, ids: pd.Index | None = None, head: float = 0.8) -> pd.DataFrame:
    """The item table for metrics: popularity and long_tail, in code order, indexed by item id.

    Args:
        popularity: [v], training interactions in code order.
        ids: [v] item ids; by default the codes.
        head: share of the interactions that makes the head of the catalogue, the rest being the long tail.
    """
    columns = {"popularity": popularity, "long_tail": ~head_items(popularity, head)}
    return pd.DataFrame(columns, index=pd.Index(np.arange(len(popularity)) if ids is None else ids, name="item"))


def values_of(metric: UserMetric, lists: np.ndarray, truth: np.ndarray | None, items: pd.DataFrame) -> np.ndarray:
    """A metric's value for each user: float [n].

    Raises:
        InputError: it gives something else, or needs a truth that is not known.
    """
    if truth is None and metric.needs_truth:
        raise InputError(f"{metric.name} needs held-out items: give histories of at least two items")
    values = np.asarray(metric.values(lists, truth, items), dtype=float)
    if values.shape != lists.shape[:1]:
        raise InputError(
            f"metric {metric.name} gives {values.shape} for {counted(len(lists), 'user')}: give one value for each"
        )
    return values


def _ndcg(lists: np.ndarray, truth: np.ndarray | None, items: pd.DataFrame) -> np.ndarray:
    assert truth is not None
    return user_ndcg(lists, truth)


def _hit_rate(lists: np.ndarray, truth: np.ndarray | None, items: pd.DataFrame) -> np.ndarray:
    assert truth is not None
    return user_hits(lists, truth)


def _long_tail_share(lists: np.ndarray, truth: np.ndarray | None, items: pd.DataFrame) -> np.ndarray:
    return user_means(lists, items["long_tail"].to_numpy())


def _mean_popularity(lists: np.ndarray, truth: np.ndarray | None, items: pd.DataFrame) -> np.ndarray:
    return user_means(lists, items["popularity"].to_numpy())


register_metric("ndcg", _ndcg, needs_truth=True)
register_metric("hit_rate", _hit_rate, needs_truth=True)
register_metric("long_tail_share", _long_tail_share)
register_metric("mean_popularity", _mean_popularity)
