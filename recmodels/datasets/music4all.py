"""Music4All: who listened to which song when, with artists, genres, tags, languages and years.

The authors send the files on request, so nothing can be downloaded. The files are named `.csv` but are split by tabs;
cells may be quoted as in CSV. Every listening event is an interaction, repeats included. Times have a resolution of
minutes; events of one minute keep the order of their rows.

I. A. P. Santana et al., Music4All: A New Music Database and Its Applications, IWSSIP 2020.
"""

from pathlib import Path

import pandas as pd

from recmodels import columns
from recmodels.columns import Table
from recmodels.datasets import cells
from recmodels.datasets.source_files import read_file
from recmodels.errors import InputError
from recmodels.interactions import Dataset

NAMES = ("music4all",)


def load(name: str, folder: Path | None = None, cache: Path | None = None) -> Dataset:
    """Music4All from a folder (or the folder above it) or an archive.

    Items have the columns `title` ("artist – song"), `genres` and `tags` (tuples of strings), `language`,
    `year` (of release; Int64) and `artist`, empty ones where a file says nothing about a song.

    Raises:
        InputError: no folder is given, or a file or cell is not in the official format.
    """
    if folder is None:
        raise InputError(
            f"{name} cannot be downloaded, its authors send it on request: ask for it "
            f"at https://sites.google.com/view/contact4music4all and pass it with --data FOLDER"
        )
    source = folder / name if (folder / name).is_dir() else folder
    events, songs = _read(source, "listening_history.csv"), _read(source, "id_information.csv")
    (users,) = columns.ids((events, "user"))
    songs_heard, ids = columns.ids((events, "song"), (songs, "id"))
    columns.unique_ids(songs, ids)
    artists = songs.column("artist")
    attributes = {
        "title": artists + " – " + songs.column("song"),
        "genres": columns.lists(_song_column(source, "id_genres.csv", "genres", ids), ","),
        "tags": columns.lists(_song_column(source, "id_tags.csv", "tags", ids), ","),
        "language": columns.texts(_song_column(source, "id_lang.csv", "lang", ids)),
        "year": _years(_read(source, "id_metadata.csv"), ids),
        "artist": columns.texts(artists),
    }
    items = pd.DataFrame(
        {column: values.to_numpy() for column, values in attributes.items()}, pd.Index(ids, name="item")
    )
    frame = pd.DataFrame({"user": users, "item": songs_heard, "time": columns.times(events, "timestamp")})
    return Dataset(name, frame, items.astype({"year": "Int64"}), attribute="genres")


def _read(source: Path, file: str) -> Table:
    return cells.read(read_file(source, file), "\t", quoted=True)


def _song_column(source: Path, file: str, column: str, ids: pd.Series) -> pd.Series:
    """A column of a file with one row per song, '' for songs without a row."""
    table = _read(source, file)
    return _by_song(table, table.column(column), ids).fillna("")


def _years(table: Table, ids: pd.Series) -> pd.Series:
    return _by_song(table, columns.whole_numbers(table, "release", optional=True), ids)


def _by_song(table: Table, values: pd.Series, ids: pd.Series) -> pd.Series:
    songs = columns.unique_ids(table, table.column("id"))
    return values.set_axis(pd.Index(songs)).reindex(ids.astype(str))
