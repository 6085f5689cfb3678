"""Whether explanations are right: attributions compared with ablations."""

import numpy as np
import pandas as pd

from interp.features.examples import sample_users
from interp.features.explanations import explained
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.table_files import Tables
from recmodels.sequences import Histories

EXPLAINED = 100  # users whose first item is explained
TOP = 5  # attributions that are checked


def explanations(rec: RecommenderEnvoy, sae: SparseAutoencoder, test_users: Histories) -> Tables:
    """Tables `explanations` and `explanation_agreement`: predictions by attribution, and measurements by ablation.

    The first item of a user's list is explained (`interp.features.explanations.why`), for test users drawn at random.

    Args:
        rec: the recommender with the dictionary attached.
        sae: the dictionary; asked for by name, so that the tables of another one are not kept.
        test_users: the test users.

    Returns:
        explanations: user, item, place (of the feature by the size of its attribution, from 1), feature, gradient,
        attribution, ablation, agree (whether the signs of attribution and ablation are the same), gradient_agrees (the
        same of the plain gradient), rank_after (of the item without the feature). explanation_agreement: place (NaN:
        all), pairs, agree and gradient_agrees (shares of them), attribution and ablation (mean sizes), correlation (of
        the two).
    """
    users = sample_users(test_users.split_last()[0], EXPLAINED)
    first = rec.rank(users, 1)[:, 0]
    parts = []
    for user in np.flatnonzero(first >= 0):  # who has every item is recommended none
        item = rec.recommender.vocabulary.ids[first[user]]
        attributions = explained(rec, users.select(np.array([user])), item, TOP, sae.provenance.site)
        attributions["place"] = attributions["attribution"].abs().rank(ascending=False, method="first").astype(int)
        parts.append(attributions.sort_values("place").assign(user=users.users[user], item=item))
    table = pd.concat(parts, ignore_index=True)
    table["agree"] = np.sign(table["attribution"]) == np.sign(table["ablation"])
    table["gradient_agrees"] = np.sign(table["gradient"]) == np.sign(table["ablation"])
    columns = ["user", "item", "place", "feature", "gradient", "attribution", "ablation", "agree", "gradient_agrees"]
    columns.append("rank_after")
    groups = [(np.nan, table), *table.groupby("place")]
    summary = pd.DataFrame(
        {
            "place": [place for place, _ in groups],
            "pairs": [len(rows) for _, rows in groups],
            "agree": [rows["agree"].mean() for _, rows in groups],
            "gradient_agrees": [rows["gradient_agrees"].mean() for _, rows in groups],
            "attribution": [rows["attribution"].abs().mean() for _, rows in groups],
            "ablation": [rows["ablation"].abs().mean() for _, rows in groups],
            "correlation": [rows["attribution"].corr(rows["ablation"]) for _, rows in groups],
        }
    )
    return {"explanations": table[columns], "explanation_agreement": summary}
