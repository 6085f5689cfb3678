"""Other attributes of the items on unseen items (paper Appendix C): each value, and means with intervals over users."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.concepts import Concepts
from interp.concepts.alignment import Activations
from interp.concepts.evidence import FEATURES, NEURONS, Evidence, ItemTest, Rows, evidence_of
from interp.features.candidates import Candidates, Part
from recmodels.bootstrap import percentile_interval

ABOUT = {FEATURES: "the dictionary’s features", NEURONS: "the neurons of the site"}
PARTS: tuple[Part, Part] = ("test", "sae_validation")  # who is measured, and who may choose
MEANS = (
    *("correlation", "null", "unseen_items", "unseen_items_low", "unseen_items_high", "passes"),
    *("ahead", "ahead_low", "ahead_high"),
)
SUMMARY = ("attribute", "source", "known", "users", "values", "items", *MEANS)


def own_candidates(stores: Mapping[Part, ActivationStore], features: Mapping[Part, Activations]) -> list[Candidates]:
    """The features and the neurons, from which every comparison starts.

    Args:
        stores: hidden states of "test" and "sae_validation".
        features: what the dictionary makes of them.
    """
    neurons = {part: np.asarray(store.activations, dtype=np.float64) for part, store in stores.items()}
    both: dict[str, Mapping[Part, Activations]] = {FEATURES: features, NEURONS: neurons}
    return [Candidates(name, ABOUT[name], of["test"].shape[1], of.__getitem__) for name, of in both.items()]


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


def rows_of(candidates: Candidates, store: ActivationStore, part: Part) -> Rows:
    """The candidates on the rows of a part."""
    activations = candidates.activations(part)
    return Rows(activations, store.rows["item"].to_numpy(), store.rows["user"].to_numpy())


def known_rows(rows: Rows, concepts: Concepts) -> Rows:
    """The rows of items of which it is known which concepts they have."""
    known = concepts.is_known(rows.items)
    return rows if known.all() else Rows(rows.activations[known], rows.items[known], rows.users[known])


def means_of(result: Evidence, features: Evidence) -> dict[str, Any]:
    """Means over concepts, with 95% intervals over users, and how far features are ahead on unseen items.

    Args:
        result: of some candidates.
        features: of the features, on the same rows: the same users are drawn, so that what both share cancels.
    """
    table, own = result.concepts, features.concepts
    low, high = percentile_interval(result.resamples.mean(axis=1))
    ahead_low, ahead_high = percentile_interval((features.resamples - result.resamples).mean(axis=1))
    lead = (own["unseen_items"] - table["unseen_items"]).mean()
    values = (
        *table[["correlation", "null", "unseen_items"]].mean(),
        *(float(low), float(high), int(table["passes"].sum())),
        *(lead, float(ahead_low), float(ahead_high)),
    )
    return dict(zip(MEANS, values, strict=True))
