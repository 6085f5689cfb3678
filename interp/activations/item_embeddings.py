"""The embeddings of the steps' own items in the place of activations: what is there without positions and context."""

from pathlib import Path

import numpy as np

from interp.activations.activation_store import KIND, ActivationStore, describe
from interp.model.envoys import RecommenderEnvoy
from recmodels import artifacts

SITE = "item embeddings"


def item_embeddings(rec: RecommenderEnvoy, store: ActivationStore, folder: Path) -> ActivationStore:
    """A store with the rows of another one, each with the input embedding of its item.

    Args:
        rec: the recommender that the rows were collected from.
        store: the rows.
        folder: where the new store is written; the same store there is only opened.

    Raises:
        InputError: all embeddings are equal, or the folder holds something else.
    """
    recommender = rec.recommender
    inputs = {"recommender": recommender.fingerprint, "site": SITE, "rows": store.fingerprint}
    if not artifacts.is_current(folder, KIND, inputs):
        codes = recommender.vocabulary.encode(store.rows["item"])
        embeddings = recommender.model.item_embeddings().detach().cpu().float().numpy()
        artifacts.discard_partial(folder, KIND)
        with artifacts.writing(folder, KIND, inputs) as partial:
            np.save(partial / "activations.npy", embeddings[codes])
            describe(partial, store.rows, recommender.fingerprint, SITE)
    return ActivationStore.load(folder)
