"""HetRec 2011 Last.fm: who tagged which artist in which month, with the tags of each artist.

A user's sequence is the order in which the user first tagged artists: one interaction per user and artist, at
the month of the first tag (`time` = 12 · year + month), artists of one month by id. Left out, with a note in
the log: assignments to artists that are missing from artists.dat (1,538 of 186,479; nothing says who they are,
and one user has no others), and those dated before 2005, when Last.fm introduced tags (5, such as 1956).

An artist's `tags` are those that at least two users gave it, the most frequent first. With a minimum of one user,
nearly half (46%) of the 20 most widespread tags on artists with ten or more taggers would come from fewer than a
tenth of these taggers ("folk" for Madonna), and Metallica would lose "metal" to tags such as "seen live". With two
it is 18%, and 87% of the interactions are still with an artist that has tags.

I. Cantador, P. Brusilovsky and T. Kuflik, HetRec 2011, RecSys 2011. For non-commercial use.
"""

import logging
from pathlib import Path

import pandas as pd

from recmodels import columns
from recmodels.datasets import cells
from recmodels.datasets.download import DownloadError, cache_folder, fetch
from recmodels.datasets.reading import is_utf8
from recmodels.datasets.source_files import read_file
from recmodels.errors import InputError
from recmodels.interactions import Dataset

NAMES = ("lastfm-2k",)
ARCHIVE = "hetrec2011-lastfm-2k.zip"
URL = f"https://files.grouplens.org/datasets/hetrec2011/{ARCHIVE}"
# GroupLens publishes no checksum; public loaders of this archive agree on this one.
CHECKSUM = "sha256:6738f48195667ff03caaab4d32ca9a3133d8cc026b7c3cdaf6ce1010e913c59c"

FIRST_YEAR = 2005
MIN_TAGGERS = 2

log = logging.getLogger(__name__)


def load(name: str, folder: Path | None = None, cache: Path | None = None) -> Dataset:
    """The dataset from a copy (a folder, the folder above it, or the archive) or by downloading.

    Items are artists, with the columns `title` (the name) and `tags` (tuple of strings).

    Raises:
        InputError: nothing to read or download, or a file or cell is not in the official format.
    """
    if folder is None:
        try:
            source = fetch(URL, (cache or cache_folder()) / ARCHIVE, CHECKSUM)
        except DownloadError as error:
            raise InputError(f"{error}: get {ARCHIVE} elsewhere and pass it with --data FOLDER") from None
    else:
        source = folder / name if (folder / name).is_dir() else folder
    artists = cells.read(read_file(source, "artists.dat"), "\t")
    ids = columns.unique_ids(artists, columns.whole_numbers(artists, "id"))
    assignments = _assignments(source)
    has_name = assignments["artist"].isin(ids)
    has_date = assignments["year"].between(FIRST_YEAR, 9999) & assignments["month"].between(1, 12)
    log.info(
        "%s: of %d tag assignments, %d to artists without a name and %d with an impossible date are left out",
        name,
        len(assignments),
        (~has_name).sum(),
        (has_name & ~has_date).sum(),
    )
    tags = _tags(assignments[has_name], _tag_names(source)).reindex(ids)
    items = pd.DataFrame(
        {
            "title": artists.column("name").to_numpy(),
            "tags": [assignments if isinstance(assignments, tuple) else () for assignments in tags],
        },
        index=pd.Index(ids, name="item"),
    )
    return Dataset(name, _first_tags(assignments[has_name & has_date]), items, attribute="tags")


def _assignments(source: Path) -> pd.DataFrame:
    """Columns user, artist, tag, month, year."""
    table = cells.read(read_file(source, "user_taggedartists.dat"), "\t")
    names = {"userID": "user", "artistID": "artist", "tagID": "tag", "month": "month", "year": "year"}
    return pd.DataFrame({name: columns.whole_numbers(table, column) for column, name in names.items()})


def _tag_names(source: Path) -> pd.Series:
    """Tags by id. The official file is in Latin-1, but copies in UTF-8 exist."""
    file = read_file(source, "tags.dat")
    table = cells.read(file, "\t", encoding="utf-8" if is_utf8(file.data) else "latin-1")
    ids = columns.unique_ids(table, columns.whole_numbers(table, "tagID"))
    return table.column("tagValue").set_axis(pd.Index(ids))


def _first_tags(assignments: pd.DataFrame) -> pd.DataFrame:
    rows = assignments.assign(time=assignments["year"] * 12 + assignments["month"]).rename(columns={"artist": "item"})
    rows = rows.sort_values(["user", "time", "item"]).drop_duplicates(["user", "item"])
    return rows[["user", "item", "time"]]


def _tags(assignments: pd.DataFrame, names: pd.Series) -> pd.Series:
    """Tuples of tags by artist; artists without any are missing."""
    takers = assignments.groupby(["artist", "tag"])["user"].nunique().rename("users").reset_index()
    takers = takers[takers["users"] >= MIN_TAGGERS].assign(name=lambda frame: frame["tag"].map(names))
    takers = takers.sort_values(["artist", "users", "name"], ascending=[True, False, True])
    return takers.groupby("artist")["name"].agg(tuple)
