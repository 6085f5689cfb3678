"""A study's features as a folder of static pages: relative links only, no server, no network, text without scripts."""

import base64
import hashlib
import math
import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from tqdm.auto import tqdm

from interp.pages.rendering import ASSETS, json_block
from interp.pages.report import facts
from interp.pages.site_figures import Drawn
from interp.pages.verdicts import verdicts
from interp.plots.formats import figure_json
from interp.store.claim import tally
from interp.study.feature_view import Named, Shown, short
from interp.study.study import Study
from recmodels import artifacts
from recmodels.errors import InputError

COPIED = {"dashboard.html": "dashboard", "report.html": "report"}  # and the command that writes each
COLUMNS = (
    ("Feature", ""),
    ("Label", "text"),
    ("Best concept", "text"),
    ("Correlation", ""),
    ("AUC", ""),
    ("Density", ""),
    ("Max", ""),
    ("Strongest items", "example"),
)
# 404.html is served for any missing address, whatever its depth.
HOME = 'if (/\\/feature\\/[^/]*$/.test(location.pathname)) document.getElementById("home").href = "../index.html";'


def write_site(study: Study, folder: Path) -> None:
    """Write index.html, a page for each feature, and copies of the study's dashboard and report.

    Args:
        study: whose.
        folder: where to; it exists.

    Raises:
        InputError: a table, the dashboard or the report is missing.
    """
    for name, command in COPIED.items():
        if not (study.folder / name).is_file():
            raise InputError(f"{study.folder / name} is missing: run `interp {command} {study.folder}` first")
        shutil.copyfile(study.folder / name, folder / name)
    templates, shown = _templates(), Shown(study)
    drawn = Drawn(shown)
    _write_shared(folder, templates, len(shown.features) - 1)
    artifacts.write_text(folder / "index.html", _index(templates, study, shown))
    page, items = templates.get_template("feature.html"), _items(templates, shown)
    for feature in tqdm(shown.features, desc="pages", leave=False):
        values = _feature(shown, drawn, feature)
        text = page.render(values, name=study.title, root="../", item=partial(items, feature.concept))
        artifacts.write_text(folder / "feature" / f"{feature.index}.html", text)


def _write_shared(folder: Path, templates: Environment, last: int) -> None:
    """What all pages share, once, and what a host such as GitHub Pages looks for."""
    for name, parts in {
        "style.css": (ASSETS / "base.css", ASSETS / "dashboard.css", HERE / "site.css"),
        "site.js": (ASSETS / "base.js", HERE / "site.js"),
    }.items():
        artifacts.write_text(folder / name, "".join(part.read_text(encoding="utf-8") for part in parts))
    artifacts.write_text(folder / "plotly.min.js", get_plotlyjs())
    artifacts.write_text(folder / ".nojekyll", "")
    digest = base64.b64encode(hashlib.sha256(HOME.encode()).digest()).decode()
    missing = templates.get_template("missing.html").render(
        hash=Markup(f"'sha256-{digest}'"),
        style=Markup((ASSETS / "base.css").read_text(encoding="utf-8")),
        script=Markup(HOME),
        last=last,
    )
    artifacts.write_text(folder / "404.html", missing)


def _index(templates: Environment, study: Study, shown: Shown) -> str:
    """The overview."""
    gallery = study.figures
    figures = (
        (
            "plot-neurons",
            "Do features follow concepts better than neurons do?",
            "",
            True,
            gallery.features_beside_neurons(),
        ),
        (
            "plot-heatmap",
            "Does a concept’s top feature follow other concepts too?",
            "Each row is a concept’s top feature; orange squares are positive correlations, blue ones negative.",
            False,
            gallery.concept_heatmap(),
        ),
        (
            "plot-map",
            "A map of the dictionary",
            "Each point is a feature, near those whose directions are alike; the axes mean nothing by themselves.",
            False,
            gallery.map(),
        ),
    )
    return templates.get_template("index.html").render(
        title=f"{study.title}: features of a recommender",
        description=f"What {study.title} has learnt: {len(shown.features)} features of a sparse autoencoder.",
        name=study.title,
        root="",
        facts=facts(study),
        tally=tally(verdicts(study)),
        figures=[one[:4] for one in figures],
        columns=COLUMNS,
        features=sorted(shown.features, key=lambda one: (-_finite(one.row.correlation), one.index)),
        data=Markup(json_block({one[0]: figure_json(one[4].update_layout(dragmode=False)) for one in figures})),
    )


def _feature(shown: Shown, drawn: Drawn, one: Named) -> dict[str, Any]:
    """What the template of a feature's page needs."""
    row, last = one.row, len(shown.features) - 1
    lit = "; ".join(short(title, 60) for title in one.top) or "nothing on the test part"
    return {
        "one": one,
        "title": f"Feature {one.index}: {short(one.label)}",
        "description": f"Feature {one.index} ({short(one.label)}) is lit by {lit}. {_evidence(one)}",
        "previous": one.index - 1 if one.index else None,
        "next": one.index + 1 if one.index < last else None,
        "facts": [
            ("best concept", short(one.concept, 60)),
            ("correlation", _fixed(row.correlation)),
            ("AUC", _fixed(row.auc)),
            ("sensitivity", _fixed(row.sensitivity)),
            ("p_top100", _fixed(row.p_top100)),
            ("density", _percent(row.density)),
            ("maximum", _fixed(row.max)),
        ],
        "evidence": _evidence(one),
        "examples": shown.examples(one.index) if one.proof.labelled else [],
        "bands": shown.bands(one.index),
        "moves": (
            (
                ("Items whose scores it raises", "Items whose scores it lowers"),
                "Change of its score, relative to the average item’s, per unit of the feature’s activation.",
                shown.effects(one.index),
            ),
            (
                ("Items that enter the lists", "Items that leave the lists"),
                "Counted: test users who have it in their top 10 while the feature is turned down and up by its 99th "
                "percentile.",
                shown.moved(one.index),
            ),
        ),
        "concepts": shown.concepts(one.index),
        "steered": drawn.steered(one.index),
        "neighbours": shown.neighbours(one.index),
        "data": Markup(json_block(drawn.of(one))),
    }


def _evidence(one: Named) -> str:
    """What a feature's label rests on, in a sentence."""
    proof = one.proof
    if proof.labelled:
        return (
            f"On users that the label was not made on, {proof.precision:.0%} of the steps that it speaks of have the "
            f"feature above its median activation, {proof.lift:.1f} times as many as by chance, and it speaks of "
            f"{proof.recall:.0%} of such steps; among as many hard negatives, {proof.hard_precision:.0%} are right."
        )
    if one.dead:
        return "It has no label."
    return (
        f"No label foretells it well enough on users that the label was not made on. The closest concept is "
        f"{short(one.concept)}, with a correlation of {_fixed(one.row.correlation)}."
    )


def _items(templates: Environment, shown: Shown) -> Callable[[str, Any], Markup]:
    """A function that shows an item by its title and concepts, of which the given one stands out; each is made once."""
    part = templates.get_template("parts.html").module.item  # type: ignore[attr-defined]
    concepts = shown.items["concepts"].to_dict()
    return cache(lambda best, item: part(shown.titles[item], list(concepts[item]), best))


def _templates() -> Environment:
    """Templates that escape all that they are given."""
    templates = Environment(
        loader=PackageLoader("interp.pages.export"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"short": short, "fixed": _fixed, "percent": _percent, "points": _points}
    return templates


HERE = Path(__file__).parent / "templates"


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _fixed(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _percent(value: float) -> str:
    return f"{value:.1%}" if math.isfinite(value) else "–"


def _points(value: float) -> str:
    return f"{value:+.1%}".replace("-", "−") if math.isfinite(value) else "–"
