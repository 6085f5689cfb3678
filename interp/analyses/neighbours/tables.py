"""Similar features of the chosen dictionary, and a map of all of them."""

import pandas as pd

from interp.activations.feature_matrix import FeatureMatrix
from interp.features.families import map_of
from interp.features.neighbours import coactive_features, direction_map, similar_features
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.table_files import Tables


def neighbours(sae: SparseAutoencoder, test_features: FeatureMatrix) -> Tables:
    """Tables `map` and `neighbours`; see `interp.features.neighbours`.

    Args:
        sae: the chosen dictionary.
        test_features: its activations on the test part.

    Returns:
        map: as `interp.features.families.map_of` returns it. neighbours: kind ("together": activations correlate;
        "alike": directions are similar), feature, rank, neighbour, similarity.
    """
    directions = sae.directions.cpu().numpy()
    kinds = {"together": coactive_features(test_features), "alike": similar_features(directions)}
    nearest = pd.concat([table.assign(kind=kind) for kind, table in kinds.items()], ignore_index=True)
    return {
        "map": map_of(directions, direction_map(directions), test_features),
        "neighbours": nearest[["kind", "feature", "rank", "neighbour", "similarity"]],
    }
