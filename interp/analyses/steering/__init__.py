"""Features set to values, beside probes."""

from interp.analyses.steering import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

SWEEP = (
    "method:text target:text feature:int value:float share:float ndcg@10:float hit_rate@10:float "
    "coverage@10:float diversity@10:float overlap:float"
)

ANALYSIS = Analysis(
    "steering",
    "Features set to values, beside probes",
    compute=tables.steering,
    version=2,
    tables=(
        Table(
            "probes",
            "how well supervised probes tell concepts apart (section 8.2.3)",
            (
                "concept:text correlation_probability:float correlation_decision:float auc:float "
                "correlation_probability_unseen_items:float correlation_decision_unseen_items:float "
                "auc_unseen_items:float"
            ),
        ),
        Table(
            "steering",
            "features and probe directions at each value (Figures 9, 10, 14 and 17)",
            SWEEP,
        ),
        Table(
            "shares",
            "the same: share of every concept",
            "method:text target:text feature:int value:float concept:text share:float",
        ),
    ),
    exhibits=(
        Exhibit("8.2.1", exhibits.shares),
        Exhibit("8.2.2", exhibits.quality),
        Exhibit("8.2.3", exhibits.probes),
        Exhibit("beyond", exhibits.kept_error),
    ),
    claims=(
        claims.rises,
        claims.vanishes,
        claims.dominates,
        claims.gentle_is_safe,
        claims.strong_costs_more,
        claims.probes_correlate_better,
        claims.on_par_with_probes,
        claims.keeping_the_error_is_cheaper,
    ),
)
