"""How the features of the chosen dictionary lie to each other."""

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import encode
from interp.features.neighbours import alike, direction_map, together
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.table_files import Tables


def neighbours(store: ActivationStore, sae: SparseAutoencoder) -> Tables:
    """Tables `map` and `neighbours`; see `interp.features.neighbours`.

    Args:
        store: activations of the test part.
        sae: the chosen dictionary.

    Returns:
        map: feature, x, y. neighbours: kind ("together": activations correlate; "alike": directions are similar),
        feature, rank, neighbour, similarity.
    """
    directions = sae.directions.cpu().numpy()
    x, y = direction_map(directions).T
    kinds = {"together": together(encode(store, sae)), "alike": alike(directions)}
    nearest = pd.concat([table.assign(kind=kind) for kind, table in kinds.items()], ignore_index=True)
    return {
        "map.parquet": pd.DataFrame({"feature": np.arange(len(x)), "x": x, "y": y}),
        "neighbours.parquet": nearest[["kind", "feature", "rank", "neighbour", "similarity"]],
    }
