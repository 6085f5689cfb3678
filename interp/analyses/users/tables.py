"""The histories of users that the recommender never saw, so that a finished study can be steered without its data."""

import numpy as np
import pandas as pd

from interp.store.table_files import Tables
from recmodels.sequences import Histories, Vocabulary


def users(parts: dict[str, Histories], vocabulary: Vocabulary) -> Tables:
    """Table `users`: part, user and item, each history in its order.

    Args:
        parts: histories by the name of their part of the split, such as "test".
        vocabulary: their items.
    """
    rows = [
        pd.DataFrame(
            {
                "part": part,
                "user": np.repeat(histories.users.to_numpy(), histories.lengths),
                "item": vocabulary.decode(histories.codes),
            }
        )
        for part, histories in parts.items()
    ]
    return {"users.parquet": pd.concat(rows, ignore_index=True)}
