import logging
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from recmodels import datasets
from recmodels.datasets.tmdb import with_tmdb
from recmodels.errors import InputError
from recmodels.interactions import Dataset

ROOT = Path(__file__).parents[2]

# The official columns, in their order.
HEAD = (
    "adult,belongs_to_collection,budget,genres,homepage,id,imdb_id,original_language,original_title,overview,"
    "popularity,poster_path,production_companies,production_countries,release_date,revenue,runtime,"
    "spoken_languages,status,tagline,title,video,vote_average,vote_count\n"
)
TOY_STORY = (
    "False,\"{'id': 10194, 'name': 'Toy Story Collection', 'poster_path': '/7G9.jpg', 'backdrop_path': None}\","
    "30000000,\"[{'id': 16, 'name': 'Animation'}]\",http://toystory.disney.com/toy-story,862,tt0114709,en,Toy Story,"
    '"Led by Woody, Andy\'s toys live happily.\nUntil ""Buzz"" arrives.",21.946943,/rhI.jpg,'
    "\"[{'name': 'Pixar Animation Studios', 'id': 3}, {'name': 'Walt Disney, Inc.', 'id': 2}]\","
    "\"[{'iso_3166_1': 'US', 'name': 'United States of America'}]\",1995-10-30,373554033,81.0,"
    "\"[{'iso_639_1': 'en', 'name': 'English'}]\",Released,,Toy Story,False,7.7,5415\n"
)
DELICATESSEN = (
    'False,,0,[],,892,tt0101700,fr,Delicatessen,"L\'été.",8.0,/a.jpg,'
    "\"[{'name': \"\"Constellation d'Été\"\", 'id': 591}]\",\"[{'iso_3166_1': 'FR', 'name': 'France'}, "
    "{'iso_3166_1': 'BE', 'name': 'Belgium'}]\",1991-04-17,0,99.0,[],Released,,Delicatessen,False,7.1,390\n"
)
BARE = "False,,0,[],,31174,tt0114279,,Bare,,0.1,,[],[],,0,,[],Released,,Bare,False,0.0,0\n"
# As the three known ones: an overview with a line break, and the rest of the row by itself.
BROKEN = (
    "False,,0,[],,82663,tt0113002,en,Midnight Man,British soldiers chase the man.\n"
    " - Written by Ørnås,0.065736,/ff9.jpg,\"[{'name': 'Carousel Productions', 'id': 11176}]\","
    "\"[{'iso_3166_1': 'CA', 'name': 'Canada'}]\",1997-08-20,0,104.0,[],Released,,Midnight Man,False,6.0,1\n"
)
SECOND_TOY_STORY = TOY_STORY.replace(",en,", ",de,")
NO_LIST = BARE.replace("31174,tt0114279", "5,tt0113101").replace(",[],[],,0", ",False,[],,0")


def person(name, order):
    return {"cast_id": order, "character": 'A "B" o\'C', "credit_id": "52fe", "id": 31, "name": name, "order": order}


def member(name, job):
    return {"credit_id": "52fe", "department": "Directing", "gender": 2, "id": 7879, "job": job, "name": name}


# Twelve parts, not in order; the third and the sixth are one person's.
CAST = [person(f"Actor {order}", order) for order in (11, 0, 3, 1, 10, 4, 2, 7, 6, 9, 8)] + [person("Actor 2", 5)]
CREDITS = pd.DataFrame(
    [
        (CAST, [member("Éric Rohmer", "Screenplay"), member("John Lasseter", "Director")], 862),
        (
            [person("Dominique Pinon", 0)],
            [member("Jean-Pierre Jeunet", "Director"), member("Marc Caro", "Director")],
            892,
        ),
        ([], [], 31174),
        ([person("Somebody Else", 0)], [], 862),
        ("[{'name': 'cut sh", [], 82663),
    ],
    columns=["cast", "crew", "id"],
)
LINKS = (
    "movieId,imdbId,tmdbId\n1,0114709,862\n6,0101700,892\n41,0114279,31174\n72,0113002,82663\n8,0112302,\n9,0113101,5\n"
)
ITEMS = [6, 1, 41, 72, 8, 9, 1000]
TITLES = [
    "Delicatessen (1991)",
    "Toy Story (1995)",
    "Bare, The (1993)",
    "Midnight Man (1997)",
    "A",
    "B",
    "Other (1999)",
]


@pytest.fixture
def tables(tmp_path):
    folder = tmp_path / "tmdb"
    folder.mkdir()
    rows = (HEAD, TOY_STORY, BROKEN, DELICATESSEN, BARE, SECOND_TOY_STORY, NO_LIST)
    (folder / "movies_metadata.csv").write_bytes("".join(rows).encode())
    CREDITS.to_csv(folder / "credits.csv", index=False)
    (folder / "links.csv").write_text(LINKS)
    return folder


def dataset(name="ml-25m"):
    rows = pd.DataFrame({"user": [1, 1], "item": [1, 6], "time": [1, 2]})
    items = pd.DataFrame({"title": TITLES, "genres": [("Drama",)] * len(ITEMS)}, index=ITEMS)
    return Dataset(name, rows, items, "genres")


EXPECTED = pd.DataFrame(
    {
        "language": ["fr", "en", None, "en", None, None, None],
        "companies": [("Constellation d'Été",), ("Pixar Animation Studios", "Walt Disney, Inc."), (), (), (), (), ()],
        "countries": [("France", "Belgium"), ("United States of America",), (), (), (), (), ()],
        "collection": [None, "Toy Story Collection", None, None, None, None, None],
        "actors": [
            ("Dominique Pinon",),
            tuple(f"Actor {order}" for order in (0, 1, 2, 3, 4, 6, 7, 8, 9, 10)),
            (), (), (), (), (),
        ],
        "directors": [("Jean-Pierre Jeunet", "Marc Caro"), ("John Lasseter",), (), (), (), (), ()],
    },
    index=pd.Index(ITEMS, name="item"),
)  # fmt: skip


def test_columns_of_tmdb(tables, caplog):
    caplog.set_level(logging.INFO, "recmodels.datasets.tmdb")
    before = dataset()
    after = with_tmdb(before, tables)
    pd.testing.assert_frame_equal(after.items[before.items.columns], before.items)
    pd.testing.assert_frame_equal(after.items[EXPECTED.columns], EXPECTED)
    pd.testing.assert_frame_equal(after.interactions, before.interactions)
    assert (after.name, after.attribute) == ("ml-25m", "genres")
    # Of the films' table: the end of a broken row, and a row without a list of companies.
    for part in (
        "movies_metadata.csv: left out 2 damaged rows and 1 repeated films",
        "credits.csv: left out 1 damaged rows and 1 repeated films",
        "TMDB describes 4 of 7 items",
    ):
        assert part in caplog.text


def test_archives_and_paths_of_links(tmp_path, tables):
    expected = with_tmdb(dataset(), tables).fingerprint
    archive = shutil.make_archive(str(tmp_path / "tmdb"), "zip", tables)
    assert with_tmdb(dataset(), archive).fingerprint == expected
    release = tmp_path / "ml-25m"
    release.mkdir()
    shutil.move(tables / "links.csv", release / "links.csv")
    for links in (release, release / "links.csv", str(release), archive):
        assert with_tmdb(dataset(), str(tables), links).fingerprint == expected
    with pytest.raises(InputError, match=r"tmdb has no file links\.csv"):
        with_tmdb(dataset(), tables)


@pytest.mark.parametrize("file", ["movies_metadata.csv", "credits.csv"])
def test_missing_tables_are_named(tables, file):
    (tables / file).unlink()
    with pytest.raises(InputError, match=f"tmdb has no file {file}"):
        with_tmdb(dataset(), tables)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("movies_metadata.csv", b"original_language", b"language", " names no column 'original_language'"),
        ("credits.csv", b"crew,id", b"people,id", " names no column 'crew'"),
        ("movies_metadata.csv", "Été".encode(), "Été".encode("latin-1"), ", row 6 is not in utf-8"),
        ("credits.csv", "Éric".encode(), "Éric".encode("latin-1"), ", row 2 is not in utf-8"),
        ("links.csv", b"tmdbId", b"id", ", row 1 names no column 'tmdbId' (it names movieId, imdbId, id)"),
        ("links.csv", b",892", b",tt892", ", row 3, column 'tmdbId' is 'tt892', not a whole number"),
        ("links.csv", b"6,0101700,892", b"6,0101700", ", row 3 has 2 columns"),
    ],
)
def test_faults_are_placed(tables, file, old, new, message):
    content = (tables / file).read_bytes()
    assert content.count(old) == 1
    (tables / file).write_bytes(content.replace(old, new))
    with pytest.raises(InputError) as caught:
        with_tmdb(dataset(), tables)
    assert f"tmdb/{file}{message}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", 'cast,crew,id\n"[]'])
def test_a_table_that_is_no_table_is_refused(tables, content):
    (tables / "credits.csv").write_text(content)
    with pytest.raises(InputError, match=r"tmdb/credits\.csv cannot be read \([^\n]*\): get it again"):
        with_tmdb(dataset(), tables)


def test_a_table_of_damaged_rows_only_is_refused(tables):
    (tables / "credits.csv").write_text("cast,crew,id\nTom Hanks,John Lasseter,862\n")
    with pytest.raises(InputError, match=r"credits\.csv has no row in its official format"):
        with_tmdb(dataset(), tables)


def test_films_of_another_numbering_are_refused(tables):
    with pytest.raises(InputError, match="ml-100k numbers its films in its own way"):
        with_tmdb(dataset("ml-100k"), tables)
    (tables / "links.csv").write_text("movieId,imdbId,tmdbId\n2,0113497,862\n")
    with pytest.raises(InputError, match="no item of ml-25m is a film of"):
        with_tmdb(dataset(), tables)


def test_links_to_other_films_are_refused(tables):
    """One of three films has another title, which may be another spelling. Two are too many."""
    films = dataset()
    twisted = films.items.assign(title=["Delicatessen", "Matrix, The (1999)", "Bare", "A", "B", "C", "D"])
    with_tmdb(Dataset("mine", films.interactions, twisted, "genres"), tables)
    twisted.loc[41, "title"] = "Heat (1995)"
    with pytest.raises(InputError, match="by these links, 2 of 3 items of mine have other titles than TMDB's films"):
        with_tmdb(Dataset("mine", films.interactions, twisted, "genres"), tables)


def test_cells_are_not_run(tables, tmp_path):
    trace = tmp_path / "run"
    (tables / "credits.csv").write_text(f"cast,crew,id\n[],\"open('{trace}', 'w')\",862\n[],[],892\n")
    assert with_tmdb(dataset(), tables).items["directors"].tolist() == [()] * len(ITEMS)
    assert not trace.exists()


def test_a_real_release_joins(tables):
    folder = Path(os.environ.get("INTERP_DATA", ROOT / "../shared/data")) / "ml-latest-small"
    if not folder.is_dir():
        pytest.skip(f"no {folder}: set INTERP_DATA to a folder that has it")
    items = with_tmdb(datasets.load("ml-latest-small", folder), tables, folder).items
    assert items.loc[1, ["title", "collection", "language"]].tolist() == [
        "Toy Story (1995)",
        "Toy Story Collection",
        "en",
    ]
    assert items["language"].dropna().to_dict() == {1: "en", 1175: "fr"}


def test_films_have_the_same_numbers_in_all_releases_but_100k():
    """By the titles of MovieLens-1M; those of 100K under another name are refused."""
    data = Path(os.environ.get("INTERP_DATA", ROOT / "../shared/data"))
    if not (data / "ml-1m").is_dir() or not (data / "tmdb").is_dir():
        pytest.skip(f"no ml-1m and tmdb in {data}: set INTERP_DATA to a folder that has them")
    links = data / "ml-latest-small-2018" / "links.csv"
    items = with_tmdb(datasets.load("ml-1m", data / "ml-1m"), data / "tmdb", links).items
    assert items.at[1, "directors"] == ("John Lasseter",)
    assert items.at[1240, "title"] == "Terminator, The (1984)"
    assert items.at[1240, "directors"] == ("James Cameron",)
    shifted = items.assign(title=items["title"].shift(1, fill_value="Nothing"))
    with pytest.raises(InputError, match="items of ml-1m have other titles"):
        with_tmdb(
            Dataset("ml-1m", datasets.load("ml-1m", data / "ml-1m").interactions, shifted, "genres"),
            data / "tmdb",
            links,
        )
