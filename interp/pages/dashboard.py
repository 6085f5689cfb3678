"""One offline HTML page that holds the whole dictionary (paper Figures 2, 4, 5, 6 and 9 for every feature).

The data are column arrays, from which the page's scripts draw. `interp.plots` alone makes figures: those of the
overview are embedded whole, those of a feature once, without data, to be filled in.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from interp import plots
from interp.concepts.alignment import UNALIGNED
from interp.control.causal_map import share_curves
from interp.features.labels import F1, HARD, LIFT, SUPPORT
from interp.pages.rendering import render
from interp.plots.formats import decimals, figure_json, numbers, significant
from interp.plots.maps import COLOURS
from interp.plots.names import BANDS, EXAMPLES, KINDS, MODELS
from recmodels import artifacts

if TYPE_CHECKING:
    from interp.study.study import Study

SCORES = ("correlation", "auc", "sensitivity")
Form = Callable[[Iterable[float]], list[float | None]]  # rounds values once, to what the page shows of them
CONCEPT = "{concept}"  # where the page puts a feature's best concept


def write_dashboard(study: "Study") -> Path:
    """Write a study's tables as one page that opens without a network, and return its path.

    Raises:
        InputError: a table is missing, unfinished or was altered.
    """
    path = study.folder / "dashboard.html"
    artifacts.write_text(path, render("dashboard", f"{study.name}: features of a recommender", page_data(study)))
    return path


def page_data(study: "Study") -> dict[str, Any]:
    """Everything the page shows, as JSON values; features, items and concepts are places in its columns.

    Steering is that which keeps the reconstruction error (docs/paper.md, 9), as in `rec.steer`.
    """
    features = study.table("features").sort_values("feature")
    items, alignment = study.items, study.table("alignment")
    steering = study.table("steering").query("method == 'set'")
    concepts, histograms = study.table("concepts"), study.table("histograms")
    causal, places, neighbours = (study.table(name) for name in ("causal", "map", "neighbours"))
    ordered = alignment["concept"].drop_duplicates().tolist()
    bars = alignment.merge(causal, on=["feature", "concept"]).iloc[: len(ordered)]
    names = ordered + sorted(set(items["concepts"].explode().dropna()) - set(ordered))
    place = {name: index for index, name in enumerate(names)}
    n = len(features)
    return {
        "about": _about(study, features, concepts),
        "concepts": names,
        "items": {
            "titles": items["title"].tolist(),
            "concepts": [[place[name] for name in has] for has in items["concepts"]],
        },
        "features": {
            "concept": [place[name] for name in features["concept"]],
            **{name: decimals(features[name]) for name in (*SCORES, "density", "max", "p_top100")},
        },
        "alignment": {name: _by_feature(alignment, name, n, decimals) for name in SCORES},
        "causal": _causal(causal, ordered, n),
        "histograms": {name: _by_feature(histograms, name, n) for name in ("present", "absent")},
        "bands": {band: list(said) for band, said in BANDS.items()},
        "histories": _histories(study.table("histories"), items.index, n),
        "labels": _labels(study.table("labels"), study.table("label_items"), items.index, n),
        "moves": _moves(study.table("effects"), study.table("moved_items"), items.index, n),
        "turned": {
            name: _by_feature(share_curves(causal, features), name, n, form)
            for name, form in (("value", significant), ("share", _shares), ("error", _shares))
        },
        "neighbours": {
            kind: {
                name: _by_feature(neighbours[neighbours["kind"] == kind], name, n, _hundredths)
                for name in ("neighbour", "similarity")
            }
            for kind in ("together", "alike")
        },
        "maps": {colour: figure_json(plots.dictionary_map(places, features, UNALIGNED, colour)) for colour in COLOURS},
        "top": concepts[["concept", "feature"]].to_dict("list"),
        "overview": {
            "neurons": figure_json(plots.features_beside_neurons(concepts)),
            "heatmap": figure_json(plots.concept_heatmap(alignment, concepts)),
            "densities": figure_json(plots.densities(features)),
            "correlations": figure_json(plots.best_correlations(features, UNALIGNED)),
            "shares": figure_json(plots.share_curves(steering)),
            "quality": figure_json(plots.quality_curves(steering)),
        },
        "empty": {
            # Whose colours mean what, the page says itself: a legend takes plotly as long as the bars.
            "histogram": figure_json(
                plots.activation_histogram(histograms.iloc[:0], CONCEPT).update_layout(showlegend=False)
            ),
            "bars": figure_json(_empty(plots.concept_bars(bars))),
            "turned": figure_json(plots.turned_curve(pd.DataFrame(columns=["value", "share", "error"]))),
        },
        "steering": {
            str(feature): {
                "shares": figure_json(plots.share_curves(rows)),
                "quality": figure_json(plots.quality_curves(rows)),
            }
            for feature, rows in steering.groupby("feature")
        },
    }


def _about(study: "Study", features: pd.DataFrame, concepts: pd.DataFrame) -> dict[str, Any]:
    found = study.table("dictionary").iloc[0]
    ndcg = study.table("recommender").set_index("replaced")["ndcg@10"]
    training = study.record["config"]["training"]
    return {
        "dataset": study.name,
        "model": MODELS.get(training["model"], training["model"]),
        "max_history": training["max_history"],
        "site": study.site,
        "features": len(features),
        "concepts": len(concepts),
        "unaligned": UNALIGNED,
        "l0": decimals([found["l0"]])[0],
        "explained_variance": decimals([found["explained_variance"]])[0],
        "ndcg": decimals([ndcg["none"]])[0],
        "ndcg_reconstructed": decimals([ndcg["all"]])[0],
        "sae": decimals([found["sae_mean_top_correlation"]])[0],
        "neurons": decimals([found["neuron_mean_top_correlation"]])[0],
    }


def _histories(histories: pd.DataFrame, items: pd.Index, n: int) -> list[list[Any]]:
    """For each feature, its histories as [band, rank, user, first step, items, activations, item that came next]."""
    places = {name: items.get_indexer(histories[name]) for name in ("item", "next")}
    table = histories.assign(user=histories["user"].astype(str), **places)
    found: list[list[Any]] = [[] for _ in range(n)]
    for (feature, rank), rows in table.groupby(["feature", "rank"]):
        found[feature].append(
            [
                rows["band"].iat[0],
                int(rank),
                rows["user"].iat[0],
                int(rows["step"].iat[0]),
                rows["item"].tolist(),
                significant(rows["activation"], 2),
                int(rows["next"].iat[-1]),
            ]
        )
    return found


def _causal(causal: pd.DataFrame, concepts: list[str], n: int) -> dict[str, list[list[float | None]]]:
    """For each feature that was turned, its effect on every concept and the standard error of that."""
    found: dict[str, list[list[float | None]]] = {}
    for name in ("effect", "effect_se"):
        wide = causal.pivot(index="feature", columns="concept", values=name).reindex(columns=concepts)
        found[name] = [[] for _ in range(n)]
        for feature, values in zip(wide.index, wide.to_numpy(), strict=True):
            found[name][feature] = _shares(values)
    return found


def _labels(labels: pd.DataFrame, examples: pd.DataFrame, items: pd.Index, n: int) -> dict[str, Any]:
    """Every feature's label and how it did on unseen users, and for each role the items of every feature."""
    labels = labels.sort_values("feature")
    examples = examples.assign(item=items.get_indexer(examples["item"])).sort_values(["feature", "rank"])
    scores = ("precision", "recall", "hard_precision")
    return {
        "name": labels["label"].tolist(),
        "kind": labels["kind"].map(KINDS).fillna("").tolist(),
        "labelled": labels["labelled"].tolist(),
        **{name: _hundredths(labels[name]) for name in scores},
        "lift": decimals(labels["lift"], 1),
        **{name: labels[name].astype(int).tolist() for name in ("support", "active")},
        "needs": {"f1": F1, "lift": LIFT, "hard_precision": round(HARD, 2), "support": SUPPORT},
        "roles": EXAMPLES,
        "items": {role: _by_feature(examples[examples["role"] == role], "item", n) for role in EXAMPLES},
    }


def _moves(effects: pd.DataFrame, moved: pd.DataFrame, items: pd.Index, n: int) -> dict[str, dict[str, Any]]:
    """For each way to tell and each direction, every feature's items and what becomes of them, strongest first."""
    told = {str(path): rows.drop(columns="path") for path, rows in effects.groupby("path", sort=False)}
    told["lists"] = moved.assign(effect=(moved["up"] - moved["down"]) / moved["users"])
    found: dict[str, dict[str, Any]] = {}
    for way, table in told.items():
        table = table.assign(item=items.get_indexer(table["item"])).sort_values(["feature", "rank"])
        columns = [name for name in ("item", "effect", "up", "down", "users") if name in table]
        forms: dict[str, Form] = {"effect": decimals if way == "lists" else significant}
        found[way] = {
            direction: {
                name: _by_feature(table[table["direction"] == direction], name, n, forms.get(name, numbers))
                for name in columns
            }
            for direction in ("promoted", "suppressed")
        }
    return found


def _by_feature(table: pd.DataFrame, column: str, n: int, form: Form = numbers) -> list[list[float | None]]:
    """A column's values feature by feature, as they are shown; an empty list where a feature has no rows."""
    found: list[list[float | None]] = [[] for _ in range(n)]
    for feature, values in table.groupby("feature")[column]:
        found[feature] = form(values)
    return found


def _shares(values: Iterable[float]) -> list[float | None]:
    """To a hundredth of a percent."""
    return decimals(values, 4)


def _hundredths(values: Iterable[float]) -> list[float | None]:
    return decimals(values, 2)


def _empty(figure: go.Figure) -> go.Figure:
    figure.update_traces(x=[], y=[], customdata=[])
    return figure.update_traces(error_x={"array": []}, selector={"meta": "effect"})
