"""Columns from the public tables of TMDB for a MovieLens dataset: people, companies, countries and languages of films.

The tables are movies_metadata.csv and credits.csv of 'The Movies Dataset'
(https://www.kaggle.com/datasets/rounakbanik/the-movies-dataset); a release of MovieLens says in links.csv which
film is which. Their cells hold Python literals. Some rows are damaged: cells are missing or in the wrong column, or a
film has two rows. The first row of a film is used; unreadable rows are left out, and the log says how many.
"""

import ast
import dataclasses
import io
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from recmodels.datasets import reading
from recmodels.datasets.source_files import SourceFile, read_file
from recmodels.errors import InputError, one_line
from recmodels.interactions import Dataset
from recmodels.paths import as_path
from recmodels.progress import tqdm

ACTORS = 10
"""Names of the cast that are taken, in the order of billing."""
OF_EVERY_FILM = ("language", "actors", "directors", "companies", "countries")
"""Columns in which every film has a value, whether TMDB knows it or not; not every film is in a collection."""
FILM_COLUMNS = (
    "id", "original_language", "belongs_to_collection", "production_companies", "production_countries", "title"
)  # fmt: skip
CREDIT_COLUMNS = ("id", "cast", "crew")
# The values of a film without a row in a table.
NO_FILM: dict[str, Any] = {"language": None, "companies": (), "countries": (), "collection": None}
LIKE = 0.5  # share of films whose titles must share a word with TMDB's, or the links are of other films
SMALL_WORDS = frozenset({"a", "an", "and", "das", "der", "die", "el", "il", "in", "la", "le", "les", "of", "the"})
NO_CREDITS: dict[str, Any] = {"actors": (), "directors": ()}
# Errors that a damaged cell raises when it is read as a list of people or firms.
DAMAGE = (ValueError, SyntaxError, TypeError, KeyError, AttributeError, RecursionError, MemoryError)

YEAR = re.compile(r"\(\d{4}\)\s*$")

log = logging.getLogger(__name__)


def with_tmdb(dataset: Dataset, tables: str | Path, links: str | Path | None = None) -> Dataset:
    """The dataset with six more item columns, those of films that TMDB lacks being empty.

    `language` (a code such as "en") and `collection` (the series a film belongs to) are text or None; `actors`
    (the `ACTORS` billed first), `directors`, `companies` and `countries` are tuples of names, in TMDB's order.

    Args:
        dataset: MovieLens. A film has one number in all releases, except in 100K: of the numbers that
            1M shares with `ml-latest-small` of 2018, 99.9% have titles that share a word; of those of 100K, 0.6%.
        tables: a folder or archive with movies_metadata.csv and credits.csv.
        links: a links.csv of any release, or a folder or archive with one; the one beside the tables when absent.

    Raises:
        InputError: a file or column is missing, no film of the dataset is in the tables, or their titles differ.
    """
    if dataset.name == "ml-100k":
        raise InputError("ml-100k numbers its films in its own way, so links.csv is of others: take ml-1m or later")
    tables = as_path(tables)
    films = _tmdb_ids(_links_file(tables if links is None else as_path(links)))
    ids = [films.get(item) for item in dataset.items.index]
    film_ids = {film for film in ids if film is not None}
    film_rows = _rows_by_film(read_file(tables, "movies_metadata.csv"), FILM_COLUMNS, film_ids, _film)
    credit_rows = _rows_by_film(read_file(tables, "credits.csv"), CREDIT_COLUMNS, film_ids, _credits)
    n_films = sum(film in film_rows for film in ids)
    if not n_films:
        raise InputError(f"no item of {dataset.name} is a film of {tables}: pass links.csv of the dataset's release")
    _check_titles(dataset, [film_rows.get(film, {}) for film in ids])
    log.info("%s: TMDB describes %d of %d items", dataset.name, n_films, len(ids))
    rows = [film_rows.get(film, NO_FILM) | credit_rows.get(film, NO_CREDITS) for film in ids]
    names = (*NO_FILM, *NO_CREDITS)
    columns = {name: pd.Series([film[name] for film in rows], dataset.items.index, dtype=object) for name in names}
    return dataclasses.replace(dataset, items=dataset.items.assign(**columns))


def _check_titles(dataset: Dataset, films: list[dict[str, Any]]) -> None:
    """Refuse links by which the items are other films than those of TMDB.

    Raises:
        InputError: fewer than `LIKE` of the items share a word of their title with their film.
    """
    pairs = [
        (_words(title), _words(film["title"]))
        for title, film in zip(dataset.items["title"], films, strict=True)
        if film
    ]
    alike = [bool(ours & theirs) for ours, theirs in pairs if ours and theirs]
    if alike and sum(alike) < LIKE * len(alike):
        raise InputError(
            f"by these links, {len(alike) - sum(alike)} of {len(alike)} items of {dataset.name} have other titles than "
            f"TMDB's films: pass a links.csv in which the items have the same numbers"
        )


def _words(title: str) -> set[str]:
    return set(re.findall(r"\w+", YEAR.sub("", title).casefold())) - SMALL_WORDS


def _links_file(source: Path) -> SourceFile:
    return read_file(source.parent, source.name) if source.suffix == ".csv" else read_file(source, "links.csv")


def _tmdb_ids(file: SourceFile) -> dict[int, int]:
    """TMDB's id by MovieLens' id; a film without the former is left out."""
    return {
        reading.integer(fields["movieId"], file, row, "movieId"): reading.integer(fields["tmdbId"], file, row, "tmdbId")
        for row, fields in reading.csv_rows(file, ["movieId", "tmdbId"])
        if fields["tmdbId"].strip()
    }


def _rows_by_film(
    file: SourceFile, columns: tuple[str, ...], film_ids: set[int], parse: Callable[[dict[str, str]], dict[str, Any]]
) -> dict[int | None, dict[str, Any]]:
    """The rows of these films in a table, by id."""
    frame = _cells(file, columns)
    numbered = frame["id"].str.fullmatch("[0-9]{1,18}")
    frame = frame[numbered].astype({"id": int})
    repeated = frame["id"].duplicated()
    frame = frame[~repeated & frame["id"].isin(film_ids)]
    rows: dict[int | None, dict[str, Any]] = {}
    cells = frame.to_dict("records")
    for row in tqdm(cells, desc=one_line(file.where), unit=" films", delay=1):
        try:
            rows[row["id"]] = parse(row)
        except DAMAGE:
            log.debug("%s: the row of film %d is damaged", file.where, row["id"])
    damaged = (~numbered).sum() + len(cells) - len(rows)
    log.info("%s: left out %d damaged rows and %d repeated films", file.where, damaged, repeated.sum())
    if cells and not rows:
        raise InputError(f"{file.where} has no row in its official format: get it again")
    return rows


def _cells(file: SourceFile, columns: tuple[str, ...]) -> pd.DataFrame:
    """Columns of a table as text; rows that are too short end in empty cells."""
    try:
        frame = pd.read_csv(
            io.BytesIO(file.table), usecols=lambda name: name in columns, dtype=str, keep_default_na=False
        )
    except UnicodeDecodeError:
        lines = enumerate(io.BytesIO(file.table), 1)
        row = next((row for row, line in lines if not reading.is_utf8(line)), 1)
        raise InputError(f"{file.where}, row {row} is not in utf-8: get the official file") from None
    except (ValueError, OverflowError) as error:
        raise InputError(f"{file.where} cannot be read ({' '.join(str(error).split())}): get it again") from None
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise InputError(f"{file.where} names no column {absent[0]!r}: get the official file")
    return frame


def _film(row: dict[str, str]) -> dict[str, Any]:
    collection = _entries(f"[{row['belongs_to_collection']}]")
    return {
        "language": row["original_language"].strip() or None,
        "companies": _names(_entries(row["production_companies"])),
        "countries": _names(_entries(row["production_countries"])),
        "collection": next(iter(_names(collection)), None),
        "title": row["title"],
    }


def _credits(row: dict[str, str]) -> dict[str, Any]:
    cast = sorted(_entries(row["cast"]), key=lambda person: person["order"])
    directors = [person for person in _entries(row["crew"]) if person["job"] == "Director"]
    return {"actors": _names(cast)[:ACTORS], "directors": _names(directors)}


def _entries(cell: str) -> list[dict[str, Any]]:
    entries = ast.literal_eval(cell) if cell.strip() else []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("not a list of entries")
    return entries


def _names(entries: list[dict[str, Any]]) -> tuple[str, ...]:
    names = dict.fromkeys(name for entry in entries if (name := entry["name"].strip()))
    "".join(names).encode()  # half a character, which an escape can hold, is damage
    return tuple(names)
