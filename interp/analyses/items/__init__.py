"""The items that the recommender knows."""

from interp.analyses.items import tables
from interp.store.analysis import Analysis, Table

ANALYSIS = Analysis(
    "items",
    "The items that the recommender knows",
    compute=tables.items,
    tables=(
        Table(
            "items",
            "title, concepts (names) and popularity of every known item",
        ),
    ),
)
