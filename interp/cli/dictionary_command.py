"""The command `interp dictionary`; `interp study … --dictionary FOLDER` goes the other way."""

from pathlib import Path
from typing import Literal

import tyro

from interp.cli.commands import app
from interp.cli.opening import open_study
from recmodels.paths import as_path


@app.command
def dictionary(
    folder: tyro.conf.Positional[Path],
    to: Path,
    format: Literal["saelens", "dictionary_learning"] = "saelens",
    name: str | None = None,
    site: str | None = None,
) -> None:
    """Write a dictionary for SAELens or dictionary_learning: `interp dictionary artifacts/ml-1m --to out`.

    Features and reconstructions are the same there: the normaliser is folded into the weights. The other way round,
    `interp study … --dictionary FOLDER` runs every analysis on a dictionary of these libraries.

    Args:
        folder: The study's folder.
        to: The folder to write; one that an earlier export wrote is replaced.
        format: Which library's.
        name: Another dictionary than the chosen one, such as top_k-512-k-16.
        site: Where that one was trained; by default the study's site.
    """
    study = open_study(folder)
    sae = study.sae if name is None else study.dictionary(name, site)
    print(sae.export(format, as_path(to)))
