"""The histories of users that the dictionary never saw, so that a finished study can be steered without its data."""

import numpy as np
import pandas as pd

from interp.model.envoys import RecommenderEnvoy
from interp.store.table_files import Tables
from recmodels.sequences import Histories


def users(validation_users: Histories, test_users: Histories, rec: RecommenderEnvoy) -> Tables:
    """Table `users`: part, user, item and what else the recommender reads of a step, each history in its order.

    Args:
        validation_users: held out of the SAE part, on whom settings are chosen.
        test_users: the test part.
        rec: the recommender, whose items they have.
    """
    vocabulary = rec.recommender.vocabulary
    parts = {"sae_validation": validation_users, "test": test_users}
    rows = [
        pd.DataFrame(
            {
                "part": part,
                "user": np.repeat(histories.users.to_numpy(), histories.lengths),
                "item": vocabulary.decode(histories.codes),
                **histories.columns,
            }
        )
        for part, histories in parts.items()
    ]
    return {"users": pd.concat(rows, ignore_index=True)}
