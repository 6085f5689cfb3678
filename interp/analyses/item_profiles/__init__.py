"""Every item in terms of features, and where it is recommended."""

from interp.analyses.item_profiles import tables
from interp.store.analysis import Analysis, Table

ANALYSIS = Analysis(
    "item_profiles",
    "Every item in terms of features, and where it is recommended",
    compute=tables.item_profiles,
    tables=(
        Table(
            "item_profiles",
            "per item: steps that have it, test users who could get it, and in how many of their lists it is",
        ),
        Table(
            "item_features",
            "the features that light up most on each item, with their mean activations there",
        ),
        Table(
            "item_neighbours",
            "the items that light up the same features as each item",
        ),
    ),
)
