"""Which concepts features follow beyond chance, on items that they were not chosen on."""

from interp.analyses.evidence import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

CONCEPT = (
    "concept:text popularity:float items:int candidate:int "
    "correlation:float auc:float sensitivity:float null:float auc_null:float sensitivity_null:float "
    "p:float auc_p:float sensitivity_p:float "
    "unseen_items:float unseen_items_low:float unseen_items_high:float unseen_items_null:float "
    "unseen_items_p:float unseen_items_q:float unseen_items_auc:float unseen_users:float unseen_both:float passes:bool"
)

ANALYSIS = Analysis(
    "evidence",
    "What holds on unseen items and users",
    compute=tables.evidence_tables,
    about_concepts=True,
    tables=(
        Table(
            "evidence",
            "per candidates (features, neurons, baselines) and concept: as the paper, null, unseen items, unseen users",
            f"source:text {CONCEPT}",
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
        Table(
            "attribute_evidence",
            "the table `evidence` of features and neurons for other attributes (paper Appendix C)",
            f"attribute:text known:float source:text {CONCEPT}",
        ),
        Table(
            "attribute_summary",
            "the means over the values of each other attribute, with intervals, and how far features are ahead there",
            (
                "attribute:text source:text known:float users:int values:int items:float correlation:float null:float "
                "unseen_items:float unseen_items_low:float unseen_items_high:float passes:int "
                "ahead:float ahead_low:float ahead_high:float"
            ),
        ),
    ),
    version=3,
    exhibits=(
        Exhibit("evidence", exhibits.sources),
        Exhibit("evidence", exhibits.concepts),
        Exhibit("evidence", exhibits.attributes),
    ),
    claims=(claims.above_chance, claims.ahead_of_neurons, claims.ahead_of_baselines, claims.attributes),
)
