"""The recommender beside a list of the most popular items, user by user."""

from typing import Any

import numpy as np
import pandas as pd

from interp.control.intervals import exposure_and_jackknife, of_exposure, of_means
from interp.model.envoys import RecommenderEnvoy
from interp.store.table_files import Tables
from recmodels.bootstrap import Resampling
from recmodels.metrics import user_hits, user_ndcg
from recmodels.most_popular import popular_lists
from recmodels.sequences import Histories

K = 10  # length of the lists


def most_popular(
    rec: RecommenderEnvoy, test_users: Histories, sae_users: Histories, items_table: pd.DataFrame, split_kind: str
) -> Tables:
    """Table `most_popular`: each user's last item is to be predicted, by the recommender and by popularity.

    Both leave out what is in the user's history already, unless `keep_seen`.

    Args:
        rec: the recommender.
        test_users: the test users.
        sae_users: all users of the SAE part, who are more; a recommender that the study trained saw none of them.
        items_table: training interactions of every item, `popularity`, in code order.
        split_kind: under "leave-one-out" all users together are a part too, as in the literature.

    Returns:
        part ("test", "sae", "all"), measure, users, then the columns of `beside`.
    """
    popularity = items_table["popularity"].to_numpy()
    parts, users = [], {"test": test_users, "sae": sae_users}
    if split_kind == "leave-one-out":
        users["all"] = Histories.concatenated([test_users, sae_users])
    for part, histories in users.items():
        inputs, truth = histories.split_last()
        lists, popular = rec.rank(inputs, K), popular_lists(popularity, inputs, K, rec.keep_seen)
        table = beside(lists, popular, truth, len(popularity))
        table.insert(0, "part", part)
        table.insert(2, "users", len(truth))
        parts.append(table)
    return {"most_popular": pd.concat(parts, ignore_index=True)}


def beside(
    lists: np.ndarray, popular: np.ndarray, truth: np.ndarray, n_items: int, resampling: Resampling | None = None
) -> pd.DataFrame:
    """Two kinds of lists of the same users: NDCG, hit rate and coverage, standard errors, and the paired difference.

    Standard errors of means over users are s / √n with n − 1 in s; those of coverage are the jackknife's, and so are
    its bounds. Other bounds are bootstrapped over users (`interp.control.intervals`).

    Args:
        lists: of the recommender, int [n, k].
        popular: of the most popular items, int [n, k].
        truth: int [n], each user's held-out item.
        n_items: size of the catalogue.
        resampling: how bounds are made.

    Returns:
        measure (such as "ndcg@10"), recommender, recommender_se, most_popular, most_popular_se, difference,
        difference_se, difference_low and difference_high; errors and bounds are NaN for one user.
    """
    resampling = resampling or Resampling()
    sides = {"recommender": lists, "most_popular": popular}
    values = {name: _user_values(side, truth) for name, side in sides.items()}
    without = {name: exposure_and_jackknife(side, n_items)[1][:, 0] for name, side in sides.items()}
    for estimates in (values, without):
        estimates["difference"] = estimates["recommender"] - estimates["most_popular"]
    means = of_means(values["most_popular"], values["recommender"], resampling)
    changes = pd.concat([means, of_exposure(popular, lists, n_items, resampling).iloc[[0]]], ignore_index=True)
    k = lists.shape[1]
    columns: dict[str, Any] = {"measure": [f"ndcg@{k}", f"hit_rate@{k}", f"coverage@{k}"]}
    for name, estimate in {"recommender": "after", "most_popular": "before", "difference": "change"}.items():
        columns[name] = changes[estimate]
        columns[f"{name}_se"] = np.append(_standard_errors(values[name]), _jackknife_error(without[name]))
    return pd.DataFrame(columns).assign(difference_low=changes["change_low"], difference_high=changes["change_high"])


def _user_values(lists: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """NDCG and hit of each user: float [n, 2]."""
    return np.column_stack([user_ndcg(lists, truth), user_hits(lists, truth)]).astype(float)


def _standard_errors(values: np.ndarray) -> np.ndarray:
    """Of the mean of each column of values [n, m]: [m]."""
    n = len(values)
    return values.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(values.shape[1], np.nan)


def _jackknife_error(without: np.ndarray) -> float:
    """Of an estimate, from its values without each user in turn, [n] (Efron and Stein 1981)."""
    n = len(without)
    return float(np.sqrt((n - 1) * without.var())) if n > 1 else float("nan")
