"""What features are called."""

from interp.analyses.labels import exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "labels",
    "What features are called",
    compute=tables.labels,
    tables=(
        Table(
            "labels",
            "a label for each feature, with its scores on unseen users and items",
        ),
        Table(
            "label_kinds",
            "how many features could be labelled, by kind",
            (
                "kind:text features:int on_unseen_users:int labelled:int precision:float recall:float f1:float "
                "lift:float hard_precision:float by_chance:float"
            ),
        ),
        Table(
            "label_items",
            "items that speak for a label, and against it",
        ),
    ),
    version=2,
    exhibits=(Exhibit("beyond", exhibits.labels),),
)
