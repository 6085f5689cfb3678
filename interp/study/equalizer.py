"""What the equalizer computes: from sliders, lists before and after. The app and the widget show it.

A slider adds to activations. At 0 it changes nothing. If two concepts share a feature, their sliders add up.
"""

import pprint
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from torch import Tensor

from interp.control.score_changes import feature_contributions
from interp.features.attributions import item_ranks
from interp.features.grades import GRADES
from interp.steering.edits import Steer
from interp.steering.serialization import to_json
from interp.study.feature import Features
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError, for_terminal
from recmodels.ranking import top_k
from recmodels.sequences import Histories
from recmodels.wording import signed

CONCEPT_REACH = 2.0  # of a slider to either side; a concept turns many features at once
FEATURE_REACH = 4.0
STEP = 0.05
REASONS = 3  # features that explain why an item enters or leaves
LONGEST = 80  # characters of a title that are shown

Sliders: TypeAlias = Mapping[str | int, float]
"""What is added to each concept's aligned features, or to a feature by number, in its 99th percentiles."""


@dataclass(frozen=True)
class EqualizerResult:
    """One history's list before and after a steer. Shows itself in Jupyter and in a terminal.

    Attributes:
        steer: what the sliders do, for `rec.steer`.
        before: the unsteered list: rank, item, title, concepts, score, other_rank (the item's in the steered list,
            from 1 among all items that a list may have), moved (whether it leaves), fate (in words).
        after: the steered list: the same, with other_rank that of the unsteered list and moved whether it entered.
        reasons: why items entered and left: item, feature, label, change, total. `change` is the feature's part in
            the change of the item's score (`interp.control.score_changes`), which is `total`; for an item that entered,
            the features that raised it most, for one that left, those that lowered it most.
        python: the same lists from a script.
    """

    steer: Steer
    before: pd.DataFrame
    after: pd.DataFrame
    reasons: pd.DataFrame
    python: str

    @cached_property
    def json(self) -> str:
        """The steer for `interp.steering.serialization.from_json`, and so for a service."""
        return to_json(self.steer)

    def why(self, item: Any) -> str:
        """The reasons why an item entered or left, as text; empty if it did neither, or if others made it leave."""
        rows = self.reasons[self.reasons["item"] == item]
        texts = ", ".join(f"{row.feature} {row.label} {signed(row.change, '+.2f')}" for row in rows.itertuples())
        return f"{texts} (all: {signed(rows['total'].iloc[0], '+.2f')})" if texts else ""

    def _table(self) -> pd.DataFrame:
        """Both lists side by side, as text."""
        sides = {}
        for name, rows in (("before", self.before), ("after", self.after)):
            sides[name] = rows["title"].map(short_title)
            sides[f"{name}: change"] = rows["fate"]
            sides[f"{name}: why"] = rows["item"].map(self.why)
        return pd.DataFrame(sides).fillna("").rename(index=lambda place: place + 1)

    @for_terminal
    def __repr__(self) -> str:
        return self._table().drop(columns="before: why").to_string(max_colwidth=40)

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return self._table().to_html(border=0, justify="left")


def equalize(
    study: StudyParts, history: Any, sliders: Sliders, k: int = 10, with_reasons: bool = True
) -> EqualizerResult:
    """One history's list without and with the sliders, which act at its last step, and why items enter and leave.

    Safe to call from many threads: the recommender works for one at a time.

    Args:
        study: whose recommender and features.
        history: one history, such as a list of item ids.
        sliders: concept or feature → what is added, in 99th percentiles; those at 0 play no part.
        k: list length.
        with_reasons: False leaves reasons empty, for lists at once: reasons take longer than the lists.

    Raises:
        InputError: not one history, an unknown item, concept or feature, or a value that is not a finite number.
    """
    rec = study.recommender
    histories = rec.recommender.histories(history)
    if len(histories) != 1:
        raise InputError(f"{len(histories)} histories were passed: equalize one at a time")
    settings, steer = _nonzero(sliders), steer_of(study, sliders)
    with rec.lock:
        plain_scores = rec.score(histories)
        with rec.steer(steer):
            steered_scores = rec.score(histories)
        before, after = (
            ranked(study, histories, *pair, k)
            for pair in ((plain_scores, steered_scores), (steered_scores, plain_scores))
        )
        before["fate"] = [_exit_text(*row) for row in before[["rank", "other_rank", "moved"]].itertuples(index=False)]
        after["fate"] = [_entry_text(*row) for row in after[["rank", "other_rank", "moved"]].itertuples(index=False)]
        entries, exits = (rows.loc[rows["moved"], "item"].tolist() if with_reasons else [] for rows in (after, before))
        reasons = _reasons(study, histories, entries, exits, steer)
    ids = rec.recommender.vocabulary.decode(histories[0]).tolist()
    return EqualizerResult(steer, before, after, reasons.reset_index(drop=True), snippet(study, ids, settings, k))


def steer_of(study: StudyParts, sliders: Sliders) -> Steer:
    """The steer that sliders stand for.

    Raises:
        InputError: an unknown concept or feature, or a value that is not a finite number.
    """
    return study.recommender.steer_of(_nonzero(sliders), op="add", unit="p99")


def feature_choices(study: StudyParts) -> list[int]:
    """The features that are ever active, those with the best evidence for their names first."""
    features = study.table("features").set_index("feature").sort_index()
    alive = features.index[features["density"] > 0].tolist()
    names = study.names
    return sorted(alive, key=lambda feature: list(GRADES).index(names[feature].grade))


def feature_name(study: StudyParts, feature: int) -> str:
    """The name of a feature's slider.

    Raises:
        InputError: there is no such feature.
    """
    number = Features(study)[feature].index
    return f"{number} {study.names[number].said}"


def read_history(study: StudyParts, text: str) -> list[Any]:
    """The item ids of a pasted history: separated by commas, semicolons or line ends, or else by spaces.

    Brackets and quotes around them are passed over, so that a Python or JSON list can be pasted as it is.

    Raises:
        InputError: there is no id in the text, or an unknown one.
    """
    inside = text.strip().strip("[]()")
    parts = re.split(r"[,;\n\t]+" if re.search(r"[,;\n\t]", inside) else r"\s+", inside)
    tokens = [part.strip().strip("'\"") for part in parts]
    tokens = [part for part in tokens if part]
    if not tokens:
        raise InputError("there is no item id in this history: write them like 200, 219, 183")
    ids = {str(item): item for item in study.items.index.tolist()}
    unknown = [part for part in tokens if part not in ids]
    if unknown:
        raise InputError(f"the recommender knows no item {short_title(unknown[0])!r}: leave it out, or search by title")
    return [ids[part] for part in tokens]


def snippet(study: StudyParts, history: list[Any], sliders: Sliders, k: int) -> str:
    """A script that makes the steered list."""
    steer = pprint.pformat(dict(sliders), width=100, compact=True, sort_dicts=False)
    if not sliders:
        steering, indent = "", ""
    else:
        steering = f'sliders = {steer}\nwith study.recommender.steer(sliders, op="add", unit="p99"):\n'
        indent = "    "
    return (
        "import interp\n\n"
        f"study = interp.open({str(study.folder)!r})\n"
        f"history = {pprint.pformat(history, width=100, compact=True)}\n"
        f"{steering}{indent}lists = study.recommend(history, k={k})\n"
        'print(lists[["rank", "title"]])\n'
    )


def ranked(study: StudyParts, histories: Histories, scores: Tensor, other_scores: Tensor, k: int) -> pd.DataFrame:
    """The list of one history that scores [1, v] make, with each item's rank by others; as in `EqualizerResult`."""
    keep_seen = study.recommender.keep_seen
    codes, values = (part[0] for part in top_k(scores, histories, k, keep_seen))
    codes, values = codes[codes >= 0], values[codes >= 0]
    ranks = [int(item_ranks(other_scores, code, histories, keep_seen)[0]) for code in codes.tolist()]
    items = study.recommender.recommender.vocabulary.decode(codes)
    rows = pd.DataFrame({"rank": range(1, len(codes) + 1), "item": items, "score": values, "other_rank": ranks})
    return study.titles(rows.assign(moved=rows["other_rank"] > k))


def short_title(text: Any) -> str:
    """A title that fits a line."""
    text = " ".join(str(text).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _nonzero(sliders: Sliders) -> dict[str | int, float]:
    return {key: value for key, value in sliders.items() if value != 0}


def _exit_text(rank: int, other: int, is_move: bool) -> str:
    """The change of an item of the unsteered list, in words."""
    return f"− leaves, to {other}" if is_move else "= stays" if other == rank else f"{_arrow(other, rank)} to {other}"


def _entry_text(rank: int, other: int, is_move: bool) -> str:
    """The earlier rank of an item of the steered list, in words."""
    return f"+ new, was {other}" if is_move else "= stays" if other == rank else f"{_arrow(rank, other)} was {other}"


def _arrow(new: int, old: int) -> str:
    return "↑" if new < old else "↓"


def _reasons(
    study: StudyParts, histories: Histories, entries: list[Any], exits: list[Any], steer: Steer
) -> pd.DataFrame:
    """The features of the steer that raised the score of each item that enters most, and lowered those that leave."""
    table = feature_contributions(study.recommender, histories, [*entries, *exits], steer)
    table["label"] = [study.names[feature].shown for feature in table["feature"]]
    table["total"] = table.groupby("item")["change"].transform("sum")
    sign = np.where(table["item"].isin(entries), 1, -1)
    table = table[sign * table["change"] > 0]
    return table.groupby("item", sort=False).head(REASONS)[["item", "feature", "label", "change", "total"]]
