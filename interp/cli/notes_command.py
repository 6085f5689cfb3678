"""The command `interp notes`."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import tyro

from interp.cli.commands import app
from interp.cli.opening import open_study
from recmodels.errors import InputError


@app.command
def notes(
    folder: tyro.conf.Positional[Path],
    action: tyro.conf.Positional[Literal["show", "add", "merge"]] = "show",
    what: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[FEATURE|FILE ...]")] = (),
    by: str | None = None,
    name: str | None = None,
    vote: Literal["up", "down", "none"] | None = None,
    comment: str | None = None,
) -> None:
    """Names, votes and comments of people about features: `interp notes artifacts/ml-100k merge anna.json ben.json`.

    They are kept in notes.json beside the study, and every view shows the names. The dashboard has a form for them, and
    exports the files that are merged. Run `interp dashboard` afterwards to show them there.

    `interp notes artifacts/ml-100k add 412 --by Anna --name "Space horror" --vote up`

    Args:
        folder: The study's folder.
        action: Show all notes; add to them what you say of one feature; or merge the files of others.
        what: With add the feature's number, with merge the files.
        by: Who you are.
        name: What the feature shall be called; "" takes your own name back.
        vote: For or against what the feature is called; none takes your vote back.
        comment: What else there is to say.
    """
    said = {"name": name, "vote": vote, "comment": comment}
    if action != "add" and (by, *said.values()) != (None,) * 4:
        raise InputError("--by, --name, --vote and --comment say something of a feature: write `add` and its number")
    if action == "show" and what:
        raise InputError("`show` shows all notes: write `add FEATURE` or `merge FILE …`")
    if action == "add" and (len(what) != 1 or not what[0].isdecimal()):
        raise InputError("`add` is about one feature: give its number, such as `interp notes FOLDER add 412 --by Anna`")
    remarks = open_study(folder).remarks
    if action == "add":
        if by is None:
            raise InputError("a note names who wrote it: say so with --by")
        remarks.add(int(what[0]), by=by, **said)
        print(f"{remarks.path}\nTo see it in the page: interp dashboard {shlex.quote(str(folder))}")
    else:
        print(remarks.merge(*what) if action == "merge" else remarks)
