"""All dictionaries of a study side by side: which is chosen, what every setting does (paper sections 6 and 7.1.2)."""

from collections.abc import Mapping, Sequence

import pandas as pd

from interp.config import SAEConfig
from interp.activations.evaluation import best_aligned
from interp.store.table_files import Tables

MEASURES = ("rmse", "explained_variance", "l0", "dead", "mean_top_correlation", "ndcg@10", "hit_rate@10", "coverage@10")


def dictionaries(
    rows: Sequence[pd.DataFrame],
    plain: Mapping[str, float],
    sites: pd.DataFrame,
    base: SAEConfig,
    max_l0: float,
    sparse_l0: float,
) -> Tables:
    """Tables `dictionaries`, `l1`, `sizes`, `trade_off` and `sites`.

    Args:
        rows: `evaluate_dictionary` of every dictionary; the first is the configured one.
        plain: ranking metrics of the recommender as it is, the row "Original" of the paper's Table 1.
        sites: site and `neurons`, the neurons' mean top correlation there.
        base: the configured dictionary.
        max_l0: how sparse the `chosen` dictionary must be on held-out users; it has the configured trainer.
        sparse_l0: how sparse the one must be that is marked as `sparse`, whatever its trainer.
    """
    table = pd.concat(rows, ignore_index=True)
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
        "dictionaries.csv": table,
        "l1.csv": pd.concat([original, l1], ignore_index=True).reindex(columns=l1.columns),
        "sizes.csv": over_seeds(kind[kind["sparsity"] == base.sparsity], "n_features"),
        "trade_off.csv": over_seeds(here, "trainer", "n_features", "sparsity").sort_values(["trainer", "l0"]),
        "sites.csv": sites.merge(first[["site", *MEASURES]], on="site"),
    }


def over_seeds(rows: pd.DataFrame, *by: str) -> pd.DataFrame:
    """Mean of every measure over runs that differ in their seed alone, the number of runs, and the spread.

    Args:
        rows: rows of `evaluate_dictionary`.
        *by: the settings that tell points apart.

    Returns:
        `by`, runs, the measures, and `std_<measure>`, the standard deviation over runs (n − 1; missing for one).
    """
    groups = rows.groupby(list(by), sort=True)[list(MEASURES)]
    spread = groups.std().add_prefix("std_")
    return groups.size().rename("runs").to_frame().join(groups.mean()).join(spread).reset_index()
