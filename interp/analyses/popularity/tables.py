"""Steers that move exposure from popular items to the long tail, and their price."""

from collections.abc import Mapping

import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.concepts import Concepts
from interp.control.popularity import popularity_features, popularity_steer
from interp.control.receipts import steering_receipt
from interp.model.envoys import RecommenderEnvoy
from interp.store.table_files import Tables
from recmodels.errors import InputError
from recmodels.sequences import Histories

STRENGTHS = (-1.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


def popularity(
    rec: RecommenderEnvoy,
    test_store: ActivationStore,
    test_features: FeatureMatrix,
    steered_users: Histories,
    concepts: Concepts,
    items_table: pd.DataFrame,
    own_metrics: Mapping[str, int],
) -> Tables:
    """Tables `popularity_features` and `popularity`: steers away from popular items (`interp.control.popularity`).

    Args:
        rec: the recommender with a dictionary at the store's site.
        test_store, test_features: hidden states and features of the test part.
        steered_users: the test users whom steering is measured on.
        concepts: the study's concepts.
        items_table: popularity of every item.
        own_metrics: registered metrics from outside this package, which receipts have as well.

    Returns:
        popularity_features: as `interp.control.popularity` returns them. popularity: strength, then the measures of the
        receipt of `popularity_steer` with it. Both are empty where no feature separates popular from unpopular items,
        in a catalogue of a handful of items for example.
    """
    counts = items_table.set_index("item")["popularity"]
    try:
        features = popularity_features(rec, test_store, test_features, counts)
        steers = {strength: popularity_steer(features, test_store.site, strength) for strength in STRENGTHS}
    except InputError:
        empty = [pd.DataFrame(columns=columns) for columns in (["feature", "d"], ["strength", "measure", "after"])]
        return dict(zip(("popularity_features", "popularity"), empty, strict=True))
    parts = []
    for strength, steer in steers.items():
        measures = steering_receipt(rec, steered_users, steer, concepts, counts).measures
        measures.insert(0, "strength", strength)
        parts.append(measures)
    return {"popularity_features": features, "popularity": pd.concat(parts, ignore_index=True)}
