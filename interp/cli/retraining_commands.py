"""The commands for after a retraining: `interp compare`, `interp carry` and `interp drift`."""

from pathlib import Path
from typing import Annotated

import tyro

from interp.cli.commands import app, check_name, keep
from interp.cli.opening import open_study
from recmodels.errors import InputError
from recmodels.paths import as_path


@app.command
def compare(
    old: tyro.conf.Positional[Path],
    new: tyro.conf.Positional[Path | None] = None,
    dictionaries: Annotated[tuple[str, str] | None, tyro.conf.arg(metavar="NAME NAME")] = None,
    page: Path | None = None,
    to: Path | None = None,
) -> None:
    """Compare two studies of one catalogue, such as before and after a retraining: `interp compare OLD NEW`.

    Features are matched by their activations on the same histories of test users. Then: which features came and went,
    and what changed for concepts and lists.

    Two dictionaries of one study, or two layers: `interp compare STUDY --dictionaries blocks.0 blocks.1`.

    Args:
        old: The folder of the old study.
        new: The folder of the new one; with --dictionaries it may be left out, and is the same.
        dictionaries: Which dictionary of either: its name, such as blocks.0/top_k-512-k-16, or the layer alone.
        page: A .html file that shows both side by side, feature by feature, and opens without a network.
        to: A folder for features.csv, concepts.csv, lists.csv, shares.csv, quality.csv and the page, comparison.html.
    """
    check_name(page, ".html")
    if new is None and dictionaries is None:
        raise InputError("there is one study: name the new one too, or two dictionaries of it with --dictionaries")
    folders = [old, old if new is None else new]
    studies = [open_study(folder) for folder in folders]
    from interp.study.compare import compare
    from interp.study.other_dictionary import with_dictionary_or_site

    if dictionaries is not None:
        studies = [with_dictionary_or_site(study, name) for study, name in zip(studies, dictionaries, strict=True)]
    comparison = compare(*studies)
    print(comparison)
    pages = [as_path(path) for path in (page, to and to / "comparison.html") if path is not None]
    if to is not None:
        for path in comparison.save(to):
            print(path)
    if pages:
        from interp.pages.comparison import write_comparison

        for path in pages:
            print(write_comparison(comparison, path))


@app.command
def carry(
    steer: tyro.conf.Positional[Path],
    old: tyro.conf.Positional[Path],
    new: tyro.conf.Positional[Path],
    save: Path | None = None,
    leave_out: bool = False,
) -> None:
    """Translate a steer to the features of another study: `interp carry horror.json OLD NEW --save new.json`.

    Each feature becomes its match in the new study, each value the same dose. Prints what the steer does before and
    after, on the same users. A feature without a good match is refused.

    Args:
        steer: A .json file that `interp steer --save` or `save_steer` wrote.
        old: The folder of the study that it is for.
        new: The folder of the study that it is carried to.
        save: A .json file for the carried steer.
        leave_out: Leave out features without a good match, and say which.
    """
    check_name(save)
    studies = open_study(old), open_study(new)
    from interp.steering.serialization import load_steer
    from interp.study.carry import carry

    carried = carry(load_steer(steer), *studies, leave_out=leave_out)
    print(carried)
    keep(carried.steer, save)


@app.command
def drift(
    folder: tyro.conf.Positional[Path],
    periods: Annotated[tuple[str, str], tyro.conf.arg(metavar="FROM..TO FROM..TO")],
    to: Path | None = None,
) -> None:
    """Find features that rise or fade between two periods, under the same recommender.

    `interp drift artifacts/ml-100k --periods 1997-09-20..1998-01-01 1998-01-01..1998-04-23`

    The users are those that neither the recommender nor the dictionary was trained on; a note says so where the
    recommender knows them all the same, as under leave-one-out. Their histories are read anew from the study's data.

    Args:
        folder: The study's folder.
        periods: The earlier and the later period: dates, or times as the data have them; each from the first up to, but
            without, the second. Either may be missing: ..1998-01-01
        to: A .csv file for the table of all features.
    """
    study = open_study(folder)
    from interp.study.periods import histories_of_periods
    from recmodels import files
    from recmodels.errors import printable
    from recmodels.wording import wrapped

    result = study.drift(*histories_of_periods(study, *periods))
    print(result)
    for note in study.notes:
        print(printable(wrapped(f"NOTE: {note}")))
    if to is not None:
        files.write_text(as_path(to), result.table.to_csv(index=False))
        print(to)
