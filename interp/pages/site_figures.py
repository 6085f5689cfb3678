"""The figures of a feature's page. Each is drawn once without data, and filled in as JSON for every feature.

Drawing them anew for each of a thousand features would take minutes.
"""

from copy import deepcopy
from typing import Any

import pandas as pd

from interp import plots
from interp.plots.formats import figure_json, numbers
from interp.plots.theme import plain
from interp.study.feature_view import Named, Shown

CONCEPT = "{concept}"  # where a feature's best concept goes


class Drawn:
    """The figures of each feature, as JSON values by the id of the element that they belong in.

    Args:
        shown: the features.
    """

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        study = shown.study
        concepts = pd.DataFrame(shown.concepts(0))
        self._histogram = figure_json(plots.activation_histogram(study.table("histograms").iloc[:0], CONCEPT))
        self._bars = figure_json(plots.concept_bars(concepts))
        self._turned = figure_json(plots.turned_curve(pd.DataFrame(columns=["value", "share", "error"])))
        steering = study.table("steering").query("method == 'set'")
        self._steered = {
            feature: {
                "plot-shares": figure_json(plots.share_curves(rows)),
                "plot-quality": figure_json(plots.quality_curves(rows)),
            }
            for feature, rows in steering.groupby("feature")
        }

    def steered(self, feature: int) -> bool:
        """Whether a feature was steered through a range of values."""
        return feature in self._steered

    def of(self, feature: Named) -> dict[str, Any]:
        """All figures of one feature."""
        found = self._steered.get(feature.index, {})
        if feature.dead:
            return found
        return {
            "plot-histogram": self._histogram_of(self.shown.histogram(feature.index), feature.concept),
            "plot-bars": self._bars_of(self.shown.concepts(feature.index)),
            **(found or {"plot-shares": self._turned_of(self.shown.turned(feature.index))}),
        }

    def _histogram_of(self, rows: list[Any], concept: str) -> dict[str, Any]:
        figure = deepcopy(self._histogram)
        middle = numbers((row.left + row.right) / 2 for row in rows)
        width = numbers(row.right - row.left for row in rows)
        for trace in figure["data"]:
            trace |= {"x": middle, "y": numbers(getattr(row, trace["meta"]) for row in rows), "width": width}
            trace["name"] = trace["name"].replace(CONCEPT, plain(concept))
        return figure

    def _bars_of(self, concepts: list[Any]) -> dict[str, Any]:
        figure = deepcopy(self._bars)
        follows, moves = figure["data"]
        for trace in (follows, moves):
            trace["x"] = numbers(getattr(row, trace["meta"]) for row in concepts)
            trace["y"] = [plain(row.concept) for row in concepts]
        follows["customdata"] = [numbers((row.auc, row.sensitivity)) for row in concepts]
        moves["error_x"]["array"] = numbers(row.effect_se for row in concepts)
        return figure

    def _turned_of(self, rows: list[Any]) -> dict[str, Any]:
        figure = deepcopy(self._turned)
        (trace,) = figure["data"]
        trace |= {"x": numbers(row.value for row in rows), "y": numbers(row.share for row in rows)}
        trace["error_y"]["array"] = numbers(row.error for row in rows)
        return figure
