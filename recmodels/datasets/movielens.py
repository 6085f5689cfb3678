"""MovieLens, from 100K to 32M: who rated which film when, with titles, genres, years and, in some releases, tags.

Ratings are read as interactions; their value is not used. Items have the columns

- `title`, without surrounding and doubled blanks;
- `genres`, a tuple in the file's order; 'unknown' and '(no genres listed)' are no genres;
- `year`, the last one in brackets in the title; of '(1975-1979)' and '(2007-)' the first; Int64, missing where unknown;
- `tags`, where the release has a file of them (10M and later): a tuple of those that at least `TAG_USERS` users
  gave, in lower case without surrounding blanks, those of the most users first;
- `genome`, where the release has the tag genome: a tuple of the tags of relevance `GENOME_RELEVANCE` or more, the
  most relevant first.

There are three formats: that of 100K; that of 1M and 10M, whose columns are split by '::'; and the CSV files of all
later releases.

MovieLens-100K has two sources: the official archive, and the RecBole atomic files inside the `recbole` wheel,
which pip can fetch where files.grouplens.org cannot be reached. Their interactions are identical, row order
included. RecBole cut the title at its last bracket ("Toy Story" | "1995"); putting it back gives the official
title, for 'Land Before Time III' (cut before "(V)") too. The one film without a title is 'unknown' officially
and 'unkonwn' in RecBole: here 'unknown' from both, without a year.
Not carried over, as RecBole lacks them: release dates and IMDb links.

F. M. Harper and J. A. Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from recmodels.datasets import reading
from recmodels.datasets.download import DownloadError, cache_folder, fetch, from_wheel, is_good, wheel_path
from recmodels.datasets.source_files import SourceFile, has_file, read_file
from recmodels.errors import InputError
from recmodels.interactions import Dataset

NAMES = ("ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m", "ml-latest-small")
URL = "https://files.grouplens.org/datasets/movielens/{name}.zip"
# ml-latest-small has none, because GroupLens replaces it from time to time.
CHECKSUMS = {
    "ml-100k": "md5:0e33842e24a9c977be4e0107933c0723",
    "ml-1m": "md5:c4d9eecfca2ab87c1945afe126590906",
    "ml-10m": "md5:ce571fd55effeba0271552578f2648bd",
    "ml-20m": "md5:cd245b17a1ae2cc31bb14903e1204af3",
    "ml-25m": "md5:6b51fb2759a8657d3bfcbfc42b592ada",
    "ml-32m": "md5:d472be332d4daa821edc399621853b57",
}
FOLDERS = {"ml-10m": "ml-10M100K"}
WHEEL = "recbole==1.2.1"
WHEEL_CHECKSUM = "sha256:9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
WHEEL_MEMBERS = tuple(f"recbole/dataset_example/ml-100k/ml-100k.{kind}" for kind in ("inter", "item"))

TAG_USERS = 2
"""A tag counts as one of an item's when at least so many different users gave it."""
GENOME_RELEVANCE = 0.8
"""A tag of the genome counts as one of an item's from this relevance (0 to 1) on."""

# fmt: off
GENRES_100K = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime",
    "Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery",
    "Romance", "Sci-Fi", "Thriller", "War", "Western",
]
# fmt: on
NO_GENRES = ("", "unknown", "(no genres listed)")
ITEM_COLUMNS_100K = ["movie id", "title", "release date", "video release date", "IMDb URL", *GENRES_100K]
RATING_COLUMNS = ["user id", "movie id", "rating", "timestamp"]
DAT_ENCODINGS = {"ml-1m": "latin-1", "ml-10m": "utf-8"}
YEAR = re.compile(r"\((\d{4})(?: ?[-–] ?(?:\d{4})?)?\)")

Movie = tuple[int, int, str, list[str]]  # row in the file, id, title, genres

log = logging.getLogger(__name__)


def load(name: str, folder: Path | None = None, cache: Path | None = None) -> Dataset:
    """MovieLens by name, from a copy (a folder, the folder above it, or an archive) or by downloading.

    Films without any ratings stay among the items.

    Raises:
        InputError: nothing to read or download, a row that is not in the official format, or a rated film that
            is not in the table of films.
    """
    if folder is not None:
        inner = folder / FOLDERS.get(name, name)
        return _read(name, inner if inner.is_dir() else folder)
    cache = cache or cache_folder()
    return _download_100k(cache) if name == "ml-100k" else _read(name, _download(name, cache))


def _read(name: str, source: Path) -> Dataset:
    if name == "ml-100k":
        return _read_100k(source)
    return _read_dat(name, source) if name in DAT_ENCODINGS else _read_csv(name, source)


def _download(name: str, cache: Path) -> Path:
    url, target = URL.format(name=name), cache / f"{name}.zip"
    try:
        return fetch(url, target, CHECKSUMS.get(name))
    except DownloadError as error:
        raise InputError(f"{error}: get {name}.zip elsewhere and pass it with --data FOLDER") from None


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
    ratings, movies = read_file(source, "u.data"), read_file(source, "u.item")
    interactions = reading.interactions(ratings, "\t", RATING_COLUMNS)
    return _dataset("ml-100k", interactions, ratings, _item_table(movies, _movies_100k(movies)), movies)


def _recbole_100k(ratings: SourceFile, movies: SourceFile) -> Dataset:
    columns = reading.recbole_columns(ratings, ["user_id", "item_id", "timestamp"])
    interactions = reading.interactions(ratings, "\t", columns, ["user_id", "item_id", "timestamp"], header=True)
    return _dataset("ml-100k", interactions, ratings, _item_table(movies, _movies_recbole(movies)), movies)


def _read_dat(name: str, source: Path) -> Dataset:
    ratings, movies = read_file(source, "ratings.dat"), read_file(source, "movies.dat")
    interactions = reading.interactions(ratings, "::", RATING_COLUMNS)
    items = _item_table(movies, _movies_dat(movies, DAT_ENCODINGS[name]))
    if has_file(source, "tags.dat"):
        items["tags"] = _tags(_tags_dat(read_file(source, "tags.dat")), items.index)
    return _dataset(name, interactions, ratings, items, movies)


def _read_csv(name: str, source: Path) -> Dataset:
    ratings, movies = read_file(source, "ratings.csv"), read_file(source, "movies.csv")
    interactions = reading.csv_columns(ratings, {"userId": int, "movieId": int, "timestamp": int})
    interactions.columns = ["user", "item", "time"]
    if interactions.empty:
        raise InputError(f"{ratings.where} has no rows below its header: get it again")
    items = _item_table(movies, _movies_csv(movies))
    if has_file(source, "tags.csv"):
        assignments = reading.csv_columns(read_file(source, "tags.csv"), {"userId": int, "movieId": int, "tag": str})
        items["tags"] = _tags(assignments.set_axis(["user", "item", "tag"], axis=1), items.index)
    if has_file(source, "genome-scores.csv"):
        items["genome"] = _genome(
            read_file(source, "genome-scores.csv"), read_file(source, "genome-tags.csv"), items.index
        )
    return _dataset(name, interactions, ratings, items, movies)


def _movies_100k(file: SourceFile) -> Iterator[Movie]:
    for row, fields in reading.rows(file, "|", "latin-1", ITEM_COLUMNS_100K):
        flags = [reading.integer(fields[genre], file, row, genre) for genre in GENRES_100K]
        genres = [genre for genre, flag in zip(GENRES_100K, flags, strict=True) if flag]
        yield row, reading.integer(fields["movie id"], file, row, "movie id"), fields["title"], genres


def _movies_recbole(file: SourceFile) -> Iterator[Movie]:
    columns = reading.recbole_columns(file, ["item_id", "movie_title", "release_year", "class"])
    for row, fields in reading.rows(file, "\t", "utf-8", columns, header=True):
        title, year = fields["movie_title"], fields["release_year"]
        title = "unknown" if year == "unkonwn" else f"{title} ({year})"
        yield row, reading.integer(fields["item_id"], file, row, "item_id"), title, fields["class"].split()


def _movies_dat(file: SourceFile, encoding: str) -> Iterator[Movie]:
    for row, fields in reading.rows(file, "::", encoding, ["movie id", "title", "genres"]):
        item = reading.integer(fields["movie id"], file, row, "movie id")
        yield row, item, fields["title"], fields["genres"].split("|")


def _movies_csv(file: SourceFile) -> Iterator[Movie]:
    for row, fields in reading.csv_rows(file, ["movieId", "title", "genres"]):
        yield (
            row,
            reading.integer(fields["movieId"], file, row, "movieId"),
            fields["title"],
            fields["genres"].split("|"),
        )


def _item_table(file: SourceFile, movies: Iterable[Movie]) -> pd.DataFrame:
    rows: dict[int, int] = {}
    titles, genres = [], []
    for row, item, title, names in movies:
        if item in rows:
            raise InputError(
                f"{file.where}, row {row} has the movie id {item} of row {rows[item]}: keep one of the two"
            )
        rows[item] = row
        titles.append(" ".join(title.split()))
        genres.append(tuple(name for name in names if name not in NO_GENRES))
    years = [YEAR.findall(title) for title in titles]
    return pd.DataFrame(
        {
            "title": titles,
            "genres": genres,
            "year": pd.array([int(matches[-1]) if matches else None for matches in years], dtype="Int64"),
        },
        index=pd.Index(list(rows), name="item"),
    )


def _tags_dat(file: SourceFile) -> pd.DataFrame:
    assignments = [
        (
            reading.integer(fields["user id"], file, row, "user id"),
            reading.integer(fields["movie id"], file, row, "movie id"),
            fields["tag"],
        )
        for row, fields in reading.rows(file, "::", "utf-8", ["user id", "movie id", "tag", "timestamp"], free="tag")
    ]
    return pd.DataFrame(assignments, columns=["user", "item", "tag"])


def _tags(assignments: pd.DataFrame, items: pd.Index) -> list[tuple[str, ...]]:
    """The tags of each item, from who (user) gave which (tag) to what (item)."""
    codes, spellings = pd.factorize(assignments["tag"])
    assignments = assignments.assign(tag=pd.Series(spellings, dtype=object).str.strip().str.lower().to_numpy()[codes])
    counts = (
        assignments[assignments["tag"] != ""]
        .drop_duplicates()
        .groupby(["item", "tag"])
        .size()
        .rename("users")
        .reset_index()
    )
    counts = counts[counts["users"] >= TAG_USERS].sort_values(["users", "tag"], ascending=[False, True])
    return _tuples(counts, items)


def _genome(scores: SourceFile, tags: SourceFile, items: pd.Index) -> list[tuple[str, ...]]:
    names = reading.csv_columns(tags, {"tagId": int, "tag": str}).set_index("tagId")["tag"]
    if names.index.has_duplicates:
        twice = names.index[names.index.duplicated()][0]
        raise InputError(f"{tags.where} has the tagId {twice} in two rows: keep one of them")
    frame = reading.csv_columns(scores, {"movieId": int, "tagId": int, "relevance": float})
    frame = frame[frame["relevance"] >= GENOME_RELEVANCE]
    unknown = frame.loc[~frame["tagId"].isin(names.index), "tagId"]
    if len(unknown):
        raise InputError(
            f"{tags.where} has no tag {unknown.iloc[0]}, which {scores.where} has: get both from one release"
        )
    frame = frame.assign(item=frame["movieId"], tag=frame["tagId"].map(names))
    return _tuples(frame.sort_values(["relevance", "tag"], ascending=[False, True]), items)


def _tuples(frame: pd.DataFrame, items: pd.Index) -> list[tuple[str, ...]]:
    """The column `tag` of each item, in the order of the rows."""
    tags = frame.groupby("item")["tag"].agg(tuple).to_dict()
    return [tags.get(item, ()) for item in items]


def _dataset(
    name: str, interactions: pd.DataFrame, ratings: SourceFile, items: pd.DataFrame, movies: SourceFile
) -> Dataset:
    rated = pd.Index(interactions["item"].unique())
    absent = rated[~rated.isin(items.index)]
    if len(absent):
        raise InputError(
            f"{movies.where} has no movie {absent[0]}, which {ratings.where} has: get both files of one release"
        )
    return Dataset(name, interactions, items, attribute="genres")
