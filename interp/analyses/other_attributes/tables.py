"""Features and neurons on unseen items for other attributes of the items (paper Appendix C)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.concepts import Concepts
from interp.concepts.evidence import Evidence, ItemTest, evidence_of
from interp.features.candidate_rows import KINDS, MEANS, PARTS, known_rows, means_of, own_candidates, rows_of
from interp.features.candidates import Candidates, Part
from interp.store.table_files import Tables

VALUES = ("attribute", "known", "source", *(column.split(":")[0] for column in KINDS.split()))
SUMMARY = ("attribute", "source", "known", "users", "values", "items", *MEANS)


def other_attributes(
    test_store: ActivationStore,
    validation_store: ActivationStore,
    test_features: FeatureMatrix,
    validation_features: FeatureMatrix,
    other_concepts: Mapping[str, Concepts],
) -> Tables:
    """Tables `attribute_evidence`, what `interp.concepts.evidence` says of each value, and `attribute_summary`.

    Args:
        test_store, validation_store: hidden states of the users who are measured, and of those who may choose.
        test_features, validation_features: what the dictionary makes of them.
        other_concepts: attribute → its values. Steps of items of which they are not known are left out.
    """
    stores: dict[Part, ActivationStore] = {"test": test_store, "sae_validation": validation_store}
    own = own_candidates(stores, {"test": test_features, "sae_validation": validation_features})
    parts = [attribute_evidence(attribute, values, own, stores) for attribute, values in other_concepts.items()]
    if not parts:
        return {"attribute_evidence": pd.DataFrame(columns=VALUES), "attribute_summary": pd.DataFrame(columns=SUMMARY)}
    values, summaries = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    return {"attribute_evidence": values, "attribute_summary": summaries}


def attribute_evidence(
    attribute: str, concepts: Concepts, candidates: Sequence[Candidates], stores: Mapping[Part, ActivationStore]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """An attribute's rows of the tables `attribute_evidence` and `attribute_summary`.

    Steps of items whose values are not known are left out.

    Args:
        attribute: its name.
        concepts: its values.
        candidates: `own_candidates`.
        stores: hidden states of "test" and "sae_validation".

    Raises:
        InputError: every value is on all known steps or on none.
    """
    tables, summaries = [], []
    results: list[Evidence] = []
    for source in candidates:
        test, validation = (known_rows(rows_of(source, stores[part], part), concepts) for part in PARTS)
        item_test = ItemTest(concepts, test.items, validation.items)
        results.append(evidence_of(item_test, test, validation, f"{source.name}, {attribute}"))
        table, known = results[-1].concepts, len(test.items) / len(stores["test"])
        about = {"attribute": attribute, "source": source.name, "known": known}
        tables.append(table.assign(**about))
        counts = {"users": len(np.unique(test.users)), "values": len(table), "items": table["items"].median()}
        summaries.append(about | counts | means_of(results[-1], results[0]))
    return pd.concat(tables, ignore_index=True), pd.DataFrame(summaries)
