"""What standard steers change."""

from interp.analyses.receipts import exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "receipts",
    "What standard steers change",
    compute=tables.receipts,
    tables=(
        Table(
            "receipts",
            "what the standard steer of each target changes, with intervals",
            (
                "target:text feature:int value:float measure:text concept:text interval:text before:float "
                "before_low:float before_high:float after:float after_low:float after_high:float "
                "change:float change_low:float change_high:float"
            ),
        ),
    ),
    exhibits=(Exhibit("beyond", exhibits.receipts),),
)
