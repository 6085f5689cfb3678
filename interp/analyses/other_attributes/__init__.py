"""What features follow beside the study's concepts: other attributes of the items, on unseen items."""

from interp.analyses.other_attributes import claims, exhibits, tables
from interp.features.candidate_rows import KINDS
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "other_attributes",
    "Other attributes on unseen items",
    compute=tables.other_attributes,
    about_concepts=True,
    tables=(
        Table(
            "attribute_evidence",
            "the table `evidence` of features and neurons for other attributes (paper Appendix C)",
            f"attribute:text known:float source:text {KINDS}",
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
    exhibits=(Exhibit("evidence", exhibits.attributes),),
    claims=(claims.attributes,),
)
