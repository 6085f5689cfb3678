"""The figures of a feature's page. Each is drawn once without data, and filled in as JSON for every feature.

Drawing them anew for each of a thousand features would take minutes. The static site fills them in here, the dashboard
in its script.
"""

from copy import deepcopy
from typing import Any

import pandas as pd

from interp import plots
from interp.plots.formats import column_values, figure_json, numbers
from interp.plots.theme import plain
from interp.study.feature_view import FeatureView, FeatureViews

BARS = ["concept", "correlation", "auc", "sensitivity", "effect", "effect_se"]
CONCEPT = "{concept}"  # stands for a feature's best concept
Figure = dict[str, Any]


def empty_figures(views: FeatureViews) -> dict[str, Figure]:
    """The figures "histogram", "bars" and "turned" without data, as JSON values."""
    bars = plots.concept_bars(pd.DataFrame(views[0].concepts, columns=None if views[0].concepts else BARS))
    bars.update_traces(x=[], y=[], customdata=[])
    bars.update_traces(error_x={"array": []}, selector={"meta": "effect"})
    figures = {
        "histogram": plots.activation_histogram(views.study.table("histograms").iloc[:0], CONCEPT),
        "bars": bars,
        "turned": plots.turned_curve(pd.DataFrame(columns=["value", "share", "error"])),
    }
    return {name: figure_json(figure) for name, figure in figures.items()}


def sweep_figures(views: FeatureViews) -> dict[int, dict[str, Figure]]:
    """The figures "shares" and "quality" of every feature that the study steered."""
    return {
        feature: {
            "shares": figure_json(plots.share_curves(rows)),
            "quality": figure_json(plots.quality_curves(rows)),
        }
        for feature, rows in views.steering.groupby("feature")
    }


class FeatureFigures:
    """The figures of each feature, as JSON values by the id of their element on the page.

    Args:
        views: the features.
    """

    def __init__(self, views: FeatureViews) -> None:
        self._empty = empty_figures(views)
        self._sweeps = sweep_figures(views)

    def has_sweep(self, feature: int) -> bool:
        """Whether the study set a feature to a range of values."""
        return feature in self._sweeps

    def of(self, view: FeatureView) -> dict[str, Figure]:
        """All figures of one feature; none in a study without concepts."""
        sweep = {f"plot-{name}": figure for name, figure in self._sweeps.get(view.index, {}).items()}
        if view.dead or not view.concept:
            return sweep
        return {
            "plot-histogram": self._histogram(view),
            "plot-bars": self._bars(view),
            **(sweep or {"plot-shares": self._share_curve(view)}),
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
        scores = (column_values(name, rows) for name in ("auc", "sensitivity"))
        correlations["customdata"] = [list(pair) for pair in zip(*scores, strict=True)]
        effects["error_x"]["array"] = column_values("effect_se", rows)
        return figure

    def _share_curve(self, view: FeatureView) -> Figure:
        figure, rows = deepcopy(self._empty["turned"]), view.share_curve
        (trace,) = figure["data"]
        trace |= {"x": column_values("value", rows), "y": column_values("share", rows)}
        trace["error_y"]["array"] = column_values("error", rows)
        return figure
