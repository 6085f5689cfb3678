"""Features, neurons and baselines on unseen items and users, and against permuted concepts."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.concepts import Concepts
from interp.concepts.alignment import Activations
from interp.concepts.evidence import Evidence, ItemTest, evidence_of
from interp.features.candidate_rows import PARTS, means_of, own_candidates, rows_of
from interp.features.candidates import Candidates, Part
from interp.store.table_files import Tables

BY_CHANCE = 0.05  # as the paper: a p-value up to which a concept counts as above the null


def evidence_tables(
    test_store: ActivationStore,
    validation_store: ActivationStore,
    test_features: FeatureMatrix,
    validation_features: FeatureMatrix,
    concepts: Concepts,
    baselines: Sequence[Candidates],
) -> Tables:
    """Tables `evidence`, `evidence_summary` and `feature_evidence`.

    `interp.concepts.evidence` says what is in them.

    Args:
        test_store, validation_store: hidden states of the users who are measured, and of those who may choose.
        test_features, validation_features: what the dictionary makes of them.
        concepts: the study's concepts.
        baselines: what features have to beat.
    """
    stores: dict[Part, ActivationStore] = {"test": test_store, "sae_validation": validation_store}
    own = own_candidates(stores, {"test": test_features, "sae_validation": validation_features})
    item_test = ItemTest(concepts, *(store.rows["item"].to_numpy() for store in stores.values()))
    results: list[Evidence] = []
    summaries = []
    for candidates in (*own, *baselines):
        test, validation = (rows_of(candidates, stores[part], part) for part in PARTS)
        results.append(evidence_of(item_test, test, validation, candidates.name))
        summaries.append(_summary(candidates, test.activations, results[-1], results[0]))
    names = [candidates.name for candidates in (*own, *baselines)]
    by_source = [result.concepts.assign(source=name) for name, result in zip(names, results, strict=True)]
    return {
        "evidence": pd.concat(by_source, ignore_index=True),
        "evidence_summary": pd.DataFrame(summaries).assign(users=len(test_store.users[1]), items=len(item_test.items)),
        "feature_evidence": results[0].candidates.rename(columns={"candidate": "feature"}),
    }


def _summary(candidates: Candidates, activations: Activations, result: Evidence, first: Evidence) -> dict[str, object]:
    """A row of the table `evidence_summary`."""
    table, (n, f) = result.concepts, activations.shape
    active = activations.nnz if sparse.issparse(activations) else np.count_nonzero(activations)
    return {
        "source": candidates.name,
        "about": candidates.about,
        "candidates": f,
        "l0": active / n,
        "concepts": len(table),
        "above_null": (table["p"] <= BY_CHANCE).sum(),
        "unseen_items_null": table["unseen_items_null"].mean(),
        "unseen_users": table["unseen_users"].mean(),
        "unseen_both": table["unseen_both"].mean(),
        **means_of(result, first),
    }
