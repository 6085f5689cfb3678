"""What lights up on each item, which items light up the same features, and in whose lists each item is."""

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.features.item_means import ItemMeans
from interp.model.envoys import RecommenderEnvoy
from interp.store.table_files import Tables
from recmodels.sequences import Histories

K = 10  # length of the lists


def item_profiles(
    rec: RecommenderEnvoy,
    train_store: ActivationStore,
    train_features: FeatureMatrix,
    test_store: ActivationStore,
    test_features: FeatureMatrix,
    test_users: Histories,
) -> Tables:
    """Tables `item_profiles`, `item_features` and `item_neighbours`; see `interp.features.item_means`.

    Means are over the steps of both parts, so that fewer items rest on a step or two. Nothing is tested on them.

    Args:
        rec: the recommender.
        train_store, train_features: hidden states and features of the part that the dictionary was trained on.
        test_store, test_features: those of the test part.
        test_users: the test users, whose lists are counted; the last item of each is held out.

    Returns:
        item_profiles: item, steps, users (who can have the item in a list: unless `keep_seen`, those whose history
        lacks it), lists (of these, how many have it in their top 10), place (in these lists, on average).
        item_features: item, rank, feature, activation, above. item_neighbours: item, rank, neighbour, similarity.
    """
    ids = rec.recommender.vocabulary.ids
    pairs = ((train_store, train_features), (test_store, test_features))
    means = ItemMeans.of([(values, ids.get_indexer(store.rows["item"])) for store, values in pairs], len(ids))
    neighbours = means.neighbours()
    return {
        "item_profiles": pd.DataFrame({"item": ids, "steps": means.steps, **_lists(rec, test_users)}),
        "item_features": _with_ids(means.features(), ids),
        "item_neighbours": _with_ids(neighbours.assign(neighbour=ids[neighbours["neighbour"]]), ids),
    }


def _lists(rec: RecommenderEnvoy, users: Histories) -> dict[str, np.ndarray]:
    """In how many lists each item is, at which place on average, and how many users can have it."""
    inputs, _ = users.split_last()
    lists, v = rec.rank(inputs, K), len(rec.recommender.vocabulary.ids)
    filled = lists >= 0
    counts = np.bincount(lists[filled], minlength=v)
    places = np.broadcast_to(np.arange(1, lists.shape[1] + 1), lists.shape)
    total = np.bincount(lists[filled], weights=places[filled], minlength=v)
    seen = np.zeros(v, dtype=int)
    for user in range(0 if rec.keep_seen else len(inputs)):
        seen[np.unique(inputs[user])] += 1
    place = np.divide(total, counts, out=np.full(v, np.nan), where=counts > 0)
    return {"users": len(inputs) - seen, "lists": counts, "place": place}


def _with_ids(table: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """The same with item ids in place of codes."""
    table.insert(0, "item", ids[table.pop("code")])
    return table
