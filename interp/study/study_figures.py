"""A study's figures as methods: `study.figures.map()`. Each is drawn from the study's tables by `interp.plots`."""

import pandas as pd
import plotly.graph_objects as go

from interp import plots
from interp.concepts.alignment import UNALIGNED
from interp.plots.maps import COLOURS, OF_CONCEPTS
from interp.plots.steering_plots import METRICS
from interp.plots.theme import plain
from interp.study.feature import Features
from interp.study.feature_view import FeatureView
from interp.study.study_map import clusters_on_map, features_on_map
from recmodels.errors import InputError

TOP = 3  # items in the hover text of a point of the map


class StudyFigures:
    """The figures of one study. Those of one feature are methods of `study.features[412]`.

    Args:
        features: whose study's tables are drawn.
    """

    def __init__(self, features: Features) -> None:
        self.features = features
        self.study = features.study

    def features_beside_neurons(self) -> go.Figure:
        """Each concept's best correlation: neurons beside features (paper Figure 4)."""
        return plots.features_beside_neurons(self._concepts)

    def correlations(self) -> go.Figure:
        """How well each feature's best concept fits it."""
        self._concepts  # noqa: B018 - refuses a study without them
        return plots.best_correlations(self.study.table("features"), UNALIGNED)

    def densities(self) -> go.Figure:
        """How often features are active."""
        return plots.densities(self.study.table("features"))

    def concept_heatmap(self) -> go.Figure:
        """What features say: correlation of each concept's top feature with every concept (paper Figure 2)."""
        return plots.concept_heatmap(self.study.table("alignment"), self._concepts)

    def causal_heatmap(self) -> go.Figure:
        """What features do: each concept's top feature turned up, and every concept's share of the lists."""
        return plots.causal_heatmap(self.study.table("causal"), self._concepts)

    @property
    def colours(self) -> list[str]:
        """The colours of `map`; without concepts, those that are about none."""
        return [name for name in COLOURS if self.study.has_concepts or name not in OF_CONCEPTS]

    def map(self, colour: str | None = None) -> go.Figure:
        """Every family of near-duplicate features as a point, near those whose directions are alike.

        Regions are clusters whose features share a name (`interp.features.families`). On hover: names and top items.

        Args:
            colour: "grade" of the evidence, which is the default, "concept", "correlation" with it, or "density".

        Raises:
            InputError: there is no such colour.
        """
        colour = self.colours[0] if colour is None else colour
        if colour not in self.colours:
            raise InputError(f"there is no colour {colour!r}: choose one of {', '.join(self.colours)}")
        places = features_on_map(self.study)
        figure = plots.dictionary_map(places, clusters_on_map(places), self.study.table("features"), UNALIGNED, colour)
        texts = self._hover_texts(places)
        return figure.for_each_trace(lambda trace: trace.update(text=[texts[feature] for feature in trace.customdata]))

    def shares(self) -> go.Figure:
        """Share of a concept in the lists as its top feature is set to values (paper Figure 9a)."""
        return plots.share_curves(self._steering)

    def quality(self, measure: str = "ndcg@10") -> go.Figure:
        """Ranking quality at the same settings (paper Figure 9b–d).

        Args:
            measure: "ndcg@10", "coverage@10" or "diversity@10".

        Raises:
            InputError: there is no such measure.
        """
        if measure not in METRICS:
            raise InputError(f"there is no measure {measure!r}: choose one of {', '.join(METRICS)}")
        return plots.quality_curves(self._steering, measure)

    def costs(self, concept: str) -> go.Figure:
        """NDCG@10 against the share of a concept in the lists, beside what one would do without a dictionary.

        Args:
            concept: one that the study steers.

        Raises:
            InputError: it was not steered.
        """
        sweeps = pd.concat([self.study.table("steering"), self.study.table("baselines")], ignore_index=True)
        targets = sweeps["target"].dropna().unique().tolist()
        if concept not in targets:
            raise InputError(f"{concept!r} was not steered in this study: choose one of {', '.join(targets)}")
        return plots.cost_curves(sweeps[sweeps["target"] == concept])

    @property
    def _concepts(self) -> pd.DataFrame:
        """The table `concepts`.

        Raises:
            InputError: the study has none.
        """
        if not self.study.has_concepts:
            raise InputError(f"{self.study.name} has no concepts to draw: give its items an attribute")
        return self.study.table("concepts")

    @property
    def _steering(self) -> pd.DataFrame:
        """As in `rec.steer`: a feature is set to a value, and the reconstruction error kept."""
        return self.study.table("steering").query("method == 'set'")

    def _hover_texts(self, places: pd.DataFrame) -> dict[int, str]:
        """The hover text of each point, by its head: its name, the near-duplicates, and the strongest items."""
        members = places.groupby("head")["feature"].agg(list)
        return {head: self._hover_text(self.features.views[head], members[head]) for head in members.index}

    def _hover_text(self, view: FeatureView, members: list[int]) -> str:
        lines = [f"<b>Feature {view.index}</b> · {plain(view.name.said)}"]
        others = [
            f"{feature} {plain(self.features.views[feature].name.shown)}"
            for feature in members
            if feature != view.index
        ]
        if others:
            lines.append(f"near-duplicates: {', '.join(others)}")
        return "<br>".join([*lines, *map(plain, view.top_titles[:TOP])])
