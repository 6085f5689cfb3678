"""One offline HTML page that holds the whole dictionary (paper Figures 2, 4, 5, 6 and 9 for every feature).

The page asks the network for nothing: plotly.js is inside, and a content security policy forbids the rest.
All data is one JSON block of column arrays, from which `page/page.js` draws. `interp.figures` alone makes
figures: those of the overview are embedded whole, those of a feature once, without data, to be filled in.
"""

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from interp import figures
from interp.feature import UNALIGNED
from recmodels import artifacts

if TYPE_CHECKING:
    from interp.study import Study

MODELS = {"gptrec": "GPTRec"}
PAGE = Path(__file__).parent / "page"
CONCEPT = "{concept}"  # where the page puts a feature's best concept


def write_dashboard(study: "Study") -> Path:
    """Write a study's tables as one page that opens without a network, and return its path.

    Raises:
        InputError: a table is missing, unfinished or was altered.
    """
    path = study.folder / "dashboard.html"
    artifacts.write_text(path, render(f"{study.name}: features of a recommender", page_data(study)))
    return path


def render(title: str, data: dict[str, Any]) -> str:
    """The page. Its scripts are allowed by their hashes, so that no other can run.

    Args:
        title: the document's title, plain text.
        data: `page_data`.
    """
    page, style, script = ((PAGE / name).read_text(encoding="utf-8") for name in ("page.html", "page.css", "page.js"))
    plotly = get_plotlyjs().replace("</script", "<\\/script")
    parts = {
        "title": escape(title),
        "hashes": " ".join(_hash(text) for text in (script, plotly)),
        "style": style,
        # No "<" is left in the JSON, so nothing in it can end its block.
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "script": script,
        "plotly": plotly,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page)


def page_data(study: "Study") -> dict[str, Any]:
    """Everything the page shows, as JSON values; features, items and concepts are places in its columns."""
    features = study.table("features").sort_values("feature")
    items, steering, alignment = study.items, study.table("steering"), study.table("alignment")
    concepts, histograms = study.table("concepts"), study.table("histograms")
    ordered = alignment["concept"].drop_duplicates().tolist()
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
            **{name: _numbers(features[name]) for name in ("correlation", "auc", "sensitivity")},
            **{name: _numbers(features[name]) for name in ("density", "max", "p_top100")},
        },
        "alignment": {name: _by_feature(alignment, name, n) for name in ("correlation", "auc", "sensitivity")},
        "histograms": {name: _by_feature(histograms, name, n) for name in ("present", "absent")},
        "histories": _histories(study.table("histories"), items.index, n),
        "effects": _effects(study.table("effects"), items.index, n),
        "top": concepts[["concept", "feature"]].to_dict("list"),
        "overview": {
            "neurons": _figure(figures.features_beside_neurons(concepts)),
            "heatmap": _figure(figures.concept_heatmap(alignment, concepts)),
            "densities": _figure(figures.densities(features)),
            "correlations": _figure(figures.best_correlations(features, UNALIGNED)),
            "shares": _figure(figures.share_curves(steering)),
            "quality": _figure(figures.quality_curves(steering)),
        },
        "empty": {
            "histogram": _figure(figures.activation_histogram(histograms.iloc[:0], CONCEPT)),
            "bars": _figure(_empty(figures.concept_bars(alignment.iloc[: len(ordered)]))),
        },
        "steering": {
            str(feature): {
                "shares": _figure(figures.share_curves(rows)),
                "quality": _figure(figures.quality_curves(rows)),
            }
            for feature, rows in steering.groupby("feature")
        },
    }


def _about(study: "Study", features: pd.DataFrame, concepts: pd.DataFrame) -> dict[str, Any]:
    found = study.table("dictionary").iloc[0]
    ndcg = study.table("recommender").set_index("replaced")["ndcg@10"]
    model = study.record["config"]["training"]["model"]
    return {
        "dataset": study.name,
        "model": MODELS.get(model, model),
        "site": study.site,
        "features": len(features),
        "concepts": len(concepts),
        "unaligned": UNALIGNED,
        "l0": _number(found["l0"]),
        "explained_variance": _number(found["explained_variance"]),
        "ndcg": _number(ndcg["none"]),
        "ndcg_reconstructed": _number(ndcg["all"]),
        "sae": _number(found["sae_mean_top_correlation"]),
        "neurons": _number(found["neuron_mean_top_correlation"]),
    }


def _histories(histories: pd.DataFrame, items: pd.Index, n: int) -> list[list[Any]]:
    """For each feature, its strongest histories as [user, first step, items, activations]."""
    table = histories.assign(item=items.get_indexer(histories["item"]), user=histories["user"].astype(str))
    found: list[list[Any]] = [[] for _ in range(n)]
    for (feature, _), rows in table.groupby(["feature", "rank"]):
        found[feature].append(
            [
                rows["user"].iat[0],
                int(rows["step"].iat[0]),
                rows["item"].tolist(),
                _numbers(rows["activation"]),
            ]
        )
    return found


def _effects(effects: pd.DataFrame, items: pd.Index, n: int) -> dict[str, dict[str, list[Any]]]:
    """For each direction, every feature's items and effects, strongest first."""
    table = effects.assign(item=items.get_indexer(effects["item"])).sort_values(["feature", "rank"])
    return {
        str(direction): {name: _by_feature(rows, name, n) for name in ("item", "effect")}
        for direction, rows in table.groupby("direction")
    }


def _by_feature(table: pd.DataFrame, column: str, n: int) -> list[list[float | None]]:
    """A column's values feature by feature; an empty list where the table has no rows of a feature."""
    found: list[list[float | None]] = [[] for _ in range(n)]
    for feature, values in table.groupby("feature")[column]:
        found[feature] = _numbers(values)
    return found


def _empty(figure: go.Figure) -> go.Figure:
    return figure.update_traces(x=[], y=[], customdata=[])


def _figure(figure: go.Figure) -> dict[str, Any]:
    return json.loads(figure.to_json())


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: float, digits: int = 4) -> float | None:
    """A number that is short in JSON: of four significant digits, None where it is not finite."""
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{digits}g}") if value != int(value) else int(value)
    return rounded or 0


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
