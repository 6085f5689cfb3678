"""The receipt of every feature."""

from collections.abc import Mapping

import pandas as pd

from interp.concepts import Concepts
from interp.control.feature_receipts import AMOUNTS
from interp.control.feature_receipts import feature_receipts as receipts_of
from interp.features.examples import sample_users
from interp.features.steered_sample import affordable_lists
from interp.model.envoys import RecommenderEnvoy
from interp.store.table_files import Tables
from recmodels.sequences import Histories

LISTS = 225_000  # of all features and users, so that a dictionary of 512 takes a minute or two on one core


def feature_receipts(
    rec: RecommenderEnvoy,
    site: str,
    test_users: Histories,
    features_table: pd.DataFrame,
    items_table: pd.DataFrame,
    concepts: Concepts,
    own_metrics: Mapping[str, int],
) -> Tables:
    """Tables `feature_receipts`, `feature_curves` and `feature_costs`; see `interp.control.feature_receipts`.

    They are of as many test users as `LISTS` allows, drawn at random: the users of the table `causal`.

    Args:
        rec: the recommender with the dictionary at the site.
        site: where.
        test_users: the test users.
        features_table: each feature's 99th percentile, and its best concept.
        items_table: popularity of every item.
        concepts: the study's concepts.
        own_metrics: registered metrics from outside this package, which receipts have as well.
    """
    n_alive = int((features_table["p99"] > 0).sum())
    lists = affordable_lists(LISTS, len(rec.recommender.vocabulary))
    users = sample_users(test_users, max(lists // max(len(AMOUNTS) * n_alive, 1), 2))
    popularity = items_table.set_index("item")["popularity"]
    names = ("feature_receipts", "feature_curves", "feature_costs")
    return dict(zip(names, receipts_of(rec, users, features_table, concepts, popularity, site), strict=True))
