"""The concepts that a study steers, with their features."""

from collections.abc import Sequence

import pandas as pd

COUNT = 5  # concepts that are steered if the configuration names none


def steering_targets(concepts: pd.DataFrame, steered: Sequence[str] = ()) -> pd.DataFrame:
    """The rows of the concepts that are steered, in their order.

    Args:
        concepts: table `concepts`, best aligned first.
        steered: their names; if there are none, the best aligned ones, where concepts that share a top feature count
            once.
    """
    names = list(steered) or concepts.drop_duplicates("feature")["concept"].head(COUNT).tolist()
    return concepts.set_index("concept").loc[names].reset_index()
