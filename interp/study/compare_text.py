"""A comparison of two studies in a terminal, within 80 columns."""

from typing import Any

import pandas as pd

from interp.control.receipts import Receipt
from interp.features.matching import CAME, KEPT, MERGED, NEW, OLD, SILENT, SPLIT, WENT
from interp.study.matches import Matches
from interp.study.shared_histories import SharedHistories
from interp.study.study_parts import StudyParts
from recmodels.wording import counted, cut, signed, with_interval, wrapped

SHOWN = 8  # concepts whose share changed
CHANGES = {
    KEPT: "each is the other's best match, above chance",
    MERGED: "best match above chance, but closer to another old feature",
    WENT: "no match above chance",
    SPLIT: "best match above chance, but closer to another new feature",
    CAME: "no match above chance",
    SILENT: "active on none of these steps",
}
SIDES = {OLD: (KEPT, MERGED, WENT, SILENT), NEW: (SPLIT, CAME, SILENT)}
NAMES = {
    "n_features": "features",
    "l0": "active at a step",
    "explained_variance": "variance explained",
    "ndcg": "NDCG@10",
    "ndcg_reconstructed": "NDCG@10, reconstructed",
}


def as_text(matches: Matches, concepts: pd.DataFrame, lists: Receipt, quality: pd.DataFrame) -> str:
    """The printed summary of the parts of a `Comparison`."""
    old, new = matches.histories.studies
    return "\n".join(
        [
            *(f"{side}  {study.title}{_which(study)}: {study.folder}" for side, study in ((OLD, old), (NEW, new))),
            wrapped(read_on(matches)),
            *(wrapped(f"NOTE ({side}): {note}") for side, study in ((OLD, old), (NEW, new)) for note in study.notes),
            "",
            *_features(matches),
            "",
            *_concepts(concepts),
            "",
            *_lists(lists),
            "",
            *_quality(quality),
        ]
    )


def _which(study: StudyParts) -> str:
    """The dictionary, where it is not the one that the run chose."""
    return "" if study.other is None else f", {study.site}/{study.sae.config.name}"


def read_on(matches: Matches) -> str:
    """What the features were matched on, in a sentence."""
    histories = matches.histories
    steps = histories.inputs[0].offsets[-1]
    left_out = f" ({histories.left_out:,} interactions with other items left out)" if histories.left_out else ""
    return f"On {_whom(histories)}: {steps:,} steps, {len(histories.items):,} items that both know{left_out}."


def _whom(histories: SharedHistories) -> str:
    """Whose histories they are, and who may have been trained on them."""
    if not histories.are_test_users:
        return counted(histories.users, "history", "histories") + " of your own"
    if not histories.seen_by:
        return f"{counted(histories.users, 'user')} that neither was trained on"
    users, seen_by = counted(histories.users, "test user"), " and the ".join(histories.seen_by)
    return f"{users}, on whom the {seen_by} recommender may have been trained"


def beaten(share: float) -> str:
    """Which share of the other features has less, as text."""
    return "all other features" if share >= 0.995 else f"{share:.0%} of the other features"


def averages(matches: Matches) -> str:
    """How alike matches are that hold, beside chance; empty if none does."""
    if not len(matches.holding):
        return ""
    mean = matches.holding[["score", "chance", "written", "written_percentile", "held", "held_percentile"]].mean()
    score, chance, written, held = (signed(mean[name], ".2f") for name in ("score", "chance", "written", "held"))
    return (
        f"Means over matches that hold. Correlation of activations: {score} (by chance {chance}). Correlation of what "
        f"they write to scores: {written}, more than {beaten(mean['written_percentile'])}. Correlation of the items "
        f"they are active on: {held}, more than {beaten(mean['held_percentile'])} (by chance 50%)."
    )


def _features(matches: Matches) -> list[str]:
    lines = []
    for side, changes in SIDES.items():
        table = matches.side(side)
        lines.append(f"{len(table)} {side} features")
        for change in changes:
            count = int((table["change"] == change).sum())
            if count or change != SILENT:
                lines.append(f"  {change:<8}{count:>5}  {CHANGES[change]}")
    if averages(matches):
        lines.append(wrapped(averages(matches)))
    return lines


def _concepts(table: pd.DataFrame) -> list[str]:
    if table.empty:
        return ["no concepts are compared, as one of the two studies or both have none"]
    width = max(7, min(24, table["concept"].map(len).max()))
    head = f"{'concept':<{width}}{'old':>6}{'new':>6}"
    lines = [f"{head}   correlation on unseen items: old, new; match of old"]
    for row in table.itertuples():
        numbers = f"{_whole(row.feature_old):>6}{_whole(row.feature_new):>6}"
        passing = ((OLD, row.passes_old), (NEW, row.passes_new))
        weak = [name for name, passes in passing if passes is not True]
        match = "same" if row.same else f"→ {row.match}" if row.match >= 0 else "–"
        scores = f"{_score(row.unseen_items_old):>6}{_score(row.unseen_items_new):>7}"
        lines.append(f"{cut(row.concept, width):<{width}}{numbers}   {scores}  {match:<6}{_weak(weak)}".rstrip())
    before, after = (table[f"passes_{side}"].eq(True) for side in (OLD, NEW))
    lines.append(
        wrapped(
            f"{counted(int((before & after).sum()), 'concept has', 'concepts have')} a feature above chance on unseen "
            "items in both studies, "
            f"{int((before & ~after).sum())} only in the old, {int((~before & after).sum())} only in the new one.",
        )
    )
    return lines


def _lists(lists: Receipt) -> list[str]:
    measures = lists.measures.set_index("measure")
    overlap, ndcg = measures.loc["overlap"], measures.loc[f"ndcg@{lists.k}"]
    lines = [
        f"lists, top {lists.k}: {overlap['after']:.0%} [{overlap['after_low']:.0%}, {overlap['after_high']:.0%}] of "
        f"the items are the same",
        f"  NDCG@{lists.k:<17}{_change(ndcg)}",
    ]
    moved = lists.moved
    lines += [f"  share of {cut(row['concept'], 13):<13}{_change(row)}" for _, row in moved.head(SHOWN).iterrows()]
    if len(moved) > SHOWN:
        lines.append(f"  … and {len(moved) - SHOWN} more shares whose interval leaves out 0")
    if moved.empty:
        lines.append("  no concept's share changed beyond its interval")
    return lines


def _change(row: pd.Series) -> str:
    change = with_interval(row["change"], row["change_low"], row["change_high"], "+.3f")
    return f"{row['before']:.3f} → {row['after']:.3f}  {change}"


def _quality(table: pd.DataFrame) -> list[str]:
    rows = (f"  {name:<24}{old:>22}{new:>22}" for name, old, new in measured(table))
    return [f"{'each on its own test users':<26}{'old':>22}{'new':>22}", *rows]


def measured(quality: pd.DataFrame) -> list[tuple[str, str, str]]:
    """The rows of `Comparison.quality` as texts: the measure's name, and the value of each side with its interval."""

    def text(row: Any, side: str) -> str:
        value, low, high = (getattr(row, f"{side}{end}") for end in ("", "_low", "_high"))
        form = ".3f" if row.measure.startswith("ndcg") else ".4g"
        return "–" if pd.isna(value) else with_interval(value, low, high, form)

    return [(NAMES[row.measure], text(row, OLD), text(row, NEW)) for row in quality.itertuples()]


def _whole(value: float) -> str:
    return "–" if pd.isna(value) else str(int(value))


def _score(value: float) -> str:
    return "–" if pd.isna(value) else signed(value, ".2f")


def _weak(sides: list[str]) -> str:
    return f"  weak: {' and '.join(sides)}" if sides else ""
