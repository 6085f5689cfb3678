"""The command `interp bundle`."""

from pathlib import Path

import tyro

from interp.cli.commands import app
from interp.cli.opening import open_study
from recmodels.paths import as_path


@app.command
def bundle(
    folder: tyro.conf.Positional[Path],
    to: Path,
    with_users: bool = False,
    with_activations: bool = False,
    licence: str | None = None,
    cite: str | None = None,
) -> None:
    """Write a study for others, in one archive or folder: `interp bundle artifacts/ml-100k --to study.zip`.

    It holds the recommender, the dictionary, the tables and a card, README.md, that model hubs read. `interp.open` and
    all commands take the archive in place of a folder. Nothing in it names a user, unless you ask for that.

    Args:
        folder: The study's folder.
        to: An archive, if the name ends in .zip; otherwise a folder, which can be put on a model hub as it is.
        with_users: Also the tables and pages with histories of the test users, under their ids.
        with_activations: Also activations and feature matrices, with the user of every row; needs --with-users.
        licence: The licence that you give it, as hubs name it, such as mit or cc-by-4.0.
        cite: How it is to be cited, beside the paper and the data.
    """
    study = open_study(folder)
    print(
        study.bundle(as_path(to), with_users=with_users, with_activations=with_activations, licence=licence, cite=cite)
    )
