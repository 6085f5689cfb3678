"""A steer that was found on one study, carried to the study of a recommender that was trained again."""

from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any

import pandas as pd

from interp.control.receipts import Receipt, steering_receipt
from interp.control.translation import Counterpart, translate
from interp.features.labels import UNLABELLED
from interp.features.matching import HOLDS, NEW, OLD, SILENT
from interp.steering.edits import Edit, Steer
from interp.steering.validation import check_not_empty
from interp.study.matches import Matches, match_studies
from interp.study.study_parts import StudyParts, check_is_study
from recmodels.errors import InputError, for_terminal, quote
from recmodels.wording import signed

WRITTEN = 0.95  # percentile of what a match writes among the features of the new dictionary, at least
TABLE = ["feature", "match", "change", "score", "chance", "q", "written", "written_percentile", "held", "factor"]


@dataclass(frozen=True)
class Carried:
    """A carried steer, with what it does before and after. It has a display for Jupyter and for a terminal.

    Attributes:
        steer: the steer for the new study's recommender.
        table: a row for each feature: feature, match, change, score, chance, q, written, written_percentile, held (see
            `interp.study.matches.Matches`), and factor (activation of the match for one unit of activation of the
            feature, by which values were multiplied).
        left_out: features without a match, which were left out.
        old_receipt: what the steer did to the old recommender, on histories of users that neither was trained on.
        new_receipt: what the carried one does to the new recommender, on the same histories.
    """

    steer: Steer
    table: pd.DataFrame
    left_out: tuple[int, ...]
    old_receipt: Receipt
    new_receipt: Receipt

    @for_terminal
    def __repr__(self) -> str:
        lines = [
            f"feature {int(row.feature)} → {int(row.match)}  r {signed(row.score, '.2f')} (chance "
            f"{signed(row.chance, '.2f')}), values × {row.factor:.2f}"
            for row in self.table.itertuples()
        ]
        if self.left_out:
            lines.append(f"LEFT OUT, for want of a match: {', '.join(map(str, self.left_out))}")
        return "\n".join([*lines, "", f"old: {self.old_receipt!r}", "", f"new: {self.new_receipt!r}"])

    def _repr_html_(self) -> str:
        left_out = f"<p>Left out: {escape(', '.join(map(str, self.left_out)))}</p>" if self.left_out else ""
        receipts = "".join(
            f"<h4>{name}</h4>{receipt._repr_html_()}"
            for name, receipt in (("old", self.old_receipt), ("new", self.new_receipt))
        )
        return self.table.to_html(index=False, float_format=partial(signed, form=".3f")) + left_out + receipts


def carry(
    steer: Any,
    old: StudyParts,
    new: StudyParts,
    *,
    leave_out: bool = False,
    matches: Matches | None = None,
    users: Any = None,
    **how: Any,
) -> Carried:
    """Translate a steer from the features of one study to those of another.

        carried = interp.carry(interp.load_steer("horror.json"), old, new)
        with new.recommender.steer(carried.steer):
            ...

    Each feature becomes its match (`interp.compare`), each value the same dose: it is multiplied by the ratio of the
    two features' 99th percentiles on the same steps. A match is good enough if the correlation of activations is above
    chance (q at most 0.05, see `interp.features.matching`), what the match writes to the scores of items is more like
    what the feature wrote than what 95% of the other new features write, and no other feature of the steer has the same
    match with a higher correlation: two features never become one.

    Args:
        steer: a `Steer`, or what `RecommenderEnvoy.steer` makes one from, such as {"Horror": 2.0}.
        old, new: the studies.
        leave_out: leave out the features without a good match, and say which; by default the steer is refused.
        matches: those of the two studies, such as `comparison.matches`, so that they are not searched for again.
        users: histories in any form, to match on and for the receipts; by default users that neither study trained on.
        **how: op, at, unit, weight and reconstruct, as in `RecommenderEnvoy.steer`.

    Raises:
        InputError: the steer is not one for the old dictionary, a feature has no good match, or the steer pushes along
            a direction.
    """
    for study in (old, new):
        check_is_study(study)
    plan = old.recommender.steer_of(steer, **how)
    check_not_empty(steer, plan)
    matches = match_studies(old, new, users) if matches is None else matches
    if [study.sae.fingerprint for study in matches.histories.studies] != [old.sae.fingerprint, new.sae.fingerprint]:
        raise InputError("these matches are of other studies: give those of interp.compare(old, new), or none")
    numbers = list(dict.fromkeys(int(edit.feature) for edit in plan.edits if isinstance(edit, Edit)))
    rows = matches.side(OLD).loc[numbers]
    reasons = _refusals(rows, matches.histories.users)
    if reasons and not (leave_out and len(reasons) < len(numbers)):
        raise InputError(next(iter(reasons.values())))
    kept = rows.drop(index=list(reasons))
    units = matches.side(NEW)["p99"]
    kept = kept.assign(factor=units.loc[kept["match"]].to_numpy() / kept["p99"])
    edits = tuple(edit for edit in plan.edits if not (isinstance(edit, Edit) and int(edit.feature) in reasons))
    counterparts = {
        int(number): Counterpart(int(row["match"]), float(row["factor"])) for number, row in kept.iterrows()
    }
    carried = translate(replace(plan, edits=edits), counterparts, new.site, new.sae.fingerprint)
    new.recommender.steer_of(carried)
    receipts = [
        steering_receipt(
            study.recommender,
            histories,
            one,
            study.concepts,
            study.items["popularity"],
            targets=[name for name in plan.concepts if name in study.concepts.names],
        )
        for study, histories, one in zip((old, new), matches.histories.both, (plan, carried), strict=True)
    ]
    return Carried(carried, kept.reset_index()[TABLE], tuple(reasons), *receipts)


def _refusals(rows: pd.DataFrame, histories: int) -> dict[int, str]:
    """Why features cannot be carried: feature → one line; only those that cannot."""
    reasons = {}
    for number, row in rows.iterrows():
        name = f"feature {number}" + (f" ({quote(row['label'])})" if row["label"] != UNLABELLED else "")
        what = f"its best match, {int(row['match'])}, has correlation {signed(row['score'], '.2f')}"
        rivals = rows[(rows["match"] == row["match"]) & (rows["score"] > row["score"])]
        if row["change"] == SILENT:
            reason = f"{name} cannot be matched: it is active on none of these {histories} histories"
        elif row["change"] not in HOLDS:
            reason = (
                f"{name} has no match: {what}, and chance gives {signed(row['chance'], '.2f')} (q = {row['q']:.2f})"
            )
        elif not row["written_percentile"] >= WRITTEN:
            reason = (
                f"{name} has no match that writes alike: {what}, but {1 - row['written_percentile']:.0%} of the new "
                f"features change scores more as it did"
            )
        elif len(rivals):
            reason = (
                f"{name} has no match of its own: {what}, and feature {rivals.index[0]} of this steer matches better"
            )
        else:
            continue
        reasons[int(number)] = f"{reason}; steer without it, or leave it out (leave_out)"
    return reasons
