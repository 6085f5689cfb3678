"""Similar features of the chosen dictionary, and a map of all of them."""

import numpy as np
import pandas as pd

from interp.activations.feature_matrix import FeatureMatrix
from interp.features.neighbours import coactive_features, direction_map, similar_features
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.table_files import Tables


def neighbours(sae: SparseAutoencoder, test_features: FeatureMatrix) -> Tables:
    """Tables `map` and `neighbours`; see `interp.features.neighbours`.

    Args:
        sae: the chosen dictionary.
        test_features: its activations on the test part.

    Returns:
        map: feature, x, y. neighbours: kind ("together": activations correlate; "alike": directions are similar),
        feature, rank, neighbour, similarity.
    """
    directions = sae.directions.cpu().numpy()
    x, y = direction_map(directions).T
    kinds = {"together": coactive_features(test_features), "alike": similar_features(directions)}
    nearest = pd.concat([table.assign(kind=kind) for kind, table in kinds.items()], ignore_index=True)
    return {
        "map": pd.DataFrame({"feature": np.arange(len(x)), "x": x, "y": y}),
        "neighbours": nearest[["kind", "feature", "rank", "neighbour", "similarity"]],
    }
