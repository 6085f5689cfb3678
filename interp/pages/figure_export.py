"""The figures of the report and of the dashboard's overview for a paper: as .json and, through kaleido, as images."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from interp.optional import Image, needing
from interp.pages.file_names import file_name
from interp.pages.print_style import for_paper
from interp.pages.report import sections
from interp.plots.blocks import Block
from interp.study.study import Study
from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.progress import tqdm

SCALE = 4  # pixels of a .png for one of the figure: 384 to the inch


class PaperFigure(NamedTuple):
    """A figure of a study, as a paper shows it."""

    name: str
    """Of its file, without ending."""
    number: str
    """The paper's, such as "Figure 4"; empty for others."""
    title: str
    caption: str
    figure: go.Figure


def write_figures(study: Study, folder: Path, formats: Sequence[Image] = ()) -> None:
    """Write every figure as .json and in these formats, and captions.csv, which says what each is.

    Args:
        study: whose.
        folder: where to.
        formats: of images; they need kaleido, and Chrome or Chromium.

    Raises:
        InputError: kaleido or a browser is missing.
    """
    draw = _drawer() if formats else None
    figures = list(figures_of(study))
    for entry in figures:
        artifacts.write_text(folder / f"{entry.name}.json", entry.figure.to_json() + "\n")
    captions = pd.DataFrame([entry[:4] for entry in figures], columns=["file", "number", "title", "caption"])
    artifacts.write_text(folder / "captions.csv", captions.to_csv(index=False, lineterminator="\n"))
    if draw:
        draw([_job(entry.figure, folder / entry.name, ending) for entry in figures for ending in formats])


def figures_of(study: Study) -> Iterator[PaperFigure]:
    """All of them: the report's in its order, then those of the dashboard's overview that the report lacks."""
    used_names: set[str] = set()
    for section in sections(study):
        for exhibit in section["exhibits"]:
            for block in exhibit["blocks"]:
                if block["kind"] == "figure":
                    yield _paper_figure(exhibit, block["title"], go.Figure(block["figure"]), used_names)
    gallery = study.figures
    for title, caption, figure in (
        ("How often features are active", "Features by the share of steps where they are active.", gallery.densities()),
        *(
            [
                (
                    "How many features follow a concept",
                    "Features by their correlation with their best concept; dashed: from there on they follow it.",
                    gallery.correlations(),
                )
            ]
            if study.has_concepts
            else []
        ),
        *(
            (
                f"Map of the dictionary by {colour}",
                "Features near those whose directions are alike.",
                gallery.map(colour),
            )
            for colour in gallery.colours
        ),
    ):
        yield _paper_figure({"number": "", "title": title, "caption": caption}, "", figure, used_names)


def _drawer() -> Callable[[list[dict[str, Any]]], None]:
    """A function that writes all images of a list with one start of the browser.

    Raises:
        InputError: kaleido is missing; later, if no browser is found or it does not start.
    """
    with needing("kaleido"):
        from choreographer.errors import BrowserDepsError, BrowserFailedError, ChromeNotFoundError
        from kaleido import write_fig_from_object_sync

    def draw(jobs: list[dict[str, Any]]) -> None:
        try:
            write_fig_from_object_sync(tqdm(jobs, desc="images"))
        except ChromeNotFoundError:
            raise InputError(
                "images of figures need Chrome or Chromium: install one, or run kaleido_get_chrome"
            ) from None
        except (BrowserFailedError, BrowserDepsError):
            raise InputError(
                "Chrome does not start, so there are no images: check that `chromium --headless` runs"
            ) from None

    return draw


def _job(figure: go.Figure, path: Path, ending: Image) -> dict[str, Any]:
    """The arguments of kaleido for one image."""
    size = {"width": figure.layout.width, "height": figure.layout.height}
    scale = SCALE if ending == "png" else 1
    return {"fig": figure, "path": f"{path}.{ending}", "opts": {"format": ending, **size, "scale": scale}}


def _paper_figure(exhibit: Block, part: str, figure: go.Figure, used_names: set[str]) -> PaperFigure:
    name = file_name(exhibit, part, used_names)
    title = f"{exhibit['title']}: {part}" if part else exhibit["title"]
    return PaperFigure(name, exhibit["number"], title, exhibit["caption"], for_paper(figure))
