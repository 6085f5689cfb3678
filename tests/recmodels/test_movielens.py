"""MovieLens-10M and the CSV releases; 100K and 1M are in test_datasets.py."""

import csv
import functools
import hashlib
import http.server
import io
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recmodels import datasets
from recmodels.datasets import movielens, reading
from recmodels.datasets.files import SourceFile
from recmodels.errors import InputError

ROOT = Path(__file__).parents[2]
CSV_NAMES = ("ml-20m", "ml-25m", "ml-32m", "ml-latest-small")

CSV_FILES = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n1,11,4.0,1112484676\n7,5,0.5,1112484819\n",
    "movies.csv": (
        "movieId,title,genres\n"
        "2,Jumanji (1995),Adventure|Children|Fantasy\n"
        '11,"American President, The (1995)",Comedy|Drama|Romance\n'
        '5,"Misérables, Les (""The Poor"") (1995) ",Drama\n'
        "40,Hyena Road,(no genres listed)\n"
        '8,"Fawlty  Towers (1975-1979)",Comedy\n'
        '9,"Big Bang Theory, The (2007-)",Comedy\n'
        "3,Class of (1999) (1990),Horror|Sci-Fi\n"
    ),
    "tags.csv": (
        "userId,movieId,tag,timestamp\n"
        "1,2,Robin Williams,1137206825\n"
        "7,2, robin williams ,1137206826\n"
        "7,2,robin WILLIAMS,1137206827\n"  # of a user who gave it before
        "1,2,time travel,1137206825\n"  # of one user
        '1,2,"based on a book, loosely",1137206825\n'
        '7,2,"Based on a book, loosely",1137206825\n'
        '9,2,"Based on a book, loosely",1137206825\n'
        "1,5,café,1137206825\n"
        "9,5,CAFÉ,1137206825\n"
        "1,5,,1137206825\n"
        "9,5, ,1137206825\n"
        "1,999,of no film here,1137206825\n"
        "9,999,of no film here,1137206825\n"
    ),
    "links.csv": "movieId,imdbId,tmdbId\n2,0113497,8844\n",
}
GENOME = {
    "genome-scores.csv": (
        "movieId,tagId,relevance\n2,1,0.8\n2,2,0.79999\n2,3,0.95\n5,1,0.025\n5,2,1\n5,3,0.2250\n999,1,0.9\n"
    ),
    "genome-tags.csv": "tagId,tag\n1,007\n2,cute!\n3,jungle\n",
}
TITLES = [
    "Jumanji (1995)",
    "American President, The (1995)",
    'Misérables, Les ("The Poor") (1995)',
    "Hyena Road",
    "Fawlty Towers (1975-1979)",
    "Big Bang Theory, The (2007-)",
    "Class of (1999) (1990)",
]
ITEMS = pd.DataFrame(
    {
        "title": TITLES,
        "genres": [
            ("Adventure", "Children", "Fantasy"),
            ("Comedy", "Drama", "Romance"),
            ("Drama",),
            (),
            ("Comedy",),
            ("Comedy",),
            ("Horror", "Sci-Fi"),
        ],
        "year": pd.array([1995, 1995, 1995, None, 1975, 2007, 1990], dtype="Int64"),
        "tags": [("based on a book, loosely", "robin williams"), (), ("café",), (), (), (), ()],
    },
    index=pd.Index([2, 11, 5, 40, 8, 9, 3], name="item"),
)
DAT_FILES = {
    "ratings.dat": "1::122::5::838985046\n1::185::4.5::838983525\n34::122::0.5::838984474\n",
    "movies.dat": (
        "122::Boomerang (1992)::Comedy|Romance\n"
        "185::Net, The (1995)::Action|Crime|Thriller\n"
        "73::Misérables, Les (1995)::Drama|Musical\n"
        "8606::Pull My Daisy (1958)::(no genres listed)\n"
    ),
    "tags.dat": (
        "15::185::Sandra Bullock::1215184630\n"
        "20::185::sandra bullock::1188263867\n"
        '20::73::"musical::1188263835\n'
        '21::73::"Musical::1188263836\n'
        "20::122::more::than one::1188263756\n"
        "21::122::more::than one::1188263757\n"
    ),
}


def write(folder, files, encoding="utf-8"):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode(encoding))
    return folder


def edit(path, old, new):
    """Replace bytes; `new` as latin-1, so that it can be wrong UTF-8."""
    content = path.read_bytes()
    assert content.count(old.encode()) == 1
    path.write_bytes(content.replace(old.encode(), new.encode("latin-1")))


def fault(name, folder):
    with pytest.raises(InputError) as caught:
        datasets.load(name, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def small(tmp_path):
    return write(tmp_path / "ml-latest-small", CSV_FILES)


@pytest.fixture
def ml_10m(tmp_path):
    return write(tmp_path / "ml-10M100K", DAT_FILES)


@pytest.fixture
def data():
    folder = Path(os.environ.get("INTERP_DATA", ROOT / "../shared/data"))
    if not (folder / "ml-latest-small").is_dir():
        pytest.skip(f"no ml-latest-small in {folder}: set INTERP_DATA to a folder that has it")
    return folder


@pytest.mark.parametrize("name", CSV_NAMES)
def test_csv_releases(tmp_path, name):
    dataset = datasets.load(name, write(tmp_path / name, CSV_FILES))
    pd.testing.assert_frame_equal(dataset.items, ITEMS)
    assert dataset.interactions.to_numpy().tolist() == [[1, 2, 1112486027], [1, 11, 1112484676], [7, 5, 1112484819]]
    assert (dataset.name, dataset.attribute) == (name, "genres")
    assert datasets.load(name, tmp_path).fingerprint == dataset.fingerprint
    archive = shutil.make_archive(str(tmp_path / "copy"), "zip", tmp_path, name)
    assert datasets.load(name, archive).fingerprint == dataset.fingerprint


@pytest.mark.parametrize("name", ["ml-20m", "ml-25m"])
def test_the_genome_gives_the_most_relevant_tags_first(tmp_path, name):
    dataset = datasets.load(name, write(tmp_path, CSV_FILES | GENOME))
    expected = ITEMS.assign(genome=[("jungle", "007"), (), ("cute!",), (), (), (), ()])
    pd.testing.assert_frame_equal(dataset.items, expected)


def test_tags_may_be_absent(small):
    (small / "tags.csv").unlink()
    assert datasets.load("ml-latest-small", small).items.columns.tolist() == ["title", "genres", "year"]


def test_ml_10m(tmp_path, ml_10m):
    dataset = datasets.load("ml-10m", ml_10m)
    items = pd.DataFrame(
        {
            "title": ["Boomerang (1992)", "Net, The (1995)", "Misérables, Les (1995)", "Pull My Daisy (1958)"],
            "genres": [("Comedy", "Romance"), ("Action", "Crime", "Thriller"), ("Drama", "Musical"), ()],
            "year": pd.array([1992, 1995, 1995, 1958], dtype="Int64"),
            "tags": [("more::than one",), ("sandra bullock",), ('"musical',), ()],
        },
        index=pd.Index([122, 185, 73, 8606], name="item"),
    )
    pd.testing.assert_frame_equal(dataset.items, items)
    assert dataset.interactions.to_numpy().tolist() == [[1, 122, 838985046], [1, 185, 838983525], [34, 122, 838984474]]
    assert datasets.load("ml-10m", tmp_path).fingerprint == dataset.fingerprint
    archive = shutil.make_archive(str(tmp_path / "ml-10m"), "zip", tmp_path, "ml-10M100K")
    assert datasets.load("ml-10m", archive).fingerprint == dataset.fingerprint


@pytest.mark.parametrize("name", ["ml-10m", "ml-latest-small"])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.removesuffix("\n"),
    ],
    ids=["CRLF", "BOM", "blank lines", "no last line end"],
)
def test_other_line_ends_and_marks_are_read(tmp_path, name, change):
    files = DAT_FILES if name == "ml-10m" else CSV_FILES | GENOME
    expected = datasets.load(name, write(tmp_path / "plain", files)).fingerprint
    changed = write(tmp_path / "changed", {file: change(text) for file, text in files.items()})
    assert datasets.load(name, changed).fingerprint == expected


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("ratings.csv", ",timestamp", ",time", "row 1 names no column 'timestamp' (it names userId, movieId,"),
        ("ratings.csv", "1,11,", "1,abc,", "row 3, column 'movieId' is 'abc', not a whole number"),
        ("ratings.csv", "1112484676", "", "row 3, column 'timestamp' is '', not a whole number"),
        ("ratings.csv", "1112484676", "9.5", "row 3, column 'timestamp' is '9.5', not a whole number"),
        ("ratings.csv", "1112484676", "9" * 20, f"row 3, column 'timestamp' is '{'9' * 20}', not a whole number"),
        ("ratings.csv", ",1112484676", "", "row 3 has 3 columns split by ',', not 4 (userId, movieId, rating,"),
        ("ratings.csv", "1112484819\n", "1112484819\n7,5\n", "row 5 has 2 columns"),
        ("ratings.csv", "1112484676", "1112484676,1", "row 3 has 5 columns"),
        ("ratings.csv", "1,11,", "1,1\xe91,", "row 3, column 'movieId' is not in utf-8"),
        ("movies.csv", ",genres", "", "row 1 names no column 'genres' (it names movieId, title)"),
        ("movies.csv", "\n40,", "\nx40,", "row 5, column 'movieId' is 'x40', not a whole number"),
        ("movies.csv", "\n40,", "\n2,", "row 5 has the movie id 2 of row 2"),
        ("movies.csv", "Misé", "Mis\xe9", "row 4, column 'title' is not in utf-8"),
        ("movies.csv", ",Horror|Sci-Fi", "", "row 8 has 2 columns split by ',', not 3"),
        ("movies.csv", 'The (1995)"', "The (1995)", "row 3 has 4 columns"),
        ("movies.csv", "Class of (1999) (1990),Horror|Sci-Fi", '"Class of', "row 8 has 2 columns"),
        ("tags.csv", ",tag,", ",label,", "row 1 names no column 'tag'"),
        ("tags.csv", "1,2,time travel", "one,2,time travel", "row 5, column 'userId' is 'one', not a whole number"),
        ("tags.csv", "café", "caf\xe9", "row 9, column 'tag' is not in utf-8"),
        ("genome-scores.csv", "0.79999", "high", "row 3, column 'relevance' is 'high', not a number"),
        ("genome-scores.csv", "0.79999", "", "row 3, column 'relevance' is '', not a number"),
    ],
)  # fmt: skip
def test_faults_in_csv_files_are_placed(small, file, old, new, message):
    write(small, GENOME)
    edit(small / file, old, new)
    assert f"ml-latest-small/{file}, {message}" in fault("ml-latest-small", small)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("ratings.dat", "::838983525", "", "row 2 has 3 columns split by '::', not 4"),
        ("ratings.dat", "1::185", "1::abc", "row 2, column 'movie id' is 'abc', not a whole number"),
        ("ratings.dat", "838983525", "", "row 2, column 'timestamp' is '', not a whole number"),
        ("movies.dat", "Misé", "Mis\xe9", "row 3, column 'title' is not in utf-8"),
        ("movies.dat", "73::", "122::", "row 3 has the movie id 122 of row 1"),
        ("tags.dat", "15::185", "x::185", "row 1, column 'user id' is 'x', not a whole number"),
        ("tags.dat", "::1215184630", "", "row 1 has 3 columns split by '::', not 4"),
    ],
)
def test_faults_in_ml_10m_are_placed(ml_10m, file, old, new, message):
    edit(ml_10m / file, old, new)
    assert f"ml-10M100K/{file}, {message}" in fault("ml-10m", ml_10m)


def test_a_rated_film_must_be_in_the_table_of_films(small, ml_10m):
    edit(small / "movies.csv", "\n5,", "\n6,")
    message = fault("ml-latest-small", small)
    assert "ml-latest-small/movies.csv has no movie 5, which" in message
    assert "ml-latest-small/ratings.csv has: get both files of one release" in message
    edit(ml_10m / "movies.dat", "185::", "186::")
    assert "ml-10M100K/movies.dat has no movie 185, which" in fault("ml-10m", ml_10m)


def test_a_scored_tag_must_have_a_name(small):
    write(small, GENOME)
    edit(small / "genome-tags.csv", "3,jungle", "4,jungle")
    assert "ml-latest-small/genome-tags.csv has no tag 3, which" in fault("ml-latest-small", small)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", " is empty"),
        ("\n\n", " is empty"),
        ("1,2,3.5,1112486027\n", ", row 1 names no column 'userId' (it names 1, 2, 3.5, 1112486027)"),
        ("userId,movieId,rating,timestamp\n", " has no rows below its header"),
    ],
)
def test_an_empty_csv_is_refused(small, content, message):
    (small / "ratings.csv").write_text(content)
    assert f"ml-latest-small/ratings.csv{message}" in fault("ml-latest-small", small)


@pytest.mark.parametrize("file", ["ratings.csv", "movies.csv", "genome-tags.csv"])
def test_missing_csv_files_are_named(small, file):
    write(small, GENOME)
    (small / file).unlink()
    assert f"has no file {file}" in fault("ml-latest-small", small)


def test_ml_1m_is_not_taken_for_ml_10m(ml_10m):
    assert "movies.dat, row 3, column 'title' is not in latin-1" in fault("ml-1m", ml_10m)


def test_the_fast_and_the_slow_reader_agree():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("aé\",;\n\r' |"), size=size)) for size in rng.integers(0, 12, 500)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "unused", "word", "score"])
    writer.writerows((number, "x", word, number / 7) for number, word in enumerate(words))
    file = SourceFile("words.csv", text.getvalue().encode())
    fast = reading.csv_columns(file, {"id": int, "word": str, "score": float})
    slow = [fields for _, fields in reading.csv_rows(file, ["id", "word"])]
    assert fast["word"].tolist() == [fields["word"] for fields in slow] == words
    assert fast["id"].tolist() == [int(fields["id"]) for fields in slow]
    assert fast["score"].tolist() == [number / 7 for number in range(500)]


def test_rows_are_those_of_an_editor():
    file = SourceFile("here", b'\na,b\n1,"two\nlines"\n\n2,x\n')
    assert [(row, fields["a"]) for row, fields in reading.csv_rows(file, ["a"])] == [(3, "1"), (6, "2")]


def test_a_table_longer_than_a_block(monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 256)
    lines = [f'{number},"a, {number}"\n' for number in range(1000)]
    columns = {"id": int, "text": str}
    frame = reading.csv_columns(SourceFile("long.csv", "".join(["id,text\n", *lines]).encode()), columns)
    assert frame["id"].tolist() == list(range(1000))
    assert frame["text"].tolist() == [f"a, {number}" for number in range(1000)]
    lines[900] = "x,y\n"
    with pytest.raises(InputError, match=r"long\.csv, row 902, column 'id' is 'x'"):
        reading.csv_columns(SourceFile("long.csv", "".join(["id,text\n", *lines]).encode()), columns)


@pytest.mark.parametrize("name", ["ml-10m", *CSV_NAMES])
def test_without_a_copy_the_host_is_named(tmp_path, monkeypatch, name):
    monkeypatch.setattr(movielens, "URL", "http://127.0.0.1:1/{name}.zip")
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(InputError, match=rf"127\.0\.0\.1:1/{name}\.zip cannot be downloaded .* --data FOLDER"):
        datasets.load(name, cache=tmp_path / "cache")
    assert not [*tmp_path.rglob("*.zip*")]


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A folder whose files are downloaded instead of the official ones."""
    folder = tmp_path / "host"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(movielens, "URL", f"http://127.0.0.1:{server.server_port}/{{name}}.zip")
        monkeypatch.setenv("no_proxy", "*")
        yield folder
        server.shutdown()


@pytest.mark.parametrize("name", ["ml-20m", "ml-latest-small"])
def test_a_download_is_kept(tmp_path, monkeypatch, host, name):
    folder = write(tmp_path / name, CSV_FILES)
    archive = Path(shutil.make_archive(str(host / name), "zip", tmp_path, name))
    if name in movielens.CHECKSUMS:
        monkeypatch.setitem(movielens.CHECKSUMS, name, f"md5:{hashlib.md5(archive.read_bytes()).hexdigest()}")
    expected = datasets.load(name, folder).fingerprint
    assert datasets.load(name, cache=tmp_path / "cache").fingerprint == expected
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [f"{name}.zip"]
    archive.unlink()
    assert datasets.load(name, cache=tmp_path / "cache").fingerprint == expected


@pytest.mark.parametrize("name", ["ml-20m", "ml-latest-small"])
def test_half_a_download_is_not_kept(tmp_path, host, small, name):
    archive = Path(shutil.make_archive(str(host / name), "zip", small))
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(InputError, match=rf"{name}\.zip (cannot be downloaded|came altered)"):
        datasets.load(name, cache=tmp_path / "cache")
    assert not [*(tmp_path / "cache").glob("*")]


def test_ml_latest_small_on_the_real_files(data):
    dataset = datasets.load("ml-latest-small", data)
    rows, items = dataset.interactions, dataset.items
    # The counts of its README.txt.
    assert (len(rows), rows["user"].nunique(), len(items)) == (100_004, 671, 9125)
    assert rows["item"].nunique() == 9066
    assert rows.iloc[0].tolist() == [1, 31, 1260759144]
    assert items.loc[1].tolist() == [
        "Toy Story (1995)",
        ("Adventure", "Animation", "Children", "Comedy", "Fantasy"),
        1995,
        (),
    ]
    assert len({genre for genres in items["genres"] for genre in genres}) == 19
    assert (items["genres"].map(len) == 0).sum() == 18
    without_year = ["Hyena Road", "The Lovers and the Despot", "Stranger Things", "Women of '69, Unboxed"]
    assert items.loc[items["year"].isna(), "title"].tolist() == without_year
    assert items.loc[1089, "tags"] == ("organized crime", "quentin tarantino")
    # By the csv module and plain sets.
    givers: dict[tuple[int, str], set[str]] = {}
    with (data / "ml-latest-small" / "tags.csv").open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            givers.setdefault((int(row["movieId"]), row["tag"].strip().lower()), set()).add(row["userId"])
    shared = {key for key, users in givers.items() if len(users) >= 2}
    assert {(item, tag) for item, tags in items["tags"].items() for tag in tags} == shared
