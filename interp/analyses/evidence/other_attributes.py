"""Other attributes of the items on unseen items (paper Appendix C): each value, and means over values."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.analyses.evidence.candidate_rows import MEANS, PARTS, known_rows, means_of, rows_of
from interp.concepts import Concepts
from interp.concepts.evidence import Evidence, ItemTest, evidence_of
from interp.features.candidates import Candidates, Part

SUMMARY = ("attribute", "source", "known", "users", "values", "items", *MEANS)


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
