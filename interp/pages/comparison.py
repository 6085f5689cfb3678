"""One offline page that sets two studies side by side: two dictionaries, two layers, two trainings, two features."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

from interp.features.matching import NEW, OLD
from interp.pages import feature_columns
from interp.pages.glossary import GLOSSARY
from interp.pages.rendering import render
from interp.plots.formats import decimals
from interp.plots.names import MEASURES, RANKING
from interp.store.rerun import tables_of_this_release
from interp.study.compare import EVIDENCE, Comparison
from interp.study.compare_text import CHANGES, averages, measured, read_on
from interp.study.compare_text import SIDES as CHANGES_OF
from interp.study.feature_view import LISTS, FeatureViews
from interp.study.matches import Matches
from interp.study.study_parts import StudyParts
from recmodels import artifacts
from recmodels.paths import as_path

SIDES = (OLD, NEW)
SCORES = ("score", "chance", "q", "written", "written_percentile", "held", "held_percentile")
NEAR = ("score", "chance", "written", "held")
MOST_PAIRS = 2**17  # whose similarity is in the page; of more, those of the most similar features are
WAYS = (LISTS, "layers")  # what the first screen of a feature shows
NUMBERS = tuple(f"{when}{side}" for when in ("before", "after", "change") for side in ("", "_low", "_high"))
WORDS = (
    "activation",
    "label",
    "grade",
    "turned",
    "interval",
    "ndcg@10",
    "overlap",
    "boost",
    "l0",
    "explained_variance",
)


def write_comparison(comparison: Comparison, path: Path | str) -> Path:
    """Write a comparison as one page that opens without a network, and return its path. It names no user.

        write_comparison(interp.compare(march, april), "march-april.html")

    Raises:
        InputError: a table of one of the studies is missing, or the page cannot be written.
    """
    to = as_path(path)
    with tables_of_this_release(comparison.old.folder, comparison.new.folder):
        data = page_data(comparison)
    artifacts.write_text(to, render("comparison", data["heading"], data))
    return to


def page_data(comparison: Comparison) -> dict[str, Any]:
    """Everything the page shows, as JSON values; features and items are positions in the columns of their side."""
    studies = dict(zip(SIDES, (comparison.old, comparison.new), strict=True))
    matches = comparison.matches
    return {
        "heading": heading(comparison.old, comparison.new),
        "same_recommender": same_recommender(comparison.old, comparison.new),
        "read_on": read_on(matches),
        "averages": averages(matches),
        "notes": [f"{side}: {note}" for side, study in studies.items() for note in study.notes],
        "changes": CHANGES,
        "changes_of": {side: list(changes) for side, changes in CHANGES_OF.items()},
        "sides": {side: _side(study) for side, study in studies.items()},
        "matches": {side: _matches(matches.side(side)) for side in SIDES},
        "nearest": {side: _nearest(matches.nearest, side) for side in SIDES},
        "similarity": _similarity(matches),
        "concepts": _concepts(comparison.concepts),
        "lists": _lists(comparison),
        "quality": [list(row) for row in measured(comparison.quality)],
        "glossary": {key: list(GLOSSARY[key]) for key in WORDS},
    }


def same_recommender(old: StudyParts, new: StudyParts) -> bool:
    """Whether both dictionaries read the same recommender."""
    return old.record["fingerprints"]["recommender"] == new.record["fingerprints"]["recommender"]


def heading(old: StudyParts, new: StudyParts) -> str:
    """What is compared, in words."""
    if not same_recommender(old, new):
        return f"Two trainings of {old.title}" if old.title == new.title else f"{old.title} and {new.title}"
    if old.site != new.site:
        return f"Two layers of {old.title}: {old.site} and {new.site}"
    if old.sae.fingerprint != new.sae.fingerprint:
        return f"Two dictionaries of {old.title}, {old.site}"
    return f"Features of {old.title} side by side"


def _side(study: StudyParts) -> dict[str, Any]:
    """The columns from which the first screen of each feature is drawn, as those of the dashboard."""
    views = FeatureViews(study)
    position: defaultdict[Any, int] = defaultdict(lambda: len(position))  # of the items that are shown, as they come
    concepts = list(
        dict.fromkeys(view.costs.concept for view in views if view.costs is not None and view.costs.concept)
    )
    columns = {
        "study": study.folder.name,
        "title": study.title,
        "site": study.site,
        "dictionary": study.sae.config.name,
        "concepts": concepts,
        "features": {
            "max": feature_columns.column_values("max", (view.row for view in views)),
            "density": feature_columns.column_values("density", (view.row for view in views)),
            **feature_columns.names_and_sentences(views),
        },
        "lit": feature_columns.lit(views, position),
        "moves": {way: feature_columns.item_changes(views, way, position, feature_columns.FIRST) for way in WAYS},
        "costs": feature_columns.costs(views, {name: place for place, name in enumerate(concepts)}),
    }
    return columns | {"items": {"titles": [views.titles[item] for item in position]}}


def _matches(table: pd.DataFrame) -> dict[str, list[Any]]:
    """For each feature of a side: what became of it, its best match, and how alike the two are."""
    columns: dict[str, list[Any]] = {"change": table["change"].tolist(), "match": table["match"].astype(int).tolist()}
    return columns | {name: decimals(table[name], 4 if name == "q" else 3) for name in SCORES}


def _nearest(table: pd.DataFrame, side: str) -> list[list[list[Any]]]:
    """For each feature of a side, the most similar of the other as [feature, score, chance, written, held]."""
    own = table[table["side"] == side]
    columns = [own["match"].astype(int).tolist(), *(decimals(own[name], 3) for name in NEAR)]
    rows: defaultdict[int, list[list[Any]]] = defaultdict(list)
    for feature, *values in zip(own["feature"], *columns, strict=True):
        rows[int(feature)].append(list(values))
    return [rows[feature] for feature in sorted(rows)]


def _similarity(matches: Matches) -> dict[str, Any] | None:
    """How alike all pairs are, and each feature's chance; None where that would be most of the page."""
    if matches.similarity["score"].size > MOST_PAIRS:
        return None
    pairs = {name: [decimals(row, 2) for row in values] for name, values in matches.similarity.items()}
    return pairs | {"chance": [decimals(values) for values in matches.chance]}


def _concepts(table: pd.DataFrame) -> list[dict[str, Any]]:
    """For each concept, its top feature in both studies and how well those follow it on unseen items."""

    def side(row: Any, name: str) -> list[Any]:
        feature = row[f"feature_{name}"]
        *values, passes = (row[f"{column}_{name}"] for column in EVIDENCE)
        return [None if pd.isna(feature) else int(feature), *decimals(values), passes is True or passes == 1]

    return [
        {
            "name": row["concept"],
            "same": bool(row["same"]),
            "match": int(row["match"]),
            **{s: side(row, s) for s in SIDES},
        }
        for _, row in table.iterrows()
    ]


def _lists(comparison: Comparison) -> dict[str, Any]:
    """What changed in the lists: every measure, and the shares of all concepts, those that moved first."""
    lists, names = comparison.lists, MEASURES | RANKING
    moved = lists.moved
    rest = lists.shares.drop(index=moved.index)
    return {
        "k": lists.k,
        "users": int(lists.n_users),
        "moved": len(moved),
        "measures": [
            [names.get(row["measure"], row["measure"]), *_numbers(row)] for _, row in lists.measures.iterrows()
        ],
        "shares": [[row["concept"], *_numbers(row)] for _, row in pd.concat([moved, rest]).iterrows()],
    }


def _numbers(row: Any) -> list[float | None]:
    """Before, after and change, each with its bounds."""
    return decimals(row[name] for name in NUMBERS)
