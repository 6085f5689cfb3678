"""Labels of features: learnt on the users that trained the dictionary, tested on other users and other items."""

import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.concepts import Concepts
from interp.features.item_activity import count_by_item
from interp.features.label_folds import label_halves, share_of_halves
from interp.features.labels import label_features
from interp.features.predicates import predicates
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.table_files import Tables


def labels(
    sae: SparseAutoencoder,
    train_store: ActivationStore,
    train_features: FeatureMatrix,
    test_store: ActivationStore,
    test_features: FeatureMatrix,
    catalogue: pd.DataFrame,
    concepts: Concepts,
    attribute: str,
) -> Tables:
    """Tables `labels`, `label_kinds` and `label_items`; see `interp.features.labels.label_features`.

    Args:
        sae: the dictionary.
        train_store, train_features: hidden states and features of the part that it was trained on.
        test_store, test_features: those of the test part.
        catalogue: the item table.
        concepts: the study's concepts.
        attribute: what they are values of.
    """
    found = count_by_item(
        sae, (train_features, train_store.rows["item"]), (test_features, test_store.rows["item"]), concepts
    )
    occurring = catalogue.loc[found.training.items.union(found.unseen.items)]
    said = predicates(occurring, concepts, attribute, found.training.by_item)
    halves = label_halves(occurring.index, concepts, found.training.by_item)
    table, kinds, examples = label_features(said, found, share_of_halves(said, found, halves))
    return {"labels": table, "label_kinds": kinds, "label_items": examples}
