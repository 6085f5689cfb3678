"""The topics of a study, each in a folder of its own: its tables, its exhibits, its claims.

A folder has an `ANALYSIS` in its `__init__.py`, and as many of these files as it needs: `tables.py` computes,
`figures.py` draws, `exhibits.py` puts figures and tables into the report, `claims.py` says what holds. A new topic is a
new folder and its name in `TOPICS`; the order of work follows from what each needs (`interp.store.registry`).
"""

from importlib import import_module

from interp.store.analysis import Analysis

TOPICS = (
    "items",
    "users",
    "comparison",
    "alignment",
    "neighbours",
    "categories",
    "labels",
    "effects",
    "steering",
    "equal_share",
    "doses",
    "lists",
    "causal",
    "popularity",
    "explanations",
    "receipts",
)

ANALYSES: tuple[Analysis, ...] = tuple(import_module(f"{__name__}.{topic}").ANALYSIS for topic in TOPICS)
