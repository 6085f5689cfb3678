"""All dictionaries of a study side by side: which is chosen, what every setting does (paper sections 6 and 7.1.2)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.evaluation import best_aligned, neurons
from interp.concepts import Concepts
from interp.model.envoys import RecommenderEnvoy
from interp.sae_config import SAEConfig
from interp.store.table_files import Tables
from recmodels.ranking import list_metrics
from recmodels.sequences import Histories

MEASURES = ("rmse", "explained_variance", "l0", "dead", "mean_top_correlation", "ndcg@10", "hit_rate@10", "coverage@10")
CHANGE = ("ndcg@10_change", "ndcg@10_change_low", "ndcg@10_change_high")


def comparison(
    evaluations: Sequence[pd.DataFrame],
    rec: RecommenderEnvoy,
    test_users: Histories,
    test_stores: Mapping[str, ActivationStore],
    concepts: Concepts,
    sae_config: SAEConfig,
    max_l0: float,
    sparse_l0: float,
) -> Tables:
    """Tables `dictionaries`, `l1`, `sizes`, `trade_off` and `sites`.

    Args:
        evaluations: `evaluate_dictionary` of every dictionary; the first is the configured one.
        rec: the recommender as it is, the row "Original" of the paper's Table 1.
        test_users: the test users.
        test_stores: by site, hidden states of the test part.
        concepts: the study's concepts.
        sae_config: the configured dictionary.
        max_l0: how sparse the `chosen` dictionary must be on held-out users; it has the configured trainer.
        sparse_l0: how sparse the one must be that is marked as `sparse`, whatever its trainer.
    """
    inputs, truth = test_users.split_last()
    plain = list_metrics(rec.rank(inputs), truth, np.arange(len(rec.recommender.vocabulary)))
    sites = pd.DataFrame([{"site": site, "neurons": neurons(store, concepts)} for site, store in test_stores.items()])
    return side_by_side(evaluations, plain, sites, sae_config, max_l0, sparse_l0)


def side_by_side(
    evaluations: Sequence[pd.DataFrame],
    plain: Mapping[str, float],
    sites: pd.DataFrame,
    base: SAEConfig,
    max_l0: float,
    sparse_l0: float,
) -> Tables:
    """The same tables from what was measured.

    Args:
        evaluations: as above.
        plain: ranking metrics of the recommender as it is.
        sites: site and `neurons`, the neurons' mean top correlation there.
        base: the configured dictionary.
        max_l0, sparse_l0: as above.
    """
    table = pd.concat(evaluations, ignore_index=True)
    site = table["site"].iloc[0]
    here = table[table["site"] == site]
    kind = here[here["trainer"] == base.trainer]
    table["chosen"] = table.index == best_aligned(kind, max_l0)
    table["sparse"] = table.index == best_aligned(here, sparse_l0)
    original = pd.DataFrame([{"runs": 1, **plain}])
    l1 = over_seeds(kind[kind["n_features"] == base.n_features], "sparsity")
    first = table[(table["trainer"] == base.trainer) & (table["n_features"] == base.n_features)]
    first = first[(first["sparsity"] == base.sparsity) & (first["seed"] == base.seed)]
    return {
        "dictionaries": table,
        "l1": pd.concat([original, l1], ignore_index=True).reindex(columns=l1.columns),
        "sizes": over_seeds(kind[kind["sparsity"] == base.sparsity], "n_features"),
        "trade_off": over_seeds(here, "trainer", "n_features", "sparsity").sort_values(["trainer", "l0"]),
        "sites": sites.merge(first[["site", *MEASURES]], on="site"),
    }


def over_seeds(rows: pd.DataFrame, *by: str) -> pd.DataFrame:
    """Mean of every measure over runs that differ in their seed alone, the number of runs, and the spread.

    Args:
        rows: rows of `evaluate_dictionary`.
        *by: the settings that tell points apart.

    Returns:
        `by`, runs, the measures, the change of NDCG from the recommender as it is with its bounds over users, each the
        mean over runs, and `std_<measure>`, the standard deviation over runs (n − 1; missing for one).
    """
    groups = rows.groupby(list(by), sort=True)
    means, spread = groups[[*MEASURES, *CHANGE]].mean(), groups[list(MEASURES)].std().add_prefix("std_")
    return groups.size().rename("runs").to_frame().join(means).join(spread).reset_index()
