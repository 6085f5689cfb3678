"""What features are called: labels that are learnt on the users of the dictionary and proven on others."""

import pandas as pd

from interp.concepts import Concepts
from interp.activations.activation_store import ActivationStore
from interp.sae.autoencoder import SparseAutoencoder
from interp.features.item_activity import activity
from interp.features.labels import label_features
from interp.features.predicates import predicates
from interp.store.table_files import Tables


def labels(
    sae: SparseAutoencoder,
    learnt_on: ActivationStore,
    test: ActivationStore,
    items: pd.DataFrame,
    concepts: Concepts,
    attribute: str,
) -> Tables:
    """Tables `labels`, `label_kinds` and `label_items`; see `interp.features.labels.label_features`.

    Args:
        sae: the dictionary.
        learnt_on: activations of the part that it was trained on.
        test: activations of the test part.
        items: the item table.
        concepts: the study's concepts.
        attribute: what they are values of.
    """
    found = activity(sae, learnt_on, test, concepts)
    occurring = items.loc[found.learnt.items.union(found.unseen.items)]
    said = predicates(occurring, concepts, attribute, found.learnt.by_item)
    table, kinds, examples = label_features(said, found)
    return {"labels.parquet": table, "label_kinds.csv": kinds, "label_items.parquet": examples}
