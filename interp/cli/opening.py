"""Opens the study that a command names; what is no study is refused before torch is imported."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interp.study.study import Study


def open_study(folder: Path) -> "Study":
    """A finished study (`interp.open`).

    Raises:
        InputError: there is none in the folder.
    """
    from interp.store.study_folder import check_finished

    if not str(folder).startswith("hf:") and not folder.is_file():  # of a hub, or an archive
        check_finished(folder)
    from interp import open

    return open(folder)
