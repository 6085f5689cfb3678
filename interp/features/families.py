"""Groups of features on the map: families of near-duplicates, clusters of neighbours, and what a cluster shares.

Axes: n rows of a store, d hidden size, f features.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from interp.activations.feature_matrix import FeatureMatrix
from interp.features.neighbours import cosines
from recmodels.moments import Levelled, correlation

# Cosine of directions, and correlation of activations, from which two features are near-duplicates. 0.7 is the cosine
# from which Paulo and Belrose ("Sparse Autoencoders Trained on the Same Data Learn Different Features", 2025) count
# two latents as one; correlation is asked to reach as much, as directions may be alike where activations are not.
ALIKE = 0.7
SMALLEST = 5  # features of a cluster
NEAREST = 2  # of HDBSCAN: neighbours within reach of a point of a cluster; with more, most features are in none
FALSE_DISCOVERIES = 0.05  # expected share of the names of clusters that are chance (Benjamini and Hochberg 1995)
SHARED = 3  # features of a cluster, at least, that share its name


def map_of(directions: np.ndarray, places: np.ndarray, activations: FeatureMatrix) -> pd.DataFrame:
    """Features on the map, with their groups.

    Args:
        directions: of the features [f, d].
        places: on the map [f, 2].
        activations: of the features [n, f].

    Returns:
        feature, x, y, family (the smallest number of a feature in its family), cluster (−1 for none).
    """
    columns = Levelled.of(activations)
    family = families(np.minimum(cosines(directions), correlation(columns, columns)))
    cluster, alive = np.full(len(places), -1), np.diff(activations.indptr) > 0
    cluster[alive] = clusters(places[alive])
    x, y = places.T
    return pd.DataFrame({"feature": np.arange(len(x)), "x": x, "y": y, "family": family, "cluster": cluster})


def families(similarity: np.ndarray, limit: float = ALIKE) -> np.ndarray:
    """Families of near-duplicates: within a family, every two features are alike.

    By complete linkage, so that a chain of features that are alike in pairs is not one family.

    Args:
        similarity: of every two features, float [f, f]: the smaller of the cosine of their directions and the
            correlation of their activations.
        limit: from which two features are near-duplicates.

    Returns:
        The smallest number of a feature in each feature's family [f]; its own where it has no near-duplicate.
    """
    f = len(similarity)
    if f < 2:
        return np.arange(f)
    distance = 1 - np.minimum(similarity, similarity.T)
    np.fill_diagonal(distance, 0)
    groups = fcluster(linkage(squareform(distance, checks=False), "complete"), 1 - limit + 1e-9, "distance")
    first = pd.Series(np.arange(f)).groupby(groups).transform("min")
    return first.to_numpy()


def clusters(places: np.ndarray) -> np.ndarray:
    """Clusters of features that lie together on the map, by HDBSCAN (Campello, Moulavi and Sander 2013).

    It finds their number itself, and leaves out what lies apart. It reads the map, which is what people see, because
    among the directions themselves, which are nearly orthogonal, it leaves out most. So a cluster is a region of the
    map; whether its features share anything is tested by `cluster_names`.

    Args:
        places: of the features on the map, float [f, 2].

    Returns:
        int [f]: from 0, the largest first; −1 for features in no cluster.
    """
    if len(places) <= SMALLEST:
        return np.full(len(places), -1)
    from sklearn.cluster import HDBSCAN  # here, as a study opens without scikit-learn

    groups = HDBSCAN(min_cluster_size=SMALLEST, min_samples=NEAREST, copy=True).fit_predict(places)
    sizes = np.bincount(groups[groups >= 0])
    order = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return np.where(groups >= 0, np.append(order, -1)[groups], -1)


def heads(family: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The feature that stands for each feature's family: the member that comes first in an order.

    Args:
        family: of each feature, int [f].
        order: place of each feature in the order [f]; of equal ones the smaller number comes first.

    Returns:
        int [f].
    """
    table = pd.DataFrame({"family": family, "order": order}).sort_values("order", kind="stable")
    first = table.reset_index(names="feature").drop_duplicates("family").set_index("family")["feature"]
    return first.loc[family].to_numpy()


def cluster_names(cluster: np.ndarray, terms: Sequence[str | None]) -> pd.DataFrame:
    """What the members of a cluster share that the rest of the map does not: one name for each cluster, or none.

    For every cluster and every term that at least `SHARED` members of the map have: the chance of at least as many of
    them among as many members drawn from the whole map (Fisher's exact test, one-sided), corrected for the number of
    all these tests.

    Args:
        cluster: of each member, int [f]; −1 for none. A family of near-duplicates counts once: take its head.
        terms: what each member is called [f]; None for nothing.

    Returns:
        cluster, members (of it), name (the term with the smallest p that passes and that `SHARED` members have; empty
        where none does), count (members of the cluster that have it), elsewhere (members of the map outside that have
        it), others (members outside), and q of that term; a row for each cluster.
    """
    f, inside = len(cluster), cluster >= 0
    sizes = pd.Series(cluster[inside], dtype=int).value_counts().sort_index()
    term = pd.Series(terms, dtype=object)
    totals = term.value_counts()
    totals = totals[totals >= SHARED].sort_index()
    counts = pd.crosstab(pd.Series(cluster), term).reindex(index=sizes.index, columns=totals.index, fill_value=0)
    count, total, size = counts.to_numpy(int), totals.to_numpy(int)[None], sizes.to_numpy(int)[:, None]
    from scipy.stats import false_discovery_control, hypergeom  # here, as a study opens without it

    p = hypergeom.sf(count - 1, f, total, size)
    q = false_discovery_control(p.ravel()).reshape(p.shape) if p.size else p
    passes = (q <= FALSE_DISCOVERIES) & (count >= SHARED)
    rows = []
    for row, (name, members) in enumerate(sizes.items()):
        facts = {"cluster": name, "members": members, "others": f - members}
        if passes[row].any():
            best = np.where(passes[row], p[row], 2).argmin()
            n = count[row, best]
            facts |= {"name": totals.index[best], "count": n, "elsewhere": total[0, best] - n, "q": q[row, best]}
        rows.append({"name": "", "count": 0, "elsewhere": 0, "q": np.nan} | facts)
    return pd.DataFrame(rows, columns=["cluster", "members", "name", "count", "elsewhere", "others", "q"])
