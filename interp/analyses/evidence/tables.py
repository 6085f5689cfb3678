"""Features, neurons and baselines on unseen items and users, and against permuted concepts."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.concepts import Concepts
from interp.concepts.alignment import Activations
from interp.concepts.evidence import Evidence, ItemTest, Rows, evidence_of
from interp.concepts.resampling import interval
from interp.store.table_files import Tables

FEATURES, NEURONS = "features", "neurons"
ABOUT = {FEATURES: "the dictionary’s features", NEURONS: "the neurons of the site"}
BY_CHANCE = 0.05  # as the paper: a p-value up to which a concept counts as above the null


def evidence_tables(
    test_store: ActivationStore,
    validation_store: ActivationStore,
    test_features: FeatureMatrix,
    validation_features: FeatureMatrix,
    concepts: Concepts,
    other_concepts: Mapping[str, Concepts],
) -> Tables:
    """Tables `evidence`, `evidence_summary`, `feature_evidence`, `attribute_evidence` (`interp.concepts.evidence`).

    Args:
        test_store, validation_store: hidden states of the users who are measured, and of those who may choose.
        test_features, validation_features: what the dictionary makes of them.
        concepts: the study's concepts.
        other_concepts: attribute → more concepts. Steps of items of which they are not known are left out.
    """
    neurons = (np.asarray(store.activations, dtype=np.float64) for store in (test_store, validation_store))
    sources = {
        name: (_rows(test, test_store), _rows(validation, validation_store))
        for name, (test, validation) in {
            FEATURES: (test_features, validation_features),
            NEURONS: tuple(neurons),
        }.items()
    }
    items = [store.rows["item"].to_numpy() for store in (test_store, validation_store)]
    item_test = ItemTest(concepts, *items)
    results = {name: evidence_of(item_test, test, others, name) for name, (test, others) in sources.items()}
    others = []
    for attribute, of_items in other_concepts.items():
        for name in (FEATURES, NEURONS):
            test, validation = (_known(rows, of_items) for rows in sources[name])
            other_test = ItemTest(of_items, test.items, validation.items)
            table = evidence_of(other_test, test, validation, f"{name}, {attribute}").concepts
            known = len(test.items) / len(test_store)
            others.append(table.assign(attribute=attribute, source=name, known=known))
    by_source = [result.concepts.assign(source=name) for name, result in results.items()]
    first = results[FEATURES]
    return {
        "evidence": pd.concat(by_source, ignore_index=True),
        "evidence_summary": pd.DataFrame(
            [
                {
                    **_summary(name, sources[name][0].activations, result, first),
                    "users": len(test_store.users[1]),
                    "items": len(item_test.items),
                }
                for name, result in results.items()
            ]
        ),
        "feature_evidence": first.candidates.rename(columns={"candidate": "feature"}),
        "attribute_evidence": pd.concat(others, ignore_index=True)
        if others
        else by_source[0].iloc[:0].assign(attribute="", known=1.0),
    }


def _rows(activations: Activations, store: ActivationStore) -> Rows:
    return Rows(activations, store.rows["item"].to_numpy(), store.rows["user"].to_numpy())


def _known(rows: Rows, concepts: Concepts) -> Rows:
    """The rows of items of which it is known which concepts they have."""
    known = concepts.is_known(rows.items)
    return rows if known.all() else Rows(rows.activations[known], rows.items[known], rows.users[known])


def _summary(name: str, activations: Activations, result: Evidence, first: Evidence) -> dict[str, object]:
    """A row of the table `evidence_summary`."""
    table = result.concepts
    low, high = interval(result.resamples.mean(axis=1))
    # The same users are drawn for both, so that what they share cancels.
    ahead_low, ahead_high = interval((first.resamples - result.resamples).mean(axis=1))
    n, f = activations.shape
    active = activations.nnz if sparse.issparse(activations) else np.count_nonzero(activations)
    return {
        "source": name,
        "about": ABOUT[name],
        "candidates": f,
        "l0": active / n,
        "concepts": len(table),
        "correlation": table["correlation"].mean(),
        "null": table["null"].mean(),
        "above_null": (table["p"] <= BY_CHANCE).sum(),
        "unseen_items": table["unseen_items"].mean(),
        "unseen_items_low": low,
        "unseen_items_high": high,
        "unseen_users": table["unseen_users"].mean(),
        "unseen_both": table["unseen_both"].mean(),
        "passes": table["passes"].sum(),
        "ahead": (first.concepts["unseen_items"] - table["unseen_items"]).mean(),
        "ahead_low": ahead_low,
        "ahead_high": ahead_high,
    }
