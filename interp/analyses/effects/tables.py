"""What the chosen dictionary's reconstruction costs, and what each of its features does to the scores."""

import pandas as pd

from interp.activations.fidelity import downstream
from interp.features.effects import mean_jacobian, paths, promoted_items
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.table_files import Tables
from recmodels.sequences import Histories


def effects(rec: RecommenderEnvoy, sae: SparseAutoencoder, test_users: Histories, site: str) -> Tables:
    """Tables `recommender` and `effects`.

    Returns:
        recommender: ranking metrics, also through the reconstruction. effects: path ("layers": through those after the
        site, or "direct", see `paths`), then the columns of `promoted_items`.
    """
    inputs, _ = test_users.split_last()
    parts = []
    for path, change in paths(rec, site).items():
        jacobian = mean_jacobian(rec, inputs, change, step=sae.std)
        items = promoted_items(jacobian, sae, rec.recommender.vocabulary.ids)
        items.insert(0, "path", path)
        parts.append(items)
    return {"recommender": downstream(rec, test_users, site), "effects": pd.concat(parts, ignore_index=True)}
