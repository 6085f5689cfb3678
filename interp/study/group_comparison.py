"""What distinguishes two groups of users: features, and the concepts of their histories and lists.

Axes: n users, f features, c concepts, k places of a list.
"""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.feature_matrix import step_features
from interp.control.sweeps import user_shares
from interp.features.activity_rates import FALSE_DISCOVERIES
from interp.features.group_differences import COLUMNS, differences
from interp.features.labels import UNLABELLED
from interp.steering.parsing import DICTIONARY
from interp.study.groups import members_of
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError, for_terminal, quote
from recmodels.scalars import whole_number
from recmodels.sequences import Histories
from recmodels.wording import counted, signed

FEWEST = 2  # users of a group, for an interval
FEW = 10  # users below which intervals are too narrow
SHOWN = 10  # rows
WIDTH = 80
HISTORY, LIST = "history", "list"


@dataclass(frozen=True)
class GroupComparison:
    """Two groups of users. It has a display for Jupyter and for a terminal.

    Attributes:
        features: a row for each feature, what differs most surely first: feature, label, concept (the one it is closest
            to), a and b (mean over users of the share of steps on which it is active), difference (a less b), each with
            _low and _high, p and q (`interp.features.group_differences.differences`).
        concepts: of, concept, and the same columns: mean share of a user's "history", or of the "list" of `k` items,
            that has the concept.
        users: how many there are in a and in b.
        k: length of the lists.
    """

    features: pd.DataFrame
    concepts: pd.DataFrame
    users: tuple[int, int]
    k: int

    @property
    def _head(self) -> str:
        differing = (self.features["q"] <= FALSE_DISCOVERIES).sum()
        few = "; fewer than 10 in a group: intervals are too narrow" if min(self.users) < FEW else ""
        return (
            f"a: {counted(self.users[0], 'user')}, b: {counted(self.users[1], 'user')}{few}\n"
            f"{differing} of {counted(len(self.features), 'feature')} differ (q ≤ {FALSE_DISCOVERIES:g} over users)"
        )

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        """Name, a, b, difference and its interval: features and concepts that differ."""
        features = self.features[self.features["q"] <= FALSE_DISCOVERIES].head(SHOWN)
        names = [f"feature {row.feature} {_called(row)}" for row in features.itertuples()]
        concepts = self.concepts[self.concepts["q"] <= FALSE_DISCOVERIES]
        for part in (HISTORY, LIST):
            rows = concepts[concepts["of"] == part].head(SHOWN)
            names += [f"{part}: {concept}" for concept in rows["concept"]]
            features = pd.concat([features, rows], ignore_index=True)
        return [
            (
                name,
                f"{row.a:.1%}",
                f"{row.b:.1%}",
                signed(row.difference, "+.1%"),
                f"[{signed(row.difference_low, '+.1%')}, {signed(row.difference_high, '+.1%')}]",
            )
            for name, row in zip(names, features.itertuples(), strict=True)
        ]

    @for_terminal
    def __repr__(self) -> str:
        lines = [
            f"  {a:>6} {b:>6} {difference:>8} {interval:<18} {name}"[:WIDTH]
            for name, a, b, difference, interval in self._rows()
        ]
        head = [f"  {'a':>6} {'b':>6} {'a − b':>8} {'95% interval':<18}"] if lines else []
        return "\n".join([self._head, *head, *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
            for name, *cells in self._rows()
        )
        head = "".join(f"<th>{name}</th>" for name in ("", "a", "b", "a − b", "95% interval"))
        return f"<b>{escape(self._head)}</b><table><tr>{head}</tr>{rows}</table>"


def compare_groups(study: StudyParts, a: Any, b: Any, users: Any, k: int) -> GroupComparison:
    """See `Study.compare_groups`."""
    rec = study.recommender
    k = whole_number("k", k, most=len(rec.recommender.vocabulary))
    if users is None:  # two groups of histories need no others
        users = Histories.concatenated([a, b]) if _are_apart(a, b) else study.users()
    histories = rec.recommender.histories(users)
    if not histories.users.is_unique:
        twice = histories.users[histories.users.duplicated()].tolist()[0]
        raise InputError(f"user {quote(twice)} has two histories: join them, or give each its own user")
    first = members_of(study, a, histories, "a")
    second = ~first if b is None else members_of(study, b, histories, "b")
    both = histories.users[first & second].tolist()
    if both:
        names = ", ".join(map(quote, both[:3]))
        text = f"{counted(len(both), 'user is', 'users are')} in both groups ({names})"
        raise InputError(f"{text}: leave them out of one, or give one group alone to compare it with all others")
    for name, mask in (("a", first), ("b", second)):
        if mask.sum() < FEWEST:
            raise InputError(f"group {name} has {mask.sum()} of these users: give at least {FEWEST}, for an interval")
    groups = [histories.select(np.flatnonzero(mask)) for mask in (first, second)]
    table = differences(_rates(study, groups[0]), _rates(study, groups[1]))
    features = table.rename_axis("feature").reset_index()
    features.insert(1, "label", features["feature"].map(study.labels))
    closest = study.table("features").set_index("feature")["concept"]
    features.insert(2, "concept", features["feature"].map(closest))
    features = _surest_first(features)
    features.attrs[DICTIONARY] = study.sae.fingerprint
    sizes = (len(groups[0]), len(groups[1]))
    return GroupComparison(features, _concepts(study, groups, k), sizes, k)


def _are_apart(a: Any, b: Any) -> bool:
    """Whether both groups are histories, of different users."""
    return isinstance(a, Histories) and isinstance(b, Histories) and not a.users.isin(b.users).any()


def _concepts(study: StudyParts, groups: list[Histories], k: int) -> pd.DataFrame:
    rec = study.recommender
    if not study.concepts.names:
        return pd.DataFrame(columns=["of", "concept", *COLUMNS])
    labels = study.concepts.labels(rec.recommender.vocabulary.ids)
    of_groups = {
        HISTORY: [_history_shares(group, labels) for group in groups],
        LIST: [user_shares(rec.rank(group, k), labels) for group in groups],
    }
    parts = []
    for name, (a, b) in of_groups.items():
        table = differences(a, b)
        table.insert(0, "concept", study.concepts.names)
        table.insert(0, "of", name)
        parts.append(_surest_first(table))
    return pd.concat(parts, ignore_index=True)


def _surest_first(table: pd.DataFrame) -> pd.DataFrame:
    order = np.lexsort((-table["difference"].abs(), table["p"]))
    return table.iloc[order].reset_index(drop=True)


def _rates(study: StudyParts, histories: Histories) -> np.ndarray:
    """The share of each user's steps, as far as the model reads them, on which each feature is active: [n, f]."""
    rec = study.recommender
    read = histories.last(rec.recommender.model.config.max_history)
    active = step_features(rec, study.site, read) > 0
    steps = read.lengths if active.shape[0] == len(read.codes) else np.ones(len(read), dtype=int)  # one of each user
    owner = np.repeat(np.arange(len(read)), steps)
    by_user = sparse.csr_array((1 / steps[owner], (owner, np.arange(len(owner)))), (len(read), len(owner)))
    return (by_user @ active.astype(np.float64)).toarray()


def _history_shares(histories: Histories, labels: np.ndarray) -> np.ndarray:
    """The share of each user's items that have each concept: [n, c]."""
    total = np.add.reduceat(labels[histories.codes].astype(np.float64), histories.offsets[:-1], axis=0)
    return total / histories.lengths[:, None]


def _called(row: Any) -> str:
    if row.label != UNLABELLED:
        return row.label
    return f"({row.concept})" if row.concept else ""
