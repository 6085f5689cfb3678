"""What every feature does to the lists when it is turned up, and what that costs."""

from interp.analyses.feature_receipts import tables
from interp.store.analysis import Analysis, Table

ANALYSIS = Analysis(
    "feature_receipts",
    "What turning each feature costs",
    compute=tables.feature_receipts,
    tables=(
        Table(
            "feature_receipts",
            "what turning each feature up by its 99th percentile changes in the lists, with intervals",
        ),
        Table(
            "feature_curves",
            "share of a feature’s concept and NDCG as it is turned, with bands",
        ),
        Table(
            "feature_costs",
            "what each feature moves and costs, beside re-ranking to the same share",
        ),
    ),
)
