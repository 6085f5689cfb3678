"""What the chosen dictionary's reconstruction costs, and what each of its features does to the scores."""

import pandas as pd

from interp.activations.fidelity import downstream
from interp.sae.autoencoder import SparseAutoencoder
from interp.model.envoys import RecommenderEnvoy
from interp.features.effects import mean_jacobian, promoted_items
from interp.store.table_files import Tables
from recmodels.sequences import Histories

LAYERS, DIRECT = "layers", "direct"


def paths(rec: RecommenderEnvoy, site: str) -> dict[str, str]:
    """The sites whose outputs are pushed: the features' own, and the last block's, from which only scoring follows.

    The second is the direct path: what a feature writes goes past the blocks in between. Where no block follows the
    site, the two are the same, and there is only the first.
    """
    last = f"blocks.{rec.recommender.model.config.num_hidden_layers - 1}"
    return {LAYERS: site} if site in (last, "final") else {LAYERS: site, DIRECT: last}


def effects(rec: RecommenderEnvoy, sae: SparseAutoencoder, test: Histories, site: str) -> Tables:
    """Tables `recommender` and `effects`.

    Returns:
        recommender: ranking metrics, also through the reconstruction. effects: path ("layers": through those after the
        site, or "direct", see `paths`), then the columns of `promoted_items`.
    """
    inputs, _ = test.split_last()
    parts = []
    for path, pushed in paths(rec, site).items():
        jacobian = mean_jacobian(rec, inputs, pushed, step=sae.std)
        found = promoted_items(jacobian, sae, rec.recommender.vocabulary.ids)
        found.insert(0, "path", path)
        parts.append(found)
    return {"recommender.csv": downstream(rec, test, site), "effects.parquet": pd.concat(parts, ignore_index=True)}
