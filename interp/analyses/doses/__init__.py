"""What a given share costs."""

from interp.analyses.doses import exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "doses",
    "What a given share costs",
    compute=tables.doses,
    tables=(
        Table(
            "doses",
            "least costly steers that reach a share: for all users, and for each of them",
            (
                "target:text method:text part:text asked:float users:int n_features:float amount:float "
                "reached:bool own_before:float own_after:float overlap:float share_before:float "
                "share_after:float share_change:float share_change_low:float share_change_high:float "
                "ndcg_before:float ndcg_after:float ndcg_change:float ndcg_change_low:float "
                "ndcg_change_high:float"
            ),
        ),
    ),
    exhibits=(Exhibit("beyond", exhibits.answers),),
)
