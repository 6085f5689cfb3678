"""What a study says first: what features follow on items that they were not chosen on, and against what."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from interp.concepts.evidence import FEATURES, NEURONS, passing
from interp.study.study_parts import StudyParts
from recmodels.bootstrap import is_above_zero
from recmodels.wording import signed, with_interval


@dataclass(frozen=True)
class Headline:
    """The rows of the table `evidence_summary` that a study is summed up by.

    Attributes:
        features: of the dictionary's features.
        neurons: of the neurons of the site.
        baseline: of the baseline that follows concepts best on unseen items; None if the study has none.
    """

    features: Any
    neurons: Any
    baseline: Any | None

    @property
    def passing(self) -> str:
        """How many concepts have a feature above chance."""
        row = self.features
        counts = [f"neurons {self.neurons.passes}"]
        if self.baseline is not None:
            counts.append(f"{self.baseline.source} {self.baseline.passes}")
        return f"{row.passes} of {row.concepts} concepts have a feature above chance ({', '.join(counts)})"

    @property
    def on_unseen_items(self) -> str:
        """Mean correlations there, and how far features are ahead."""
        rows = [self.neurons] if self.baseline is None else [self.neurons, self.baseline]
        return f"features {_interval(self.features, 'unseen_items')}; " + "; ".join(
            f"{row.source} {_interval(row, 'unseen_items')} ({ahead(row)})" for row in rows
        )

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The three as names and texts."""
        return [
            ("concepts", f"on unseen items, {self.passing}"),
            ("correlation", f"on unseen items: {self.on_unseen_items}"),
            ("as the paper", self.as_the_paper),
        ]

    @property
    def sentences(self) -> list[str]:
        """The three as sentences."""
        return [
            f"On unseen items, {self.passing}.",
            f"Mean correlation there: {self.on_unseen_items}.",
            f"As the paper measures it: {self.as_the_paper}.",
        ]

    @property
    def as_the_paper(self) -> str:
        """The paper's number, and what meaningless concepts give."""
        return "; ".join(
            f"{row.source} {signed(row.correlation, '.3f')} (meaningless concepts: {signed(row.null, '.3f')})"
            for row in (self.features, self.neurons)
        )


def headline(study: StudyParts) -> Headline | None:
    """What a study says first; None if it has no concepts.

    Raises:
        InputError: the table is missing, as in a study of an earlier release: run the study again.
    """
    return read_headline(study.table("evidence_summary")) if study.has_concepts else None


def read_headline(evidence_summary: pd.DataFrame) -> Headline:
    """The same from the table `evidence_summary`."""
    rows = {row.source: row for row in evidence_summary.itertuples()}
    baselines = [row for source, row in rows.items() if source not in (FEATURES, NEURONS)]
    best = max(baselines, key=lambda row: row.unseen_items, default=None)
    return Headline(rows[FEATURES], rows[NEURONS], best)


def ahead(row: Any) -> str:
    """How far features are ahead of a row of the table `evidence_summary`, in words and with the interval."""
    numbers = with_interval(row.ahead, row.ahead_low, row.ahead_high, "+.3f")
    is_ahead = is_above_zero(row.ahead_low, row.ahead_high, row.users)
    if is_ahead is None:
        return f"cannot tell which is better: {numbers}"
    return f"features are {'ahead' if is_ahead else 'behind'}: {numbers}"


def weak_concepts(study: StudyParts) -> set[str]:
    """The concepts whose features are no better than chance on unseen items.

    Raises:
        InputError: the table is missing, as in a study of an earlier release: run the study again.
    """
    if not study.has_concepts:
        return set()
    evidence = study.table("evidence")
    return set(evidence["concept"]) - passing(evidence)


def _interval(row: Any, name: str) -> str:
    return with_interval(getattr(row, name), getattr(row, f"{name}_low"), getattr(row, f"{name}_high"), ".3f")
