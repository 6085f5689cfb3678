"""A study's features as a folder of static pages: relative links only, no server, no network, text without scripts."""

import base64
import hashlib
import math
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from interp.features.grades import GRADES
from interp.pages.feature_figures import FeatureFigures
from interp.pages.glossary import meaning
from interp.pages.rendering import ASSETS, STYLES, json_block
from interp.pages.report import facts
from interp.pages.site_features import feature_page, fixed, percent
from interp.pages.verdicts import verdicts
from interp.plots.formats import figure_json
from interp.plots.names import SCORES
from interp.store.claim import tally
from interp.study.beside_popular import beside_popular
from interp.study.feature_view import FeatureViews, short
from interp.study.page_files import copy_page
from interp.study.study import Study
from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.progress import tqdm
from recmodels.wording import signed

COPIES = {"dashboard.html": "dashboard", "report.html": "report"}  # and the command that writes each
COLUMNS = (
    ("Feature", ""),
    ("Label", "text"),
    ("Best concept", "text"),
    *((SCORES[name], "") for name in ("correlation", "auc", "density", "max")),
    ("Strongest items", "example"),
)
OF_CONCEPTS = ("Best concept", SCORES["correlation"], SCORES["auc"])
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
    for name, command in COPIES.items():
        if not (study.folder / name).is_file():
            raise InputError(f"{study.folder / name} is missing: run `interp {command} {study.folder}` first")
        copy_page(study.folder / name, folder)
    templates, views = _templates(), FeatureViews(study)
    figures = FeatureFigures(views)
    _write_shared(folder, templates, len(views) - 1)
    artifacts.write_text(folder / "index.html", _index(templates, study, views))
    page, items = templates.get_template("feature.html"), _items(templates, study)
    for view in tqdm(views, desc="pages"):
        text = page.render(feature_page(view, figures), name=study.title, root="../", item=partial(items, view.concept))
        artifacts.write_text(folder / "feature" / f"{view.index}.html", text)


def _write_shared(folder: Path, templates: Environment, last: int) -> None:
    """What all pages share, once, and what a host such as GitHub Pages looks for."""
    for name, parts in {
        "style.css": (*(ASSETS / f"{part}.css" for part in STYLES["dashboard"]), HERE / "site.css"),
        "site.js": (ASSETS / "base.js", HERE / "site.js"),
    }.items():
        artifacts.write_text(folder / name, "".join(part.read_text(encoding="utf-8") for part in parts))
    artifacts.write_text(folder / "plotly.min.js", get_plotlyjs())
    artifacts.write_text(folder / ".nojekyll", "")
    digest = base64.b64encode(hashlib.sha256(HOME.encode()).digest()).decode()
    missing = templates.get_template("missing.html").render(
        hash=Markup(f"'sha256-{digest}'"),
        style=Markup("".join((ASSETS / f"{part}.css").read_text(encoding="utf-8") for part in ("colours", "base"))),
        script=Markup(HOME),
        last=last,
    )
    artifacts.write_text(folder / "404.html", missing)


def _index(templates: Environment, study: Study, views: FeatureViews) -> str:
    """The overview."""
    gallery, beside = study.figures, beside_popular(study)
    of_concepts = (
        ()
        if not study.has_concepts
        else (
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
                "Each row is a concept’s top feature; green squares are positive correlations, orange ones negative.",
                False,
                gallery.concept_heatmap(),
            ),
        )
    )
    figures = (
        *of_concepts,
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
        description=f"What {study.title} has learnt: {len(views)} features of a sparse autoencoder.",
        name=study.title,
        root="",
        facts=facts(study),
        warning=beside.warning if beside else "",
        notes=study.notes,
        tally=tally(verdicts(study)),
        figures=[texts for *texts, _ in figures],
        columns=[column for column in COLUMNS if study.has_concepts or column[0] not in OF_CONCEPTS],
        has_concepts=study.has_concepts,
        features=sorted(views, key=lambda view: (-_finite(view.row.correlation), view.index)),
        data=Markup(
            json_block({figure[0]: figure_json(figure[4].update_layout(dragmode=False)) for figure in figures})
        ),
    )


def _items(templates: Environment, study: Study) -> Callable[[str, Any], Markup]:
    """A function that writes an item as its title and concepts and marks the best concept; results are kept."""
    part = templates.get_template("parts.html").module.item  # type: ignore[attr-defined]
    concepts = study.items["concepts"].to_dict()
    titles = study.items["title"].to_dict()
    return cache(lambda best, item: part(titles[item], list(concepts[item]), best))


def _templates() -> Environment:
    """Templates that escape all that they are given."""
    templates = Environment(
        loader=PackageLoader("interp.pages.export"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"short": short, "fixed": fixed, "percent": percent, "points": _points}
    templates.filters |= {"meaning": meaning, "rests_on": lambda grade: GRADES[grade][1]}
    return templates


HERE = Path(__file__).parent / "templates"


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _points(value: float) -> str:
    return f"{signed(100 * value, '+.1f')} points" if math.isfinite(value) else "–"
