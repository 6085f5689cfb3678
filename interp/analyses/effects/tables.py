"""What the chosen dictionary's reconstruction costs, and what each of its features does to the scores."""

import pandas as pd

from interp.activations.fidelity import downstream
from interp.features.effects import LAYERS, item_effects, mean_jacobian, paths, promoted_items
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.table_files import Tables
from recmodels.sequences import Histories


def effects(
    rec: RecommenderEnvoy, sae: SparseAutoencoder, test_users: Histories, site: str, features_table: pd.DataFrame
) -> Tables:
    """Tables `recommender`, `effects` and `item_effects`.

    Returns:
        recommender: ranking metrics, also through the reconstruction. effects: path ("layers": through those after the
        site, or "direct", see `paths`), then the columns of `promoted_items`. item_effects: the columns of
        `interp.features.effects.item_effects`, through the layers; a unit of a feature is its 99th percentile.
    """
    inputs, _ = test_users.split_last()
    units = features_table.sort_values("feature")["p99"].to_numpy()
    parts, by_item = [], pd.DataFrame()
    for path, change in paths(rec, site).items():
        jacobian = mean_jacobian(rec, inputs, change, step=sae.std)
        items = promoted_items(jacobian, sae, rec.recommender.vocabulary.ids)
        items.insert(0, "path", path)
        parts.append(items)
        if path == LAYERS:
            by_item = item_effects(jacobian, sae, rec.recommender.vocabulary.ids, units)
    table = pd.concat(parts, ignore_index=True)
    return {"recommender": downstream(rec, test_users, site), "effects": table, "item_effects": by_item}
