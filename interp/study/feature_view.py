"""One feature as every page shows it: dashboard, static site, Jupyter, widget and app read it from here."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from interp.features.effects import LAYERS
from interp.features.grades import FeatureName, is_aligned
from interp.features.labels import UNLABELLED
from interp.plots.names import EXAMPLES
from interp.store.rerun import advice
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError

P_TOP_HISTORIES = 100
LISTS = "lists"  # the way to measure an item's change that counts lists, beside the paths of the table `effects`


class History(NamedTuple):
    """A part of a user's history around a feature's peak."""

    band: str
    rank: int
    user: str
    first_step: int
    items: list[Any]
    activations: list[float]
    next_item: Any


class ItemChange(NamedTuple):
    """What a feature does to an item: to its score, or to the lists that have it."""

    item: Any
    direction: str
    """ "promoted" or "suppressed"."""
    effect: float
    """Change of its score; of the way "lists", users who gain it less users who lose it, as a share of all."""
    up: int = 0
    """Users who have it in their list while the feature is turned up; of the way "lists" only, like the next two."""
    down: int = 0
    users: int = 0


@dataclass(frozen=True, eq=False)
class FeatureView:
    """The content of a study's tables for one feature. Values are not rounded.

    Attributes:
        index: its number.
        row: its row of the table `features`.
        evidence: its row of the table `feature_evidence`; None in a study without concepts.
        label_row: its row of the table `labels`.
        views: the views of all features of the study.
    """

    index: int
    row: Any
    evidence: Any
    label_row: Any
    views: "FeatureViews" = field(repr=False)

    @property
    def labelled(self) -> bool:
        """Whether its label holds on unseen users and items."""
        return bool(self.label_row.labelled)

    @property
    def label(self) -> str:
        """Its label, or "unlabelled" where none holds on unseen users and items (`interp.features.labels`)."""
        return self.label_row.label if self.labelled else UNLABELLED

    @property
    def concept(self) -> str:
        """Its best concept; empty in a study without concepts."""
        return self.row.concept

    @property
    def aligned(self) -> bool:
        """Whether its best concept names it: it correlates, and above chance on unseen items too."""
        return is_aligned(self.row, self.evidence)

    @property
    def name(self) -> FeatureName:
        """What every view calls it, with the grade of the evidence, and the name that a person gave."""
        return self.views.names[self.index]

    @property
    def costs(self) -> Any | None:
        """Its row of the table `feature_costs`; None if it is dead."""
        return next(iter(self.views.rows("feature_costs")[self.index]), None)

    @property
    def p_top100(self) -> float:
        """The paper's p_top100 for its best concept; NaN where fewer than 100 histories light it.

        Raises:
            InputError: the study is of an earlier release, which did not count them: run it again.
        """
        if not hasattr(self.row, "histories"):
            earlier = "the table 'features' is of an earlier release, without histories"
            raise InputError(f"{earlier}: {advice(self.views.study.folder)}")
        return self.row.p_top100 if self.row.histories >= P_TOP_HISTORIES else float("nan")

    @property
    def curve(self) -> list[Any]:
        """Rows of the table `feature_curves` with value, what is added to its activation; empty if it is dead."""
        return self.views.rows("curve")[self.index]

    @property
    def receipt(self) -> list[Any]:
        """Rows of the table `feature_receipts`; empty if it is dead."""
        return self.views.rows("feature_receipts")[self.index]

    @property
    def passes(self) -> bool:
        """Whether its best concept is better than chance on unseen items."""
        return self.evidence is not None and bool(self.evidence.passes)

    @property
    def unseen_items(self) -> float:
        """Its correlation with its best concept there; NaN in a study without concepts."""
        return float("nan") if self.evidence is None else self.evidence.unseen_items

    @property
    def dead(self) -> bool:
        """Whether it was never active on the test part."""
        return not self.row.density

    @cached_property
    def top_items(self) -> list[Any]:
        """The items at which it is highest in its strongest histories, strongest history first."""
        strongest = (history for history in self.histories if history.band == "strongest")
        return list(dict.fromkeys(history.items[int(np.argmax(history.activations))] for history in strongest))

    @cached_property
    def lit(self) -> list[tuple[Any, float]]:
        """The items of its histories at which it is on, each with its highest activation there: highest first."""
        highest: dict[Any, float] = {}
        for history in self.histories:
            for item, activation in zip(history.items, history.activations, strict=True):
                highest[item] = max(activation, highest.get(item, 0))
        return sorted(((item, value) for item, value in highest.items() if value > 0), key=lambda pair: -pair[1])

    @property
    def top_titles(self) -> list[str]:
        """The titles of these items."""
        return self.views.titles_of(self.top_items)

    @property
    def concepts(self) -> list[Any]:
        """Rows of concept, correlation, auc, sensitivity, effect, effect_se: best correlated first."""
        return self.views.rows("concepts")[self.index]

    @property
    def histogram(self) -> list[Any]:
        """Rows of left, right, present and absent, from left to right; empty if it is dead."""
        return self.views.rows("histograms")[self.index]

    @cached_property
    def histories(self) -> list[History]:
        """Parts of histories around its peaks: by band and rank."""
        groups = groupby(self.views.rows("histories")[self.index], attrgetter("rank"))
        return [_history(list(rows)) for _, rows in groups]

    def item_changes(self, way: str = LAYERS) -> list[ItemChange]:
        """The items that it promotes and suppresses, strongest first.

        Args:
            way: "layers" or "direct", a path of the table `effects`; or "lists", which counts lists.
        """
        if way == LISTS:
            return [_list_change(row) for row in self.views.rows("moved_items")[self.index]]
        rows = self.views.rows("effects")[self.index]
        return [ItemChange(row.item, row.direction, row.effect) for row in rows if row.path == way]

    def strongest_changes(self, direction: str) -> list[ItemChange]:
        """The items that most lists gain or lose by it; where no list does, those whose scores it moves most."""
        ways = (self.item_changes(way) for way in (LISTS, LAYERS))
        sides = ([change for change in changes if change.direction == direction] for changes in ways)
        return next((side for side in sides if side), [])

    def neighbours(self, kind: str) -> list[tuple[float, "FeatureView"]]:
        """Similar features with their similarity: of kind "together" (active together) or "alike" (write alike)."""
        rows = self.views.rows("neighbours")[self.index]
        return [(row.similarity, self.views[row.neighbour]) for row in rows if row.kind == kind]

    def examples(self) -> dict[str, list[Any]]:
        """Items for and against its label, by their role (`interp.plots.names.EXAMPLES`)."""
        rows = self.views.rows("label_items")[self.index]
        return {role: [row.item for row in rows if row.role == role] for role in EXAMPLES}


class FeatureViews:
    """The views of all features of a study, in order. Every table is read when it is first needed, and grouped once.

    Args:
        study: a finished study.
    """

    def __init__(self, study: StudyParts) -> None:
        self.study = study
        self._rows: dict[str, dict[int, list[Any]]] = {}

    def __len__(self) -> int:
        return len(self._views)

    def __iter__(self) -> Iterator[FeatureView]:
        return iter(self._views)

    def __getitem__(self, feature: int) -> FeatureView:
        return self._views[feature]

    def rows(self, name: str) -> dict[int, list[Any]]:
        """A table's rows by feature, in their order; no rows for a feature that the table does not have.

        A bundle without users has no rows of the tables that name them.

        Args:
            name: a table of the study, or "concepts" or "curve", which two tables make.
        """
        if name not in self._rows and self.study.left_out(name):
            self._rows[name] = defaultdict(list)
        if name not in self._rows:
            table = TABLES[name](self.study) if name in TABLES else self.study.table(name)
            if "rank" in table:
                table = table.sort_values("rank", kind="stable")
            rows: dict[int, list[Any]] = defaultdict(list)
            for row in table.itertuples(index=False):
                rows[row.feature].append(row)
            self._rows[name] = rows
        return self._rows[name]

    @property
    def names(self) -> dict[int, FeatureName]:
        """Every feature's name, as `study.names` is."""
        return self.study.names

    @cached_property
    def ways(self) -> list[str]:
        """The ways to measure what features do to items: the paths of the table `effects`, and "lists"."""
        return [*self.study.table("effects")["path"].unique(), LISTS]

    @cached_property
    def titles(self) -> dict[Any, str]:
        """Item id → title."""
        return self.study.items["title"].to_dict()

    def titles_of(self, items: list[Any]) -> list[str]:
        """The titles of items."""
        return [self.titles[item] for item in items]

    @cached_property
    def _views(self) -> list[FeatureView]:
        names = ("labels", *(["feature_evidence"] if self.study.has_concepts else []))
        labels, *more = ({row.feature: row for row in self.study.table(name).itertuples()} for name in names)
        evidence = more[0] if more else {}
        features = self.study.table("features").sort_values("feature")
        return [
            FeatureView(row.feature, row, evidence.get(row.feature), labels[row.feature], self)
            for row in features.itertuples()
        ]


def short(text: str, longest: int = 160) -> str:
    """The beginning of a text that pages show."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def _concepts(study: StudyParts) -> pd.DataFrame:
    """How each feature follows every concept and moves it, best correlated first."""
    effects = study.table("causal")[["feature", "concept", "effect", "effect_se"]]
    concepts = study.table("alignment").merge(effects, on=["feature", "concept"], how="left")
    return concepts.sort_values("correlation", ascending=False, kind="stable")


def _curves(study: StudyParts) -> pd.DataFrame:
    """What each feature's curve adds to its activation, beside the measures."""
    table = study.table("feature_curves").merge(study.table("features")[["feature", "p99"]], on="feature")
    return table.assign(value=table["amount"] * table["p99"])


TABLES: dict[str, Callable[[StudyParts], pd.DataFrame]] = {"concepts": _concepts, "curve": _curves}


def _history(rows: list[Any]) -> History:
    first, last = rows[0], rows[-1]
    items, activations = ([getattr(row, name) for row in rows] for name in ("item", "activation"))
    return History(first.band, int(first.rank), str(first.user), int(first.step), items, activations, last.next)


def _list_change(row: Any) -> ItemChange:
    return ItemChange(row.item, row.direction, (row.up - row.down) / row.users, row.up, row.down, row.users)
