"""What more of a concept costs, by other means."""

from interp.analyses.equal_share import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "equal_share",
    "What more of a concept costs, by other means",
    compute=tables.equal_share,
    tables=(
        Table(
            "equal_share",
            "NDCG@10 of all methods at equal share of the concept",
            ("target:text part:float share:float method:text value:float ndcg@10:float change:float"),
        ),
    ),
    exhibits=(Exhibit("beyond", exhibits.equal_share),),
    claims=claims.CLAIMS,
)
