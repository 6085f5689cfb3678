"""One offline HTML page that holds the whole dictionary (paper Figures 2, 4, 5, 6 and 9 for every feature).

The data are column arrays, from which the page's scripts draw. `interp.plots` alone makes figures: those of the
overview are embedded whole, those of a feature once, without data, to be filled in.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from interp import plots
from interp.analyses.evidence.figures import concepts_on_unseen_items, sources_compared
from interp.concepts.alignment import UNALIGNED
from interp.features.grades import label_counts
from interp.pages import feature_columns
from interp.pages.beside import write_beside
from interp.pages.feature_figures import empty_figures
from interp.pages.feature_shards import split
from interp.pages.glossary import GLOSSARY
from interp.pages.item_columns import ItemPlaces, item_columns, left_out
from interp.pages.onnx_runtime import OnnxRuntime
from interp.pages.page_model import page_model
from interp.pages.rendering import render
from interp.pages.search_columns import effects, search_columns
from interp.plots.formats import column_values, decimals, figure_json, significant
from interp.plots.names import BANDS, EXAMPLES, KINDS, SCORES
from interp.store.rerun import tables_of_this_release
from interp.study.beside_popular import beside_popular
from interp.study.feature_view import FeatureView, FeatureViews
from interp.study.glance import from_elsewhere, highlights
from interp.study.headline import headline, weak_concepts
from interp.study.notes_file import as_record
from interp.study.study_map import clusters_on_map, features_on_map
from recmodels import artifacts
from recmodels.console import say
from recmodels.errors import InputError
from recmodels.wording import with_interval

if TYPE_CHECKING:
    from interp.study.study import Study

PAGE = "dashboard.html"
TOP_CURVES = 5
CONCEPT_SCORES = ("correlation", "auc", "sensitivity")


def write_dashboard(study: "Study", runtime: OnnxRuntime | None = None) -> Path:
    """Write a study's tables as one page that opens without a network, and return its path.

    A large dictionary (`interp.pages.feature_shards.MOST`) has files in a folder beside the page, `dashboard-data`.

    Args:
        study: a finished study.
        runtime: what the page runs other recommenders than GPTRec and BERT4Rec with.

    Raises:
        InputError: a table is missing, unfinished or was altered.
    """
    path = study.folder / PAGE
    with tables_of_this_release(study.folder):
        (data, files), (blocks, why) = split(page_data(study)), page_model(study, runtime)
    library = runtime.script if runtime is not None and "graph" in blocks else ""
    if why:
        say(f"There is nothing to try in the page: {why}")
    elif runtime is not None and not library:
        say("The page runs this recommender without ONNX")
    title, beside = f"{study.title}: features of a recommender", write_beside(path, files)
    artifacts.write_text(path, render("dashboard", title, data, blocks, beside, library))
    return path


def page_data(study: "Study") -> dict[str, Any]:
    """Everything the page shows, as JSON values; features, items and concepts are positions in its columns."""
    views, items = FeatureViews(study), study.items
    features, concepts, alignment = (study.table(name) for name in ("features", "concepts", "alignment"))
    order = alignment["concept"].drop_duplicates().tolist()
    names = order + sorted(set(items["concepts"].explode().dropna()) - set(order))
    position = {name: index for index, name in enumerate(names)}
    item_position = ItemPlaces.of(items.index)
    empty, places = empty_figures(views), features_on_map(study)
    clusters = clusters_on_map(places)
    phrases, effects_of = effects(views)
    # The page has its own legend of this figure: plotly takes as long for a legend as for the bars.
    empty["histogram"]["layout"]["showlegend"] = False
    shown: dict[str, Any] = {
        "about": _about(study),
        "names": SCORES,
        "concepts": names,
        "features": {
            "concept": [position.get(view.concept) for view in views],
            "aligned": [int(view.aligned) for view in views],
            "unseen_items": decimals(view.unseen_items for view in views),
            **{name: column_values(name, (view.row for view in views)) for name in (*CONCEPT_SCORES, "density", "max")},
            "p_top100": decimals(view.p_top100 for view in views),
            **feature_columns.names_and_sentences(views),
            "family": places["head"].tolist(),
            **search_columns(views, item_position),
            "effects": effects_of,
        },
        "phrases": phrases,
        "costs": feature_columns.costs(views, position),
        "curves": feature_columns.curves(views),
        "receipts": feature_columns.receipts(views, position),
        "glossary": {key: list(term) for key, term in GLOSSARY.items()},
        **_concept_scores(views, order),
        "histograms": {name: [column_values(name, view.histogram) for view in views] for name in ("present", "absent")},
        "bands": {band: list(texts) for band, texts in BANDS.items()},
        "histories": [_histories(view, item_position) for view in views],
        "labels": _labels(views, item_position),
        "lit": feature_columns.lit(views, item_position),
        "moves": {way: feature_columns.item_changes(views, way, item_position) for way in views.ways},
        "neighbours": {kind: _neighbours(views, kind) for kind in ("together", "alike")},
        "maps": {
            colour: figure_json(plots.dictionary_map(places, clusters, features, UNALIGNED, colour))
            for colour in study.figures.colours
        },
        "top": concepts[["concept", "feature"]]
        .assign(weak=concepts["concept"].isin(weak_concepts(study)))
        .to_dict("list"),
        "overview": {
            "densities": figure_json(plots.densities(features)),
            **(_about_concepts(study, views) if study.has_concepts else {}),
        },
        "empty": empty,
        "notes": _notes(study),
    }
    # Last, as a large catalogue has the items alone to which something above has given a place.
    shown["items"] = item_columns(study, item_position, position)
    shown["about"]["notes"] = [*study.notes, *left_out(shown["items"])]
    return shown


def _notes(study: "Study") -> dict[str, Any] | None:
    """What people wrote, and about which dictionary; None where the study came without its dictionary."""
    try:
        dictionary = study.sae.fingerprint
    except InputError:
        return None
    return as_record(frozenset() if study.remarks.problem else study.remarks.notes, dictionary)


def _about_concepts(study: "Study", views: FeatureViews) -> dict[str, Any]:
    """The figures of the overview that a study without concepts lacks."""
    features, concepts, alignment = (study.table(name) for name in ("features", "concepts", "alignment"))
    top = _top_curves(study)
    return {
        "sources": figure_json(sources_compared(study.table("evidence_summary"))),
        "unseen": figure_json(concepts_on_unseen_items(study.table("evidence"))),
        "neurons": figure_json(plots.features_beside_neurons(concepts)),
        "heatmap": figure_json(plots.concept_heatmap(alignment, concepts)),
        "correlations": figure_json(plots.best_correlations(features, UNALIGNED)),
        "shares": figure_json(plots.share_curves_with_bands(top)),
        "quality": figure_json(plots.quality_curves_with_bands(top)),
    }


def _top_curves(study: "Study") -> pd.DataFrame:
    """The curves of the top features of concepts, the best correlated first, as many as a figure can tell apart."""
    concepts = study.table("concepts").sort_values("correlation", ascending=False).drop_duplicates("feature")
    costs = study.table("feature_costs")[["feature", "concept"]]
    measured = concepts.merge(costs, on=["feature", "concept"]).head(TOP_CURVES)
    units = study.table("features")[["feature", "p99"]]
    return (
        measured[["feature", "concept"]].merge(study.table("feature_curves"), on="feature").merge(units, on="feature")
    )


def _about(study: "Study") -> dict[str, Any]:
    facts, first, beside = highlights(study), headline(study), beside_popular(study)
    values = {
        "l0": facts.l0,
        "explained_variance": facts.explained_variance,
        "sae": facts.sae_correlation,
        "neurons": facts.neuron_correlation,
    }
    return {
        "dataset": study.name,
        "model": facts.model,
        "title": study.title,
        "who_saw": study.provenance.who_saw,
        "max_history": study.provenance.max_history,
        "site": study.site,
        "features": facts.n_features,
        "counts": label_counts(study.table("labels")),
        "concepts": facts.n_concepts,
        "unaligned": UNALIGNED,
        "headline": [
            *(first.sentences if first else []),
            *([f"The dictionary was imported from {source}."] if (source := from_elsewhere(study)) else []),
        ],
        "ndcg": beside.recommender if beside else with_interval(facts.ndcg, *facts.ndcg_bounds, ".3f"),
        "ndcg_reconstructed": facts.reconstructed,
        "beside": asdict(beside) if beside else None,
        **dict(zip(values, decimals(values.values()), strict=True)),
    }


def _concept_scores(views: FeatureViews, concepts: list[str]) -> dict[str, dict[str, list[list[float | None]]]]:
    """For each feature, its scores with every concept, and its effect on it; no effects of a dead feature."""
    by_concept = [{row.concept: row for row in view.concepts} for view in views]
    rows = [[feature[concept] for concept in concepts] for feature in by_concept]
    return {
        "alignment": {name: [column_values(name, feature) for feature in rows] for name in CONCEPT_SCORES},
        "causal": {
            name: [[] if view.dead else column_values(name, feature) for view, feature in zip(views, rows, strict=True)]
            for name in ("effect", "effect_se")
        },
    }


def _histories(view: FeatureView, position: dict[Any, int]) -> list[list[Any]]:
    """A feature's histories as [band, rank, user, first step, items, activations, item that came next]."""
    return [
        [
            history.band,
            history.rank,
            history.user,
            history.first_step,
            [position[item] for item in history.items],
            significant(history.activations, 2),
            position[history.next_item],
        ]
        for history in view.histories
    ]


def _labels(views: FeatureViews, position: dict[Any, int]) -> dict[str, Any]:
    """Every feature's label and how it did on unseen users, and for each role the items of every feature."""
    rows = [view.label_row for view in views]
    examples = [view.examples() for view in views]
    return {
        "name": [row.label for row in rows],
        "kind": [KINDS.get(row.kind, "") for row in rows],
        "labelled": [view.labelled for view in views],
        **{name: column_values(name, rows) for name in ("precision", "recall", "hard_precision", "lift")},
        **{name: [int(getattr(row, name)) for row in rows] for name in ("support", "active")},
        "roles": EXAMPLES,
        "items": {role: [[position[item] for item in feature[role]] for feature in examples] for role in EXAMPLES},
    }


def _neighbours(views: FeatureViews, kind: str) -> dict[str, list[list[float | None]]]:
    rows = [view.neighbours(kind) for view in views]
    return {
        "neighbour": [[neighbour.index for _, neighbour in feature] for feature in rows],
        "similarity": [decimals((similarity for similarity, _ in feature), 2) for feature in rows],
    }
