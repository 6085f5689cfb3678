"""Features that lie near each other."""

from interp.analyses.neighbours import tables
from interp.store.analysis import Analysis, Table

ANALYSIS = Analysis(
    "neighbours",
    "Features that lie near each other",
    compute=tables.neighbours,
    tables=(
        Table(
            "map",
            "a place for each feature's direction on a plane, its family of near-duplicates and its cluster",
        ),
        Table(
            "neighbours",
            "features that are on together with each, and that write alike",
        ),
    ),
    version=2,
)
