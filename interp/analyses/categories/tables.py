"""Features that stand for more than the study's concepts: the cases found by search (paper section 7.2.2)."""

import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.concepts import Concepts
from interp.features.category_search import search
from interp.store.table_files import Tables


def categories(
    test_store: ActivationStore,
    test_features: FeatureMatrix,
    catalogue: pd.DataFrame,
    concepts: Concepts,
    attribute: str,
) -> Tables:
    """Tables `cases` and `case_histories` (paper Figure 6); see `interp.features.category_search`."""
    cases, histories = search(test_features, test_store, catalogue, concepts, attribute)
    return {"cases": cases, "case_histories": histories}
