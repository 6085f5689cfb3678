"""What single features stand for: the cases found by search, and lists of single users before and after steering."""

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.control.sweeps import user_shares
from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import encode
from interp.sae.autoencoder import SparseAutoencoder
from interp.model.envoys import RecommenderEnvoy
from interp.features.category_search import search
from interp.steering.edits import Edit, Steer
from interp.store.table_files import Tables
from recmodels.sequences import Histories

UP, DOWN = (2.0, 5.0), (0.0, -2.0)  # the values of the paper's Figure 7


def cases(
    store: ActivationStore, sae: SparseAutoencoder, items: pd.DataFrame, concepts: Concepts, attribute: str
) -> Tables:
    """Tables `cases` and `case_histories` (paper section 7.2.2, Figure 6)."""
    found, histories = search(encode(store, sae), store, items, concepts, attribute)
    return {"cases.csv": found, "case_histories.parquet": histories}


def lists(rec: RecommenderEnvoy, sae: SparseAutoencoder, test: Histories, concepts: Concepts, top: pd.Series) -> Tables:
    """Table `lists`: what two users are recommended while a feature is turned up or down (paper Figure 7).

    The one has the least of the concept in the list, and then in the history; the other has the most.

    Args:
        rec: the recommender with the dictionary attached.
        sae: the dictionary.
        test: the test users.
        concepts: the study's concepts.
        top: a row of the table `concepts`: the concept, and the feature that stands for it.

    Returns:
        user, direction ("up" or "down"), target, feature, value (NaN: not steered), rank, item.
    """
    target, feature = top["concept"], int(top["feature"])
    inputs, _ = test.split_last()
    column = concepts.index(target)
    labels = concepts.labels(rec.recommender.vocabulary.ids)
    listed = user_shares(rec.rank(inputs), labels)[:, column]
    known = np.array([labels[inputs[user], column].mean() for user in range(len(inputs))])
    chosen = {"up": int(np.lexsort((known, listed))[0]), "down": int(np.lexsort((-known, -listed))[0])}
    parts = []
    for direction, user in chosen.items():
        history = inputs.select(np.array([user]))
        for value in (np.nan, *(UP if direction == "up" else DOWN)):
            edits = () if np.isnan(value) else (Edit(feature, value),)
            with rec.steer(Steer(edits, sae.provenance.site)):
                table = rec.recommend(history)
            parts.append(table.assign(direction=direction, target=target, feature=feature, value=value))
    table = pd.concat(parts, ignore_index=True)
    return {"lists.parquet": table.drop(columns="score")}
