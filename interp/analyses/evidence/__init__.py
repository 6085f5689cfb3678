"""Which concepts features follow beyond chance, on items that they were not chosen on."""

from interp.analyses.evidence import claims, exhibits, tables
from interp.features.candidate_rows import KINDS
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "evidence",
    "What holds on unseen items and users",
    compute=tables.evidence_tables,
    about_concepts=True,
    tables=(
        Table(
            "evidence",
            "per candidates (features, neurons, baselines) and concept: as the paper, null, unseen items, unseen users",
            f"source:text {KINDS}",
        ),
        Table(
            "evidence_summary",
            "the means over concepts, with intervals, and how far features are ahead on unseen items",
            (
                "source:text about:text candidates:int l0:float concepts:int correlation:float null:float "
                "above_null:int unseen_items:float unseen_items_null:float unseen_items_low:float "
                "unseen_items_high:float "
                "unseen_users:float unseen_both:float passes:int ahead:float ahead_low:float ahead_high:float "
                "users:int items:int"
            ),
        ),
        Table(
            "feature_evidence",
            "per feature: the correlation on unseen items with a concept that is chosen on other items, and its test",
        ),
    ),
    version=3,
    exhibits=(
        Exhibit("evidence", exhibits.sources),
        Exhibit("evidence", exhibits.concepts),
    ),
    claims=(claims.above_chance, claims.ahead_of_neurons, claims.ahead_of_baselines),
)
