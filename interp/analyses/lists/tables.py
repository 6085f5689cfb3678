"""Lists of single users before and after steering (paper section 8.1, Figure 7)."""

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.control.sweeps import user_shares
from interp.control.targets import steering_targets
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from interp.store.table_files import Tables
from recmodels.sequences import Histories

UP, DOWN = (2.0, 5.0), (0.0, -2.0)  # the values of the paper's Figure 7


def lists(
    rec: RecommenderEnvoy,
    site: str,
    steered_users: Histories,
    concepts: Concepts,
    concepts_table: pd.DataFrame,
    steered: tuple[str, ...],
    evidence_table: pd.DataFrame | None = None,
) -> Tables:
    """Table `lists`: what two users are recommended while a feature is turned up or down (paper Figure 7).

    The one has the least of the concept in the list, and then in the history; the other has the most.

    Args:
        rec: the recommender with the dictionary attached.
        site: where it is attached.
        steered_users: the test users whom steering is measured on.
        concepts: the study's concepts.
        concepts_table: their top features.
        steered: the concepts that are steered; the first one is shown.
        evidence_table: which concepts a feature follows above chance; the others are steered only if asked for.

    Returns:
        user, direction ("up" or "down"), target, feature, value (NaN: not steered), rank, item.
    """
    top = steering_targets(concepts_table, steered, evidence_table).iloc[0]
    target, feature = top["concept"], int(top["feature"])
    inputs, _ = steered_users.split_last()
    column = concepts.index(target)
    labels = concepts.labels(rec.recommender.vocabulary.ids)
    list_shares = user_shares(rec.rank(inputs), labels)[:, column]
    history_shares = np.array([labels[inputs[user], column].mean() for user in range(len(inputs))])
    users_by_direction = {
        "up": int(np.lexsort((history_shares, list_shares))[0]),
        "down": int(np.lexsort((-history_shares, -list_shares))[0]),
    }
    parts = []
    for direction, user in users_by_direction.items():
        history = inputs.select(np.array([user]))
        for value in (np.nan, *(UP if direction == "up" else DOWN)):
            edits = () if np.isnan(value) else (Edit(feature, value),)
            with rec.steer(Steer(edits, site)):
                table = rec.recommend(history)
            parts.append(table.assign(direction=direction, target=target, feature=feature, value=value))
    table = pd.concat(parts, ignore_index=True)
    return {"lists": table.drop(columns="score")}
