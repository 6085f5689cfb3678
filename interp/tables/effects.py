"""What the chosen dictionary's reconstruction costs, and what each of its features does to the scores."""

from interp.dictionaries.fidelity import downstream
from interp.dictionaries.sae import SparseAutoencoder
from interp.envoys import RecommenderEnvoy
from interp.meaning.effects import mean_jacobian, promoted_items
from interp.tables.store import Tables
from recmodels.sequences import Histories


def effects(rec: RecommenderEnvoy, sae: SparseAutoencoder, test: Histories, site: str) -> Tables:
    """Table `recommender`: ranking metrics, also through the reconstruction; `effects`: items promoted, suppressed."""
    inputs, _ = test.split_last()
    jacobian = mean_jacobian(rec, inputs, site, step=sae.std)
    return {
        "recommender.csv": downstream(rec, test, site),
        "effects.parquet": promoted_items(jacobian, sae, rec.recommender.vocabulary.ids),
    }
