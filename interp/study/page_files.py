"""Where the files of a page lie that does not hold all by itself (`interp.pages.beside`)."""

import shutil
from pathlib import Path

from recmodels import artifacts
from recmodels.folders import MANIFEST

KIND = artifacts.Kind("page-files")


def folder_of(page: Path) -> Path:
    """The folder beside a page that has files: `dashboard-data` of `dashboard.html`."""
    return page.with_name(f"{page.stem}-data")


def copy_page(page: Path, to: Path) -> None:
    """Copy a page, and the folder beside it if it has one, into the folder `to`.

    Raises:
        InputError: a file beside the page was altered or is missing.
    """
    files = folder_of(page)
    if files.is_dir():
        manifest = artifacts.verify(files, KIND)
        (to / files.name).mkdir(exist_ok=True)
        for name in (*manifest["files"], MANIFEST):
            shutil.copyfile(files / name, to / files.name / name)
    shutil.copyfile(page, to / page.name)
