"""Whether features do what they correlate with: every active feature turned up and down, beside chance."""

import pandas as pd

from interp.concepts import Concepts
from interp.control.causal_map import agreement, causal_map
from interp.features.examples import sample_users
from interp.features.steered_sample import affordable_lists
from interp.model.envoys import RecommenderEnvoy
from interp.store.table_files import Tables
from recmodels.sequences import Histories

LISTS = 150_000  # of a causal map, two for each active feature and user; a BERT4Rec may need three minutes on one core


def causal(
    rec: RecommenderEnvoy,
    site: str,
    test_users: Histories,
    features_table: pd.DataFrame,
    alignment_table: pd.DataFrame,
    concepts: Concepts,
) -> Tables:
    """Tables `causal`, `moved_items`, `causal_agreement` and `causal_concepts`; see `interp.control.causal_map`.

    Every active feature is turned up and down by its own 99th percentile, for as many test users as `LISTS` allows,
    drawn at random.

    Args:
        rec: the recommender with a dictionary at the site.
        site: where.
        test_users: the test users.
        features_table: what each feature does by itself.
        alignment_table: what it correlates with.
        concepts: the study's concepts.

    Returns:
        causal: `CausalMap.table`. moved_items: `CausalMap.item_changes`. causal_agreement: score ("rank_correlation" or
        "top_matches"), value, chance, p, features, users. causal_concepts: `Agreement.concepts`. The last two are empty
        where fewer than two concepts tell test steps apart.
    """
    units = features_table.set_index("feature")["p99"]
    units = units[units > 0]
    lists = affordable_lists(LISTS, len(rec.recommender.vocabulary))
    users = sample_users(test_users.split_last()[0], max(lists // (2 * len(units)), 2))
    effect_map = causal_map(rec, users, units, concepts, site=site)
    overall = pd.DataFrame(columns=["score", "value", "chance", "p", "features", "users"])
    by_concept = pd.DataFrame(columns=["concept", "rank_correlation", "feature", "effect", "place"])
    if alignment_table["concept"].nunique() > 1:
        scores = agreement(effect_map, alignment_table)
        overall = pd.DataFrame(
            {
                "score": ["rank_correlation", "top_matches"],
                "value": [scores.rank_correlation, scores.top_matches],
                "chance": scores.by_chance,
                "p": scores.p_values,
                "features": len(units),
                "users": len(users),
            }
        )
        by_concept = scores.concepts
    return {
        "causal": effect_map.table(),
        "moved_items": effect_map.item_changes,
        "causal_agreement": overall,
        "causal_concepts": by_concept,
    }
