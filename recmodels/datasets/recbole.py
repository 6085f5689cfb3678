"""RecBole's atomic files: any dataset as one `.inter` and one `.item` table, in a folder or an archive.

Cells are split by tabs and never quoted; the first row names columns and types, as in `user_id:token`. Types
are token, token_seq (split by blanks), float and float_seq. Needed are `user_id` and `item_id` of the interactions, and
`item_id` of the items, if there is such a file. Without a column of times the order of the rows serves as `timestamp`.
The title is the first existing column of `TITLES`, or else the id. All other columns of tokens are attributes: text, or
a tuple of texts for token_seq (empty without a value). The concepts are the values of the first existing column of
`ATTRIBUTES`, or else of the first attribute, token_seq before token. Columns of numbers are not read.

Format: https://recbole.io/docs/user_guide/data/atomic_files.html
"""

from pathlib import Path, PurePosixPath

import pandas as pd

from recmodels import columns
from recmodels.advice import Advice
from recmodels.columns import Table
from recmodels.datasets import cells
from recmodels.datasets.lacking import NO_ITEMS, NO_TIMES, NO_TITLES, of_ids
from recmodels.datasets.source_files import file_names, read_file
from recmodels.errors import InputError
from recmodels.interactions import Dataset

NAMES = ("recbole",)
TITLES = ("movie_title", "title", "name", "item_name", "book_title", "app_name", "track_name")
ATTRIBUTES = ("class", "genre", "genres", "category", "categories", "tags")
TYPES = ("token", "token_seq", "float", "float_seq")
ADVICE = Advice("correct the file")


def load(name: str, folder: Path | None = None, cache: Path | None = None) -> Dataset:
    """The dataset whose atomic files are in a folder or archive; its name is that of the `.inter` file.

    Raises:
        InputError: no folder is given, it has no .inter file or two of a kind, or a table is not in the format.
    """
    if folder is None:
        raise InputError(f"{name} reads atomic files that you have: pass their folder with --data FOLDER")
    inter, item_file = _find(folder, ".inter"), _find(folder, ".item")
    if inter is None:
        raise InputError(f"{folder} has no .inter file: pass the folder or archive that has the atomic files")
    interactions, _ = _read(folder, inter)
    (users,) = columns.ids((interactions, "user_id"))
    if any(word in column for column in interactions.frame for word in ("time", "date")):
        times, lacks = columns.times(interactions, "timestamp"), []
    else:
        times, lacks = pd.Series(range(len(users)), users.index), [NO_TIMES]
    name = PurePosixPath(inter).stem
    if item_file is None:
        (user_items,) = columns.ids((interactions, "item_id"))
        frame = pd.DataFrame({"user": users, "item": user_items, "time": times})
        return Dataset(name, frame, of_ids(user_items), "", (*lacks, NO_ITEMS))
    items, types = _read(folder, item_file)
    user_items, item_ids = columns.ids((interactions, "item_id"), (items, "item_id"))
    columns.unique_ids(items, item_ids)
    title = next((column for column in TITLES if column in types), "item_id")
    attributes = {
        column: columns.lists(items.frame[column], None) if kind == "token_seq" else columns.texts(items.frame[column])
        for column, kind in types.items()
        if kind in ("token", "token_seq") and column not in ("item_id", title)
    }
    # Stable: attributes of one type stay in the order of the file.
    by_type = sorted(attributes, key=lambda column: types[column] != "token_seq")
    attribute = next((column for column in (*ATTRIBUTES, *by_type) if column in attributes), "")
    titles = columns.texts(items.column(title)).fillna(items.column("item_id"))
    table = pd.DataFrame({"title": titles, **attributes}).set_axis(pd.Index(item_ids, name="item"))
    frame = pd.DataFrame({"user": users, "item": user_items, "time": times})
    if title == "item_id":
        lacks.append(NO_TITLES)
    return Dataset(name, frame, table, attribute, tuple(lacks))


def _find(source: Path, suffix: str) -> str | None:
    """The name of the only file with this suffix, or None if there is none."""
    names = sorted(name for name in file_names(source) if PurePosixPath(name).suffix == suffix)
    if len(names) > 1:
        raise InputError(f"{source} has {' and '.join(names)}: keep one {suffix} file in it")
    return names[0] if names else None


def _read(source: Path, name: str) -> tuple[Table, dict[str, str]]:
    """A table whose columns are named without their types, and the types by column."""
    table = cells.read(read_file(source, name), "\t", advice=ADVICE)
    heads = [head.partition(":")[::2] for head in table.frame.columns]
    for column, kind in heads:
        if kind not in TYPES:
            raise InputError(
                f"{table.where}, row 1 gives {column!r} the type {kind!r}, not one of {', '.join(TYPES)}: {ADVICE.cell}"
            )
    return Table(table.where, table.frame.set_axis([column for column, _ in heads], axis=1), advice=ADVICE), dict(heads)
