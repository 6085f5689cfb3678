"""The features of a study in Python: `study.features`, and one of them, `study.features[412]`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from textwrap import indent
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from interp import plots
from interp.concepts.suggestions import unknown_concept
from interp.features.grades import FeatureName
from interp.steering.feature_names import feature_number, feature_or_concept
from interp.steering.validation import check_dictionary
from interp.study.feature_frame import feature_frame
from interp.study.feature_view import FeatureView, FeatureViews
from interp.study.sentence import sentence
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError, for_terminal, quote
from recmodels.wording import signed, wrapped

WIDTH = 110  # characters of a line in a terminal


@dataclass(frozen=True)
class Feature:
    """One feature, drawn from a study's tables. Shows itself in Jupyter and in a terminal.

    Attributes:
        index: its number in the dictionary.
        features: the features it belongs to.
    """

    index: int
    features: Features

    @cached_property
    def row(self) -> pd.Series:
        """Its row of the features table: density, mean, p99, max, std, best concept and its scores."""
        return self.features.table.loc[self.index]

    @cached_property
    def proof(self) -> pd.Series:
        """Its row of the labels table: the best label and how well it predicts activity on unseen users."""
        return self.features.rows("labels", self.index).iloc[0]

    @property
    def view(self) -> FeatureView:
        """What every page shows of it."""
        return self.features.views[self.index]

    @property
    def label(self) -> str:
        """Its label, or "unlabelled" where none holds on unseen users and items (`interp.features.labels`)."""
        return self.view.label

    @property
    def name(self) -> FeatureName:
        """What every view calls it, with the grade of the evidence (`interp.features.grades`)."""
        return self.view.name

    @property
    def sentence(self) -> str:
        """What one must know of it first: what lights it, what it promotes and moves, and what that costs.

        Raises:
            InputError: the study is of an earlier release, without receipts of all features: run it again.
        """
        return sentence(self.view)

    @property
    def costs(self) -> pd.Series:
        """What it moves and costs when it is turned up by its 99th percentile, beside re-ranking to the same share.

        Its row of the table `feature_costs` (`interp.control.feature_receipts`), empty if it was never active.
        """
        rows = self.features.rows("feature_costs", self.index)
        return rows.iloc[0] if len(rows) else rows.squeeze(axis=0)

    @cached_property
    def receipt(self) -> pd.DataFrame:
        """What changes in the lists when it is turned up by its 99th percentile: as `study.receipt`, in one table.

        Columns: measure ("share" for shares of concepts), concept, interval, and before, after and change with bounds.
        """
        return self.features.rows("feature_receipts", self.index).drop(columns="feature")

    @property
    def _evidence(self) -> str:
        """What its label rests on, in a few words."""
        if self.view.labelled:
            return f"precision {self.proof['precision']:.2f}, recall {self.proof['recall']:.2f} on unseen users"
        if not self.view.concept:
            return "no label holds on unseen users and items"
        chance = "" if self.view.passes else ", no better than chance on unseen items"
        return f"closest to {self.row['concept']}, correlation {signed(self.row['correlation'], '.2f')}{chance}"

    @cached_property
    def concepts(self) -> pd.DataFrame:
        """Its scores with every concept, best correlated first.

        Columns: concept, correlation, auc, sensitivity, effect, effect_se.

        effect is the change of the concept's share of the top 10 as the feature is turned up by its 99th percentile,
        half the difference to turning it down; NaN where it was never active.
        """
        columns = ["concept", "correlation", "auc", "sensitivity", "effect", "effect_se"]
        return pd.DataFrame(self.view.concepts, columns=None if self.view.concepts else columns)[columns]

    @cached_property
    def histories(self) -> pd.DataFrame:
        """Histories around their peak: band, rank, user, step, item, next (item), activation, title, concepts."""
        rows = self.features.rows("histories", self.index).drop(columns="feature")
        return self.features.study.titles(rows)

    @cached_property
    def neighbours(self) -> pd.DataFrame:
        """The features that are on together with it, and that write alike: kind, rank, neighbour, similarity."""
        return self.features.rows("neighbours", self.index).drop(columns="feature")

    @cached_property
    def effects(self) -> pd.DataFrame:
        """The items whose scores it raises and lowers most: path, direction, rank, item, effect, title, concepts.

        On the path "layers" through the layers after it, as its activation acts; on "direct" past them, as its
        direction reads. Without a block after the site there is one path only.
        """
        rows = self.features.rows("effects", self.index).drop(columns="feature")
        return self.features.study.titles(rows)

    @cached_property
    def moved(self) -> pd.DataFrame:
        """The items that most lists gain and lose by it: direction, rank, item, up, down, users, title, concepts.

        up and down are how many of the test users that were tried have the item in their top 10 while the feature is
        turned up, or down, by its 99th percentile.
        """
        rows = self.features.rows("moved_items", self.index).drop(columns="feature")
        return self.features.study.titles(rows)

    def histogram(self) -> go.Figure:
        """Its positive activations, split by its best concept (paper Figure 5)."""
        return plots.activation_histogram(self.features.rows("histograms", self.index), self.row["concept"])

    def concept_bars(self) -> go.Figure:
        """Its correlation with every concept, and its effect on each."""
        return plots.concept_bars(self.concepts)

    def share_curve(self) -> go.Figure:
        """Share of a concept in the lists as it is turned, with a band; shaded, the range of its own activations.

        The concept is the one of `costs`, and the users who measure it are those of `costs` too.
        """
        return plots.turned_curve(self.view.curve, "share", self.row["max"])

    def quality_curve(self) -> go.Figure:
        """NDCG@10 as it is turned, with a band; sweeps that set features to values are in `study.figures.quality`."""
        return plots.turned_curve(self.view.curve, "ndcg", self.row["max"])

    @property
    def dictionary(self) -> str:
        """Fingerprint of its dictionary; steers of other dictionaries refuse it."""
        return self.features.study.sae.fingerprint

    def __index__(self) -> int:
        """Its number, so that it can be steered by itself: `rec.steer({study.features["Horror"]: 2})`."""
        return self.index

    @for_terminal
    def __repr__(self) -> str:
        row = self.row
        return (
            f"feature {self.index}: {self.name.said}: {self._evidence}; active on {row['density']:.1%} of steps\n"
            f"  promotes   {self._titles('promoted')}\n"
            f"  suppresses {self._titles('suppressed')}{self._said}"
        )

    @property
    def _said(self) -> str:
        """The sentence on lines of its own; nothing for a study of an earlier release."""
        try:
            text = self.sentence
        except InputError:
            return ""
        return "\n" + indent(wrapped(text, WIDTH), "  ")

    def _titles(self, direction: str, count: int = 4) -> str:
        items = [change.item for change in self.view.strongest_changes(direction)]
        return "; ".join(self.features.views.titles_of(items[:count]))

    @property
    def _lit_by(self) -> str:
        if self.features.study.left_out("histories"):
            return "(this bundle has no histories)"
        return "; ".join(self.view.top_titles[:6])

    def _repr_html_(self) -> str:
        row = self.row
        lists = "".join(
            f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in (
                ("lit by", self._lit_by),
                ("promotes", self._titles("promoted", 6)),
                ("suppresses", self._titles("suppressed", 6)),
            )
        )
        return (
            f"<b>Feature {self.index}: {escape(self.name.said)}</b> {escape(self._evidence)}; "
            f"active on {row['density']:.1%} of steps, at most {row['max']:.2f}"
            f"<p>{escape(' '.join(self._said.split()))}</p><table>{lists}</table>"
        )


class Features:
    """A dictionary's features by number or by the concept that they stand for.

    Args:
        study: whose dictionary.
    """

    def __init__(self, study: StudyParts) -> None:
        self.study = study
        self._tables: dict[str, pd.DataFrame] = {}

    @cached_property
    def table(self) -> pd.DataFrame:
        """density, mean, p99, max, std, best concept and its scores, indexed by feature."""
        return self.study.table("features").set_index("feature")

    @cached_property
    def views(self) -> FeatureViews:
        """What every page shows of each feature."""
        return FeatureViews(self.study)

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Feature]:
        return (self[index] for index in self.table.index)

    def __contains__(self, key: Any) -> bool:
        try:
            self[key]
        except InputError:
            return False
        return True

    def __getitem__(self, key: Any) -> Feature:
        """The feature with this number, or the top feature of this concept.

        `study.features["concept:12"]` and `study.features["feature:12"]` say which is meant where it is not plain.

        Raises:
            InputError: there is no such feature or concept, or the text may mean both.
        """
        if isinstance(key, Feature):
            if key.features.study is not self.study:
                check_dictionary(key.dictionary, self.study.sae.fingerprint)
            key = key.index
        if isinstance(key, str):
            top = self.study.table("concepts").set_index("concept")["feature"]
            key = feature_or_concept(str(key), top.index)
            if isinstance(key, str):
                if key not in top.index:
                    raise InputError(unknown_concept(key, top.index, self.study.table("labels")))
                key = top[key]
        number = feature_number(key)
        if number is None or number not in self.table.index:
            raise InputError(f"there is no feature {quote(key)}: this dictionary has features 0 to {len(self) - 1}")
        return Feature(number, self)

    def to_frame(self) -> pd.DataFrame:
        """A row for each feature, indexed by its number: what it is called, how sure that is, and how it acts.

        Columns: label ("unlabelled" where none holds), grade ("tested"; "correlated only", if no label holds but its
        best concept correlates by at least 0.2, above chance on unseen items too; "unlabelled"; or "dead", if it was
        never active on the test part); density, mean,
        p99, max, std (`study.table("features")`); precision, recall and f1 of the label on unseen users; and with
        concepts: concept, correlation, auc and sensitivity of the best one, and unseen_items, its correlation on unseen
        items, with q.
        """
        return feature_frame(self.views)

    def rows(self, name: str, feature: int) -> pd.DataFrame:
        """The rows of a study's table that belong to one feature."""
        if name not in self._tables:
            self._tables[name] = self.study.table(name)
        table = self._tables[name]
        return table[table["feature"] == feature].reset_index(drop=True)

    @for_terminal
    def __repr__(self) -> str:
        alive = int((self.table["density"] > 0).sum())
        return f"{len(self)} features, {alive} of them active on the test part; index by number or concept"

    def _repr_html_(self) -> str:
        return self.table.sort_values("correlation", ascending=False).head(20)._repr_html_()
