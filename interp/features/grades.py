"""What a feature is called, and how good the evidence for that is: one rule, which every view follows.

A label that was tested comes first; else the concept that the feature follows above chance, marked "≈", which is a
correlation only; else it is unlabelled. There is no other word for that.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from interp.concepts.alignment import UNALIGNED
from interp.features.labels import UNLABELLED
from interp.features.predicates import ITEM

TESTED, TESTED_ITEM, CORRELATED, NO_NAME = "tested", "tested-item", "correlated", "none"
CORRELATES = "≈ "  # before a concept that a feature only correlates with
GRADES = {
    TESTED: ("tested", "The name was tested on users and items that it was not chosen on."),
    TESTED_ITEM: ("tested, one item", "The name is one item; it was tested on users that it was not chosen on."),
    CORRELATED: ("correlated only", "The feature follows this concept above chance; no label of it passed the test."),
    NO_NAME: (UNLABELLED, "No label passed the test, and it follows no concept above chance."),
}
"""In a chip, and in a sentence."""
GROUPS = {
    "concept": ("concept", "concepts"),
    "both": ("concept", "concepts"),
    "language": ("concept", "concepts"),
    "artist": ("series", "series"),
    "franchise": ("series", "series"),
    "item": ("single item", "single items"),
    "year": ("year", "years"),
    "decade": ("year", "years"),
    "word": ("word of the title", "words of the title"),
    "named": ("name of your own", "names of your own"),
}
"""Kinds of labels, counted apart: a year or a single item says less about taste than a concept."""


@dataclass(frozen=True)
class FeatureName:
    """A feature's name.

    Attributes:
        text: the name; "≈" stands before a concept that it only correlates with.
        grade: a key of `GRADES`.
        group: what kind of label was tested, as in `GROUPS`; empty without one.
        given: a name that a person gave, which stands beside the measured one; empty without one.
        by: who gave it.
    """

    text: str
    grade: str
    group: str = ""
    given: str = ""
    by: str = ""

    @property
    def measured(self) -> str:
        """The name with its grade, for a terminal: "Horror (tested)"."""
        return f"{self.text} ({GRADES[self.grade][0]})" if self.grade != NO_NAME else self.text

    @property
    def said(self) -> str:
        """The same, with the name that a person gave: "Horror (tested), called “Space horror” by Anna"."""
        return f"{self.measured}, called {self.person}" if self.given else self.measured

    @property
    def shown(self) -> str:
        """Both names without the grade: "Horror · “Space horror” by Anna"."""
        return f"{self.text} · {self.person}" if self.given else self.text

    @property
    def person(self) -> str:
        """The name that a person gave, marked as theirs: "“Space horror” by Anna"; empty without one."""
        return f"“{self.given}” by {self.by}" if self.given else ""


def is_aligned(feature: Any, evidence: Any | None) -> bool:
    """Whether a feature's best concept names it: it correlates, and above chance on unseen items too.

    Args:
        feature: its row of the table `features`.
        evidence: its row of the table `feature_evidence`; None in a study without concepts.
    """
    return evidence is not None and bool(evidence.passes and np.nan_to_num(feature.correlation) >= UNALIGNED)


def name_of(label: Any, feature: Any, evidence: Any | None) -> FeatureName:
    """A feature's name from its rows of the tables `labels`, `features` and `feature_evidence`."""
    if label.labelled:
        grade = TESTED_ITEM if label.kind == ITEM else TESTED
        return FeatureName(str(label.label), grade, GROUPS.get(label.kind, (label.kind,))[0])
    if is_aligned(feature, evidence):
        return FeatureName(f"{CORRELATES}{feature.concept}", CORRELATED)
    return FeatureName(UNLABELLED, NO_NAME)


def names_of(labels: pd.DataFrame, features: pd.DataFrame, evidence: pd.DataFrame | None) -> dict[int, FeatureName]:
    """Every feature's name, from these tables."""
    rows = [
        {row.feature: row for row in table.itertuples()} if table is not None else {}
        for table in (labels, features, evidence)
    ]
    return {feature: name_of(rows[0][feature], row, rows[2].get(feature)) for feature, row in sorted(rows[1].items())}


def label_counts(labels: pd.DataFrame) -> str:
    """How many features have a label that holds, by group: "22 tested: 1 concept, 21 years"."""
    groups = labels.loc[labels["labelled"], "kind"].map(lambda kind: GROUPS.get(kind, (kind, kind)))
    counts = groups.value_counts()
    order = {group: place for place, group in enumerate(GROUPS.values())}
    parts = sorted(counts.items(), key=lambda pair: order.get(pair[0], len(order)))
    texts = [f"{count} {name if count == 1 else plural}" for (name, plural), count in parts]
    return f"{len(groups)} tested{': ' if texts else ''}{', '.join(texts)}"
