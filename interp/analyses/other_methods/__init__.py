"""Concepts turned up by other methods than their features; the topic `equal_share` compares them."""

from interp.analyses.other_methods import tables
from interp.store.analysis import Analysis, Table

SWEEP = (
    "method:text target:text feature:int value:float share:float ndcg@10:float hit_rate@10:float "
    "coverage@10:float diversity@10:float overlap:float"
)

ANALYSIS = Analysis(
    "other_methods",
    "Concepts turned up by other methods",
    compute=tables.other_methods,
    tables=(
        Table(
            "profiles",
            "how much more active features are with a concept than without it",
            "concept:text feature:int weight:float",
        ),
        Table(
            "least_collateral",
            "at most 20 features for each concept that move its items and leave other scores alone",
            "concept:text feature:int weight:float",
        ),
        Table(
            "baselines",
            "the same sweep by other means: least collateral, profile, mean difference, neuron, random, boost",
            SWEEP,
        ),
        Table(
            "steering_cost",
            "what NDCG@10 each method costs at equal share as one number, and its ratio to re-ranking, with intervals",
            (
                "target:text method:text cost:float cost_low:float cost_high:float "
                "ratio:float ratio_low:float ratio_high:float"
            ),
        ),
        Table(
            "cost_differences",
            "how much less NDCG@10 one method costs than so many times another, paired over users, and the verdict",
            (
                "target:text method:text other:text times:float levels:int cost:float other_cost:float "
                "difference:float low:float high:float verdict:text"
            ),
        ),
    ),
)
