"""A finished study for others: its feature pages as a static site, its figures and tables for a paper."""

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from interp.optional import Image
from interp.pages.figure_export import write_figures
from interp.pages.site import write_site
from interp.pages.table_export import write_tables
from interp.study.study import Study
from interp.study.study_parts import check_is_study
from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.folders import is_empty
from recmodels.paths import as_path

KIND = artifacts.Kind("export")
Writer = Callable[[Study, Path], None]


def export(
    study: Study,
    to: Path | str,
    *,
    site: bool = False,
    figures: Sequence[Image] | None = None,
    tables: bool = False,
    spreadsheet_safe: bool = False,
) -> list[Path]:
    """Write parts of a study as folders of their own, each whole or not at all; all of them if none is asked for.

    The same study gives the same bytes, but for .svg and .pdf files, in which the browser leaves the time and names
    drawn by chance.

    Args:
        study: what is exported.
        to: the folder that gets the folders `site`, `figures` and `tables`. An earlier export in them is replaced.
        site: a static site with a page for every feature.
        figures: every figure as plotly's .json, and in these formats as well ("svg", "pdf", "png"), which need kaleido.
        tables: every table as .tex and .csv.
        spreadsheet_safe: in the .csv files of tables, text that a spreadsheet could run as a formula gets a ' in front.

    Returns:
        The folders that were written.

    Raises:
        InputError: `to` cannot be written to, or lies in the study; one of the folders holds something else than an
            unchanged export; a table of the study is missing or was altered; kaleido or a browser is missing.
    """
    check_is_study(study)
    to = as_path(to)
    if study.folder in (to, *to.parents):
        raise InputError(f"{to} lies in the study itself: choose a folder beside it with --to")
    write_all = not site and figures is None and not tables
    writers: dict[str, Writer] = {}
    if site or write_all:
        writers["site"] = write_site
    if figures is not None or write_all:
        writers["figures"] = partial(write_figures, formats=tuple(figures or ()))
    if tables or write_all:
        writers["tables"] = partial(write_tables, spreadsheet_safe=True) if spreadsheet_safe else write_tables
    folders = {to / name: write for name, write in writers.items()}
    _check_writable(to)
    for folder in folders:
        _check(folder)
    for folder, write in folders.items():
        artifacts.discard_partial(folder, KIND)
        inputs = {"study": study.name, "recommender": study.record["fingerprints"]["recommender"]}
        try:
            with artifacts.writing(folder, KIND, inputs) as partial_folder:
                write(study, partial_folder)
        finally:  # nothing of an export that failed can be taken up again
            artifacts.discard_partial(folder, KIND)
    return list(folders)


def _check_writable(to: Path) -> None:
    """Refuse a folder that cannot be made or written to, before work of minutes.

    Raises:
        InputError: it is a file, below one, or not ours to write.
    """
    try:
        to.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=to):
            pass
    except OSError as error:
        reason = "it is a file" if to.is_file() else error.strerror
        raise InputError(f"cannot write to {to} ({reason}): choose another folder with --to") from None


def _check(folder: Path) -> None:
    """Refuse to replace what is not an export, or what someone has worked on since.

    Raises:
        InputError: there is something else in the folder.
    """
    artifacts.check_replaceable(folder, KIND)
    if folder.exists() and not is_empty(folder):
        artifacts.verify(folder, KIND)
