"""The concepts that a study steers, with their features."""

from collections.abc import Sequence

import pandas as pd

from interp.concepts.evidence import passing

COUNT = 5  # concepts that are steered if the configuration names none


def steering_targets(
    concepts: pd.DataFrame, steered: Sequence[str] = (), evidence: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The rows of the concepts that are steered, in their order.

    Args:
        concepts: table `concepts`, best aligned first.
        steered: their names; if there are none, the best aligned ones, where concepts that share a top feature count
            once. Those that a feature follows above chance on unseen items come first.
        evidence: table `evidence`, which says so.
    """
    names = list(steered)
    if not names:
        best = concepts.drop_duplicates("feature")["concept"]
        if evidence is not None:
            passes = best.isin(passing(evidence))
            best = pd.concat([best[passes], best[~passes]])
        names = best.head(COUNT).tolist()
    return concepts.set_index("concept").loc[names].reset_index()
