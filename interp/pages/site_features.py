"""The values of a feature's page of the static site: texts, histories and items, ready for its template."""

import math
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from interp.control.feature_receipts import BY_OTHER_USERS
from interp.features.grades import GRADES
from interp.pages.feature_figures import FeatureFigures
from interp.pages.rendering import json_block
from interp.plots.formats import significant
from interp.plots.names import BANDS, EXAMPLES, SCORES, in_text
from interp.study.feature_view import LISTS, FeatureView, History, ItemChange, short
from interp.study.sentence import sentence
from recmodels.wording import signed

# Shares of the largest activation from which the other text colour is easier to read, on a light and on a dark page.
DARK, BRIGHT = 0.661, 0.521
OF_CONCEPT = ("correlation", "auc", "sensitivity", "p_top100")
TOP = 3  # items that stand for a feature in lists


def feature_page(view: FeatureView, figures: FeatureFigures) -> dict[str, Any]:
    """The values of the template of a feature's page."""
    last, titles = len(view.views) - 1, view.top_titles[:TOP]
    top = "; ".join(short(title, 60) for title in titles) or "nothing on the test part"
    return {
        "sentence": sentence(view),
        "view": view,
        "top_titles": titles,
        "title": f"Feature {view.index}: {short(view.name.text)}",
        "description": f"Feature {view.index} ({short(view.name.said)}) is lit by {top}. {_evidence(view)}",
        "grade": GRADES[view.name.grade],
        "previous": view.index - 1 if view.index else None,
        "next": view.index + 1 if view.index < last else None,
        "facts": [
            *([("best concept", short(view.concept, 60))] if view.concept else []),
            *(
                (in_text(SCORES[name]), (percent if name == "density" else fixed)(_score(view, name)))
                for name in ((*OF_CONCEPT, "density", "max") if view.concept else ("density", "max"))
            ),
        ],
        "evidence": _evidence(view),
        "examples": _examples(view) if view.labelled else [],
        "bands": _bands(view),
        "moves": (
            (
                ("Items whose scores it raises", "Items whose scores it lowers"),
                "Change of its score, relative to the average item’s, per unit of the feature’s activation.",
                _item_changes(view.item_changes()),
            ),
            (
                ("Items that enter the lists", "Items that leave the lists"),
                "The number of test users who have it in their top 10 when the feature is turned down and up by its "
                "99th percentile.",
                _item_changes(view.item_changes(LISTS)),
            ),
        ),
        "concepts": view.concepts,
        "turned": _turned(view),
        "neighbours": {kind: view.neighbours(kind) for kind in ("together", "alike")},
        "data": Markup(json_block(figures.of(view))),
    }


def _turned(view: FeatureView) -> str:
    """What the curve of the share is of."""
    if view.costs is None or not view.costs.concept:
        return "It moves no concept."
    chosen = "; the concept was chosen on others" if view.costs.chosen_by == BY_OTHER_USERS else ""
    return f"{short(view.costs.concept)}, by {view.costs.users} users{chosen}. Band: 95% interval of the change."


def _score(view: FeatureView, name: str) -> float:
    return view.p_top100 if name == "p_top100" else getattr(view.row, name)


def _examples(view: FeatureView) -> list[tuple[str, str]]:
    """Items for and against a feature's label: their role, and their titles."""
    titles = {role: [short(title) for title in view.views.titles_of(items)] for role, items in view.examples().items()}
    return [(EXAMPLES[role], "; ".join(names)) for role, names in titles.items() if names]


def _bands(view: FeatureView) -> Iterator[dict[str, Any]]:
    """A feature's histories, band by band."""
    for band, (name, about) in BANDS.items():
        histories = [_history(history, view) for history in view.histories if history.band == band]
        if histories:
            yield {"name": name, "about": about, "histories": histories}


def _history(history: History, view: FeatureView) -> dict[str, Any]:
    largest, peak = view.row.max, max(history.activations)
    place = history.activations.index(peak)
    return {
        "rank": history.rank,
        "user": history.user,
        "first": history.first_step,
        "next": view.views.titles[history.next_item],
        "steps": [
            {
                "item": item,
                "share": f"{min(activation / largest, 1):.2f}".lstrip("0") if activation > 0 else "",
                "dark": activation > DARK * largest,
                "bright": activation > BRIGHT * largest,
                "value": f"{text:g}" if activation > 0 else "",
                "peak": step == place,
            }
            for step, (item, activation, text) in enumerate(
                zip(history.items, history.activations, significant(history.activations, 2), strict=True)
            )
        ],
    }


def _item_changes(changes: list[ItemChange]) -> dict[str, list[dict[str, Any]]]:
    """Items by direction, with the change as text and as a share of the largest one."""
    sizes = [abs(change.up - change.down if change.users else change.effect) for change in changes]
    largest = max(sizes, default=0) or 1
    rows: dict[str, list[dict[str, Any]]] = {"promoted": [], "suppressed": []}
    for change, size in zip(changes, sizes, strict=True):
        is_count = change.users > 0
        rows[change.direction].append(
            {
                "item": change.item,
                "value": f"{'+' if change.effect > 0 else '−'}{size if is_count else f'{size:#.3g}'}",
                "share": f"{size / largest:.2f}",
                "more": f"{change.down} → {change.up} of {change.users} users" if is_count else "",
            }
        )
    return rows


def _evidence(view: FeatureView) -> str:
    """The evidence for a feature's label, in a sentence."""
    row = view.label_row
    if view.labelled:
        return (
            f"The label was tested on users that it was not chosen on. At {row.precision:.0%} of the steps that it "
            f"predicts, the feature is above its median activation, {row.lift:.1f} times as often as by chance; it "
            f"predicts {row.recall:.0%} of all such steps. Among hard negatives its precision is "
            f"{row.hard_precision:.0%}."
        )
    if view.dead:
        return "It is unlabelled."
    if not view.concept:
        return "No label predicts it well enough on users that the label was not chosen on."
    return (
        f"No label predicts it well enough on users that the label was not chosen on. The closest concept is "
        f"{short(view.concept)}, with a correlation of {fixed(view.row.correlation)}."
    )


def fixed(value: float) -> str:
    """A number with three decimals; a dash where it is not finite."""
    return signed(value, ".3f") if math.isfinite(value) else "–"


def percent(value: float) -> str:
    """A share in percent with one decimal; a dash where it is not finite."""
    return signed(value, ".1%") if math.isfinite(value) else "–"
