"""MovieLens-100K and MovieLens-1M: who rated which film when, with titles, genres and years.

Ratings are read as interactions; their value is not used. Genres come as a tuple per film in
the file's order, and 'unknown' is no genre. Years are those in the title.

MovieLens-100K has two sources: the official archive, and the RecBole atomic files inside the `recbole` wheel,
which pip can fetch where files.grouplens.org cannot be reached. Their interactions are identical, row order
included. RecBole cut the title at its last bracket ("Toy Story" | "1995"); putting it back gives the official
title, for 'Land Before Time III' (cut before "(V)") too. The one film without a title is 'unknown' officially
and 'unkonwn' in RecBole: here 'unknown' from both, without a year. Blanks around official titles are dropped.
Not carried over, as RecBole lacks them: release dates and IMDb links.

F. M. Harper and J. A. Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015.
"""

import csv
import io
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from recmodels.datasets.download import (
    DownloadError,
    SourceFile,
    cache_folder,
    fetch,
    from_wheel,
    has_file,
    is_good,
    read_file,
    wheel_path,
)
from recmodels.errors import InputError
from recmodels.interactions import Dataset

NAMES = ("ml-100k", "ml-1m")
URL = "https://files.grouplens.org/datasets/movielens/{name}.zip"
CHECKSUMS = {
    "ml-100k": "md5:0e33842e24a9c977be4e0107933c0723",
    "ml-1m": "md5:c4d9eecfca2ab87c1945afe126590906",
}
WHEEL = "recbole==1.2.1"
WHEEL_CHECKSUM = "sha256:9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
WHEEL_MEMBERS = tuple(f"recbole/dataset_example/ml-100k/ml-100k.{kind}" for kind in ("inter", "item"))

# fmt: off
GENRES_100K = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime",
    "Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery",
    "Romance", "Sci-Fi", "Thriller", "War", "Western",
]
# fmt: on
ITEM_COLUMNS_100K = ["movie id", "title", "release date", "video release date", "IMDb URL", *GENRES_100K]
RATING_COLUMNS = ["user id", "movie id", "rating", "timestamp"]
YEAR = re.compile(r"\((\d{4})\)")
WHOLE_NUMBER = re.compile(" *-?[0-9]{1,18} *")

log = logging.getLogger(__name__)


def load(name: str, folder: Path | None = None, cache: Path | None = None) -> Dataset:
    """MovieLens by name, from a copy (a folder, the folder above it, or an archive) or by downloading.

    Items have the columns `title`, `genres` (tuple of strings) and `year` (Int64, missing where unknown).

    Raises:
        InputError: nothing to read or download, or a row that is not in the official format.
    """
    if folder is not None:
        source = folder / name if (folder / name).is_dir() else folder
        return _read_100k(source) if name == "ml-100k" else _read_1m(source)
    cache = cache or cache_folder()
    return _download_100k(cache) if name == "ml-100k" else _download_1m(cache)


def _download_1m(cache: Path) -> Dataset:
    try:
        return _read_1m(fetch(URL.format(name="ml-1m"), cache / "ml-1m.zip", CHECKSUMS["ml-1m"]))
    except DownloadError as error:
        raise InputError(f"{error}: get ml-1m.zip elsewhere and pass it with --data FOLDER") from None


def _download_100k(cache: Path) -> Dataset:
    archive = cache / "ml-100k.zip"
    # A second run must neither wait for the unreachable host again nor change its source.
    if is_good(wheel_path(WHEEL, cache), WHEEL_CHECKSUM) and not is_good(archive, CHECKSUMS["ml-100k"]):
        return _recbole_100k(*from_wheel(WHEEL, WHEEL_CHECKSUM, WHEEL_MEMBERS, cache).values())
    try:
        return _read_100k(fetch(URL.format(name="ml-100k"), archive, CHECKSUMS["ml-100k"]))
    except DownloadError as first:
        log.info("%s; taking the copy in %s", first, WHEEL)
        try:
            files = from_wheel(WHEEL, WHEEL_CHECKSUM, WHEEL_MEMBERS, cache)
        except DownloadError as second:
            raise InputError(
                f"ml-100k: {first}, nor has the package index a copy ({second}): "
                f"get ml-100k.zip or the {WHEEL} wheel elsewhere and pass it with --data FOLDER"
            ) from None
        return _recbole_100k(*files.values())


def _read_100k(source: Path) -> Dataset:
    if not has_file(source, "u.data") and has_file(source, "ml-100k.inter"):
        return _recbole_100k(read_file(source, "ml-100k.inter"), read_file(source, "ml-100k.item"))
    ratings = _interactions(read_file(source, "u.data"), "\t", RATING_COLUMNS)
    file = read_file(source, "u.item")
    ids, titles, genres = [], [], []
    for row, fields in _rows(file, "|", "latin-1", ITEM_COLUMNS_100K):
        ids.append(_integer(fields["movie id"], file, row, "movie id"))
        titles.append(fields["title"])
        flags = [_integer(fields[genre], file, row, genre) for genre in GENRES_100K]
        genres.append([genre for genre, flag in zip(GENRES_100K, flags, strict=True) if flag])
    return Dataset("ml-100k", ratings, _item_table(ids, titles, genres), attribute="genres")


def _recbole_100k(interactions: SourceFile, items: SourceFile) -> Dataset:
    columns = _recbole_columns(interactions, ["user_id", "item_id", "timestamp"])
    ratings = _interactions(interactions, "\t", columns, ["user_id", "item_id", "timestamp"], header=True)
    columns = _recbole_columns(items, ["item_id", "movie_title", "release_year", "class"])
    ids, titles, genres = [], [], []
    for row, fields in _rows(items, "\t", "utf-8", columns, header=True):
        ids.append(_integer(fields["item_id"], items, row, "item_id"))
        title, year = fields["movie_title"], fields["release_year"]
        titles.append("unknown" if year == "unkonwn" else f"{title} ({year})")
        genres.append(fields["class"].split())
    return Dataset("ml-100k", ratings, _item_table(ids, titles, genres), attribute="genres")


def _read_1m(source: Path) -> Dataset:
    ratings = _interactions(read_file(source, "ratings.dat"), "::", RATING_COLUMNS)
    file = read_file(source, "movies.dat")
    ids, titles, genres = [], [], []
    for row, fields in _rows(file, "::", "latin-1", ["movie id", "title", "genres"]):
        ids.append(_integer(fields["movie id"], file, row, "movie id"))
        titles.append(fields["title"])
        genres.append(fields["genres"].split("|"))
    return Dataset("ml-1m", ratings, _item_table(ids, titles, genres), attribute="genres")


def _item_table(ids: list[int], titles: list[str], genres: list[list[str]]) -> pd.DataFrame:
    titles = [" ".join(title.split()) for title in titles]
    years = [YEAR.findall(title) for title in titles]
    return pd.DataFrame(
        {
            "title": titles,
            "genres": [tuple(genre for genre in row if genre not in ("", "unknown")) for row in genres],
            "year": pd.array([int(found[-1]) if found else None for found in years], dtype="Int64"),
        },
        index=pd.Index(ids, name="item"),
    )


def _interactions(
    file: SourceFile,
    separator: str,
    columns: Sequence[str],
    use: Sequence[str] = ("user id", "movie id", "timestamp"),
    header: bool = False,
) -> pd.DataFrame:
    """User, item and time of a table whose `columns` are split by one character, repeated or not."""
    width, step = (len(columns) - 1) * len(separator) + 1, len(separator)
    used = [columns.index(name) * step for name in use]
    try:
        frame = pd.read_csv(
            io.BytesIO(file.data),
            sep=separator[0],
            header=None,
            skiprows=int(header),
            dtype=dict.fromkeys(used, np.int64),
            quoting=csv.QUOTE_NONE,
        )
    except (ValueError, OverflowError):
        frame = None
    # Between the two characters of "::" pandas sees a column, which must be empty.
    gaps = [column for column in range(width) if column % step]
    if frame is None or frame.shape[1] != width or not frame[gaps].isna().all(axis=None):
        raise _first_fault(file, separator, columns, use, header)
    return frame[used].set_axis(["user", "item", "time"], axis=1)


def _first_fault(
    file: SourceFile, separator: str, columns: Sequence[str], use: Sequence[str], header: bool
) -> InputError:
    """What is wrong with a table that the fast parser refused; reads it line by line."""
    try:
        for row, fields in _rows(file, separator, "utf-8", columns, header):
            for name in use:
                _integer(fields[name], file, row, name)
    except InputError as fault:
        return fault
    return InputError(f"{file.where} has no rows in its official format: get it again")


def _rows(
    file: SourceFile, separator: str, encoding: str, columns: Sequence[str], header: bool = False
) -> Iterator[tuple[int, dict[str, str]]]:
    """Row number (from 1, as an editor counts) and fields by column of every line that is not blank."""
    for row, line in enumerate(file.data.split(b"\n"), start=1):
        if (header and row == 1) or not line.strip():
            continue
        cells = line.removesuffix(b"\r").split(separator.encode())
        if len(cells) != len(columns):
            named = ", ".join(columns[:4]) + ", …" * (len(columns) > 4)
            raise InputError(
                f"{file.where}, row {row} has {len(cells)} columns split by {separator!r}, "
                f"not {len(columns)} ({named}): get the official file"
            )
        for cell, name in zip(cells, columns, strict=True):
            if not cell.isascii() and _is_utf8(cell) != (encoding == "utf-8"):
                raise InputError(
                    f"{file.where}, row {row}, column {name!r} is not in {encoding}: get the official file"
                )
        yield row, dict(zip(columns, (cell.decode(encoding) for cell in cells), strict=True))


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _integer(text: str, file: SourceFile, row: int, column: str) -> int:
    if WHOLE_NUMBER.fullmatch(text):
        return int(text)
    raise InputError(
        f"{file.where}, row {row}, column {column!r} is {text!r}, not a whole number: get the official file"
    )


def _recbole_columns(file: SourceFile, needed: Sequence[str]) -> list[str]:
    """Column names of an atomic file, whose header reads `name:type`."""
    header = file.data.partition(b"\n")[0].decode("utf-8", "replace").strip()
    columns = [cell.partition(":")[0] for cell in header.split("\t")]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise InputError(
            f"{file.where}, row 1 names no column {missing[0]!r} (it names {', '.join(columns)}): "
            f"get the file of {WHEEL}"
        )
    return columns
