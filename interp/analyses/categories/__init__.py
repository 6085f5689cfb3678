"""Features for more than the concepts."""

from interp.analyses.categories import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "categories",
    "Features for more than the concepts",
    compute=tables.categories,
    about_concepts=True,
    version=2,
    tables=(
        Table(
            "cases",
            "features for franchises, languages, decades, … found by search (Figure 6)",
            (
                "kind:text rank:int concept:text feature:int correlation:float unseen_items:float auc:float "
                "p_top100:float p_top100_pooled:float rows:int"
            ),
        ),
        Table(
            "case_histories",
            "strongest histories of these",
        ),
    ),
    exhibits=(Exhibit("7.2.2", exhibits.categories),),
    claims=(
        claims.beyond_the_concepts,
        claims.single_items,
    ),
)
