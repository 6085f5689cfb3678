"""The command `interp scorecard`."""

from pathlib import Path
from typing import Annotated

import tyro

from interp.cli.commands import app
from recmodels.paths import as_path


@app.command
def scorecard(
    folders: tyro.conf.Positional[tuple[Path, ...]],
    only: tuple[str, ...] = (),
    baselines: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = True,
    to: Path | None = None,
) -> None:
    """Compare dictionaries by the same metrics, as a table and a page: `interp scorecard artifacts/ml-1m`.

    Every row is kept in its study, so an interrupted scorecard goes on where it was.

    Args:
        folders: One or more studies.
        only: Patterns of a site and a dictionary, such as "blocks.0/top_k-*"; by default all at each study's site.
        baselines: Leave out the rows of neurons, PCA, ICA, random directions and the study's trained baselines.
        to: The folder for scorecard.csv and scorecard.html; by default the first study's.
    """
    from interp.pages.scorecard_page import as_text, write_page
    from interp.pipeline.scorecard import scorecard

    table = scorecard(*folders, only=only, baselines=baselines)
    target = as_path(folders[0] if to is None else to)
    print(as_text(table))
    for path in write_page(table, target):
        print(path)
