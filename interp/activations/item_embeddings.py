"""The embeddings of the steps' own items in the place of activations: what is there without positions and context."""

from pathlib import Path

import numpy as np

from interp.activations.activation_store import KIND, ActivationStore, describe
from interp.activations.growing_rows import RowsSoFar
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
            activations = embeddings[codes]
            np.save(partial / "activations.npy", activations)
            so_far = RowsSoFar(np.array([0, len(codes)]))
            so_far.take(activations)
            describe(partial, store.rows, recommender.fingerprint, SITE, so_far.moments(activations.shape[1]))
    return ActivationStore.load(folder)
