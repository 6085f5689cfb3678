"""What the page of a feature shows, from a study's tables, as plain values for its template."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from interp.concepts.alignment import UNALIGNED
from interp.control.causal_map import share_curves
from interp.features.effects import LAYERS
from interp.features.labels import UNLABELLED
from interp.plots.names import BANDS, EXAMPLES
from interp.study.study_parts import StudyParts

DARK = 0.806  # share of the largest activation from which on white is easier to read on its shade than black
TOP = 3  # items that stand for a feature in lists


@dataclass(frozen=True)
class Named:
    """A feature in a list.

    Attributes:
        index: its number.
        label: its label, or "unlabelled".
        concept: its best concept.
        aligned: whether that names it.
        top: titles of the items at which it is highest, in its strongest histories.
        row: its row of the table `features`.
        proof: its row of the table `labels`.
    """

    index: int
    label: str
    concept: str
    aligned: bool
    top: list[str]
    row: Any
    proof: Any

    @property
    def dead(self) -> bool:
        """Whether it was never active on the test part."""
        return not self.row.density


class Shown:
    """A study's features as their pages show them. Every table is read once, and grouped in one pass.

    Args:
        study: whose.
    """

    def __init__(self, study: StudyParts) -> None:
        self.study = study
        self.items = study.items
        self.titles: dict[Any, str] = self.items["title"].to_dict()
        causal, scores, features = (study.table(name) for name in ("causal", "effects", "features"))
        effects = causal[["feature", "concept", "effect", "effect_se"]]
        concepts = study.table("alignment").merge(effects, on=["feature", "concept"], how="left")
        self._concepts = _by_feature(concepts.sort_values("correlation", ascending=False, kind="stable"))
        self._histograms = _by_feature(study.table("histograms"))
        self._histories = _by_feature(study.table("histories"))
        self._turned = _by_feature(share_curves(causal, features))
        self._effects, self._moved, self._neighbours, self._examples = (
            _by_feature(table.sort_values("rank", kind="stable"))
            for table in (
                scores[scores["path"] == LAYERS],
                study.table("moved_items"),
                study.table("neighbours"),
                study.table("label_items"),
            )
        )
        proofs = {proof.feature: proof for proof in study.table("labels").itertuples()}
        self.features = [self._named(row, proofs[row.feature]) for row in features.sort_values("feature").itertuples()]

    def concepts(self, feature: int) -> list[Any]:
        """Rows of concept, correlation, auc, sensitivity, effect, effect_se: best correlated first."""
        return self._concepts[feature]

    def histogram(self, feature: int) -> list[Any]:
        """Rows of left, right, present and absent, from left to right; none of a dead feature."""
        return self._histograms[feature]

    def turned(self, feature: int) -> list[Any]:
        """Rows of value, share and error, as of `interp.control.causal_map.share_curves`; none of a dead feature."""
        return self._turned[feature]

    def bands(self, feature: int) -> Iterator[dict[str, Any]]:
        """Histories by how strongly they light a feature."""
        rows, largest = self._histories[feature], self.features[feature].row.max
        for band, (name, about) in BANDS.items():
            groups = groupby((row for row in rows if row.band == band), attrgetter("rank"))
            if histories := [self._history(list(group), largest) for _, group in groups]:
                yield {"name": name, "about": about, "histories": histories}

    def effects(self, feature: int) -> dict[str, list[dict[str, Any]]]:
        """The items whose scores a feature raises ("promoted") and lowers ("suppressed"), strongest first."""
        rows = self._effects[feature]
        return _moves([(row, row.effect, f"{abs(row.effect):#.3g}", "") for row in rows])

    def moved(self, feature: int) -> dict[str, list[dict[str, Any]]]:
        """The items that most lists gain and lose as a feature is turned up and down."""
        told = (
            (row, row.up - row.down, f"{abs(row.up - row.down)}", f"{row.down} → {row.up} of {row.users} users")
            for row in self._moved[feature]
        )
        return _moves(list(told))

    def neighbours(self, feature: int) -> dict[str, list[tuple[float, Named]]]:
        """The features that are on together with a feature, and those that write alike, with their similarity."""
        found: dict[str, list[tuple[float, Named]]] = {"together": [], "alike": []}
        for row in self._neighbours[feature]:
            found[row.kind].append((row.similarity, self.features[row.neighbour]))
        return found

    def examples(self, feature: int) -> list[tuple[str, str]]:
        """Items that speak for a feature's label and against it: what they are, and their titles."""
        rows = self._examples[feature]
        titles = {role: [short(self.titles[row.item]) for row in rows if row.role == role] for role in EXAMPLES}
        return [(EXAMPLES[role], "; ".join(found)) for role, found in titles.items() if found]

    def _history(self, rows: list[Any], largest: float) -> dict[str, Any]:
        peak = max(rows, key=attrgetter("activation"))
        steps = [
            {
                "item": row.item,
                "share": f"{min(row.activation / largest, 1):.2f}".lstrip("0") if row.activation > 0 else "",
                "dark": row.activation > DARK * largest,
                "value": f"{row.activation:.2g}" if row.activation > 0 else "",
                "peak": row is peak,
            }
            for row in rows
        ]
        return {
            "rank": rows[0].rank,
            "user": str(rows[0].user),
            "first": rows[0].step,
            "next": self.titles[rows[-1].next],
            "steps": steps,
        }

    def _named(self, row: Any, proof: Any) -> Named:
        strongest = (one for one in self._histories[row.feature] if one.band == "strongest")
        peaks = [max(group, key=attrgetter("activation")) for _, group in groupby(strongest, attrgetter("rank"))]
        top = [self.titles[item] for item in dict.fromkeys(peak.item for peak in peaks)]
        label = proof.label if proof.labelled else UNLABELLED
        aligned = bool(np.nan_to_num(row.correlation) >= UNALIGNED)
        return Named(row.feature, label, row.concept, aligned, top[:TOP], row, proof)


def _moves(rows: list[tuple[Any, float, str, str]]) -> dict[str, list[dict[str, Any]]]:
    """Items by direction, of rows, what becomes of them, the size of that as text, and more about it."""
    largest = max((abs(change) for _, change, _, _ in rows), default=0) or 1
    found: dict[str, list[dict[str, Any]]] = {"promoted": [], "suppressed": []}
    for row, change, size, more in rows:
        value, share = f"{'+' if change > 0 else '−'}{size}", f"{abs(change) / largest:.2f}"
        found[row.direction].append({"item": row.item, "value": value, "share": share, "more": more})
    return found


def _by_feature(table: pd.DataFrame) -> dict[int, list[Any]]:
    """A table's rows feature by feature, in their order; none of a feature that it lacks."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in table.itertuples(index=False):
        found[row.feature].append(row)
    return found


def short(text: str, longest: int = 160) -> str:
    """As much of a text as is shown."""
    return text if len(text) <= longest else f"{text[:longest]}…"
