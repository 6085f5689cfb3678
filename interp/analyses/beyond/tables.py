"""Beyond the paper: whether features do what they say, exposure of the long tail, explanations, receipts of steers."""

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.control.causal_map import agreement, causal_map
from interp.control.popularity import popularity_features, popularity_steer
from interp.control.receipts import steering_receipt
from interp.activations.activation_store import ActivationStore
from interp.model.envoys import RecommenderEnvoy
from interp.features.explanations import why
from interp.steering.edits import Edit, Steer
from interp.store.table_files import Tables
from recmodels.errors import InputError
from recmodels.sequences import Histories

LISTS = 150_000  # of a causal map, two for each active feature and user; a BERT4Rec may need three minutes on one core
EXPLAINED = 100  # users whose first item is explained
TOP = 5  # attributions that are checked
STRENGTHS = (-1.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
SEED = 0  # of the draws of users


def causal(
    rec: RecommenderEnvoy,
    site: str,
    test: Histories,
    features: pd.DataFrame,
    alignment: pd.DataFrame,
    concepts: Concepts,
) -> Tables:
    """Tables `causal`, `moved_items`, `causal_agreement` and `causal_concepts`; see `interp.control.causal_map`.

    Every active feature is turned up and down by its own 99th percentile, for as many test users as `LISTS` allows,
    drawn at random.

    Args:
        rec: the recommender with a dictionary at the site.
        site: where.
        test: the test users.
        features: table `features`.
        alignment: table `alignment`.
        concepts: the study's concepts.

    Returns:
        causal: `CausalMap.table`. moved_items: `CausalMap.moved`. causal_agreement: score ("rank_correlation" or
        "top_matches"), value, chance, p, features, users. causal_concepts: `Agreement.concepts`. The last two are empty
        where fewer than two concepts tell test steps apart.
    """
    units = features.set_index("feature")["p99"]
    units = units[units > 0]
    users = _drawn(test.split_last()[0], max(LISTS // (2 * len(units)), 2))
    found = causal_map(rec, users, units, concepts, site=site)
    overall = pd.DataFrame(columns=["score", "value", "chance", "p", "features", "users"])
    each = pd.DataFrame(columns=["concept", "rank_correlation", "feature", "effect", "place"])
    if alignment["concept"].nunique() > 1:
        agreed = agreement(found, alignment)
        overall = pd.DataFrame(
            {
                "score": ["rank_correlation", "top_matches"],
                "value": [agreed.rank_correlation, agreed.top_matches],
                "chance": agreed.by_chance,
                "p": agreed.p_values,
                "features": len(units),
                "users": len(users),
            }
        )
        each = agreed.concepts
    return {
        "causal.parquet": found.table(),
        "moved_items.parquet": found.moved,
        "causal_agreement.csv": overall,
        "causal_concepts.csv": each,
    }


def popularity(
    rec: RecommenderEnvoy, store: ActivationStore, test: Histories, concepts: Concepts, counts: pd.Series
) -> Tables:
    """Tables `popularity_features` and `popularity`: steers away from popular items (`interp.control.popularity`).

    Args:
        rec: the recommender with a dictionary at the store's site.
        store: activations of the test part.
        test: the test users.
        concepts: the study's concepts.
        counts: training interactions by item id.

    Returns:
        popularity_features: as `interp.control.popularity` returns them. popularity: strength, then the measures of the
        receipt of `popularity_steer` with it. Both are empty where popular and unpopular items cannot be told apart,
        in a catalogue of a handful of items for example.
    """
    try:
        features = popularity_features(rec, store, counts)
        steers = {strength: popularity_steer(features, store.site, strength) for strength in STRENGTHS}
    except InputError:
        nothing = [pd.DataFrame(columns=columns) for columns in (["feature", "d"], ["strength", "measure", "after"])]
        return dict(zip(("popularity_features.csv", "popularity.csv"), nothing, strict=True))
    parts = []
    for strength, steer in steers.items():
        measures = steering_receipt(rec, test, steer, concepts, counts).measures
        measures.insert(0, "strength", strength)
        parts.append(measures)
    return {"popularity_features.csv": features, "popularity.csv": pd.concat(parts, ignore_index=True)}


def explanations(rec: RecommenderEnvoy, site: str, test: Histories) -> Tables:
    """Tables `explanations` and `explanation_agreement`: what attributions foretell, and what ablations measure.

    The first item of a user's list is explained (`interp.features.explanations.why`), for test users drawn at random.

    Args:
        rec: the recommender with a dictionary at the site.
        site: where.
        test: the test users.

    Returns:
        explanations: user, item, place (of the feature by the size of its attribution, from 1), feature, gradient,
        attribution, ablation, agree (whether the signs of attribution and ablation are the same), gradient_agrees (the
        same of the plain gradient), rank_after (of the item without the feature). explanation_agreement: place (NaN:
        all), pairs, agree and gradient_agrees (shares of them), attribution and ablation (mean sizes), correlation (of
        the two).
    """
    users = _drawn(test.split_last()[0], EXPLAINED)
    first = rec.rank(users, 1)[:, 0]
    parts = []
    for user in np.flatnonzero(first >= 0):  # who has every item is recommended none
        item = rec.recommender.vocabulary.ids[first[user]]
        found = why(rec, users.select(np.array([user])), item, top=TOP, site=site).features
        found["place"] = found["attribution"].abs().rank(ascending=False, method="first").astype(int)
        parts.append(found.sort_values("place").assign(user=users.users[user], item=item))
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
    return {"explanations.parquet": table[columns], "explanation_agreement.csv": summary}


def receipts(
    rec: RecommenderEnvoy,
    site: str,
    test: Histories,
    targets: pd.DataFrame,
    features: pd.DataFrame,
    concepts: Concepts,
    counts: pd.Series,
) -> Tables:
    """Table `receipts`: what the standard steer of each target changes (`interp.control.receipts.steering_receipt`).

    The standard steer sets the target's feature to its own 99th percentile at the last step, with the reconstruction
    error kept.

    Args:
        rec: the recommender with a dictionary at the site.
        site: where.
        test: the test users.
        targets: columns concept and feature.
        features: table `features`.
        concepts: the study's concepts.
        counts: training interactions by item id.

    Returns:
        target, feature, value, measure ("share" for shares of concepts), concept (empty for other measures), interval,
        and before, after and change with their bounds.
    """
    units = features.set_index("feature")["p99"]
    parts = []
    for target, feature in zip(targets["concept"], targets["feature"].astype(int).tolist(), strict=True):
        value = float(units[feature])
        steer = Steer((Edit(feature, value),), site)
        found = steering_receipt(rec, test, steer, concepts, counts, targets=[target])
        shares = found.shares.drop(columns="target").assign(measure="share", interval="bootstrap")
        rows = pd.concat([found.measures.assign(concept=""), shares], ignore_index=True)
        parts.append(rows.assign(target=target, feature=feature, value=value))
    table = pd.concat(parts, ignore_index=True)
    first = ["target", "feature", "value", "measure", "concept", "interval"]
    return {"receipts.csv": table[[*first, *table.columns.drop(first)]]}


def _drawn(histories: Histories, count: int) -> Histories:
    """So many of the users, in their order, or all if there are no more."""
    if len(histories) <= count:
        return histories
    chosen = np.random.default_rng(SEED).choice(len(histories), count, replace=False)
    return histories.select(np.sort(chosen))
