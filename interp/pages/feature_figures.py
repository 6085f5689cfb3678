"""The figures of a feature's page. Each is drawn once without data, and filled in as JSON for every feature.

Drawing them anew for each of a thousand features would take minutes. The static site fills them in here, the dashboard
in its script.
"""

from copy import deepcopy
from typing import Any

import pandas as pd

from interp import plots
from interp.plots.formats import column_values, decimals, figure_json, number, numbers
from interp.plots.theme import plain
from interp.study.feature_view import FeatureView, FeatureViews

BARS = ["concept", "correlation", "auc", "sensitivity", "effect", "effect_se"]
SIDES = ("", "_low", "_high")
CONCEPT = "{concept}"  # stands for a feature's best concept
Figure = dict[str, Any]


def empty_figures(views: FeatureViews) -> dict[str, Figure]:
    """The figures "histogram", "bars" and "turned" without data, as JSON values."""
    bars = plots.concept_bars(pd.DataFrame(views[0].concepts, columns=None if views[0].concepts else BARS))
    bars.update_traces(x=[], y=[], customdata=[], marker={"color": []})
    bars.update_traces(error_x={"array": []}, selector={"meta": "effect"})
    figures = {
        "histogram": plots.activation_histogram(views.study.table("histograms").iloc[:0], CONCEPT),
        "bars": bars,
        **{f"turned-{name}": plots.turned_curve([], name) for name in ("share", "ndcg")},
    }
    return {name: figure_json(figure) for name, figure in figures.items()}


class FeatureFigures:
    """The figures of each feature, as JSON values by the id of their element on the page.

    Args:
        views: the features.
    """

    def __init__(self, views: FeatureViews) -> None:
        self._empty = empty_figures(views)

    def of(self, view: FeatureView) -> dict[str, Figure]:
        """All figures of one feature; none of a dead one, and of concepts only where the study has some."""
        if view.dead:
            return {}
        quality = {"plot-turned-ndcg": self._curve(view, "ndcg")}
        if not view.concept:
            return quality
        return {
            "plot-histogram": self._histogram(view),
            "plot-bars": self._bars(view),
            "plot-turned-share": self._curve(view, "share"),
            **quality,
        }

    def _histogram(self, view: FeatureView) -> Figure:
        figure, rows = deepcopy(self._empty["histogram"]), view.histogram
        middle = numbers((row.left + row.right) / 2 for row in rows)
        width = numbers(row.right - row.left for row in rows)
        for trace in figure["data"]:
            trace |= {"x": middle, "y": numbers(getattr(row, trace["meta"]) for row in rows), "width": width}
            trace["name"] = trace["name"].replace(CONCEPT, plain(view.concept))
        return figure

    def _bars(self, view: FeatureView) -> Figure:
        figure, rows = deepcopy(self._empty["bars"]), view.concepts
        correlations, effects = figure["data"]
        for trace in (correlations, effects):
            trace["x"] = column_values(trace["meta"], rows)
            trace["y"] = [plain(row.concept) for row in rows]
            trace["marker"]["color"] = trace["x"]
        scores = (column_values(name, rows) for name in ("auc", "sensitivity"))
        correlations["customdata"] = [list(pair) for pair in zip(*scores, strict=True)]
        effects["error_x"]["array"] = column_values("effect_se", rows)
        return figure

    def _curve(self, view: FeatureView, measure: str) -> Figure:
        figure, rows = deepcopy(self._empty[f"turned-{measure}"]), view.curve
        band, curve = figure["data"]
        x = column_values("value", rows)
        values, low, high = (decimals((getattr(row, f"{measure}{side}") for row in rows), 4) for side in SIDES)
        band |= {"x": [*x, *reversed(x)], "y": [*high, *reversed(low)]}
        curve |= {"x": x, "y": values}
        figure["layout"]["shapes"][0]["x1"] = number(view.row.max)
        return figure
