"""The topics of a study, each in a folder of its own: its tables, its exhibits, its claims.

A folder has an `ANALYSIS` in its `__init__.py`, and as many of these files as it needs: `tables.py` computes,
`figures.py` draws, `exhibits.py` puts figures and tables into the report, `claims.py` says what holds. A new topic is a
new folder and its name in `TOPICS`. The order of work follows from what each needs (`interp.store.registry`); within a
section of the report, exhibits and claims are in the order of `TOPICS` where that allows it.
"""

from importlib import import_module

from interp.store.analysis import Analysis

TOPICS = (
    "items",
    "users",
    "most_popular",
    "comparison",
    "evidence",
    "other_attributes",
    "alignment",
    "neighbours",
    "categories",
    "effects",
    "item_profiles",
    "steering",
    "other_methods",
    "equal_share",
    "doses",
    "labels",
    "lists",
    "causal",
    "explanations",
    "popularity",
    "receipts",
    "feature_receipts",
)

ANALYSES: tuple[Analysis, ...] = tuple(import_module(f"{__name__}.{topic}").ANALYSIS for topic in TOPICS)
