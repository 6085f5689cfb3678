"""What analyses on unseen items share: candidates, their rows, and means over concepts with intervals over users."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from interp.activations.activation_store import ActivationStore
from interp.concepts import Concepts
from interp.concepts.alignment import Activations
from interp.concepts.evidence import FEATURES, NEURONS, Evidence, Rows
from interp.features.candidates import Candidates, Part
from recmodels.bootstrap import percentile_interval

ABOUT = {FEATURES: "the dictionary’s features", NEURONS: "the neurons of the site"}
PARTS: tuple[Part, Part] = ("test", "sae_validation")  # who is measured, and who may choose
KINDS = (  # the columns of `Evidence.concepts`
    "concept:text popularity:float items:int candidate:int "
    "correlation:float auc:float sensitivity:float null:float auc_null:float sensitivity_null:float "
    "p:float auc_p:float sensitivity_p:float "
    "unseen_items:float unseen_items_low:float unseen_items_high:float unseen_items_null:float "
    "unseen_items_p:float unseen_items_q:float unseen_items_auc:float unseen_users:float unseen_both:float passes:bool"
)
MEANS = (
    *("correlation", "null", "unseen_items", "unseen_items_low", "unseen_items_high", "passes"),
    *("ahead", "ahead_low", "ahead_high"),
)


def own_candidates(stores: Mapping[Part, ActivationStore], features: Mapping[Part, Activations]) -> list[Candidates]:
    """The features and the neurons, from which every comparison starts.

    Args:
        stores: hidden states of "test" and "sae_validation".
        features: what the dictionary makes of them.
    """
    neurons = {part: np.asarray(store.activations, dtype=np.float64) for part, store in stores.items()}
    both: dict[str, Mapping[Part, Activations]] = {FEATURES: features, NEURONS: neurons}
    return [Candidates(name, ABOUT[name], of["test"].shape[1], of.__getitem__) for name, of in both.items()]


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
