import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from recmodels import datasets
from recmodels.datasets import movielens
from recmodels.datasets.download import DownloadError, from_wheel
from recmodels.errors import InputError

ROOT = Path(__file__).parents[2]

U_DATA = "196\t242\t3\t881250949\n186\t267\t3\t891717742\n196\t1412\t1\t878887116\n"
U_ITEM = (
    "242|Kolya (1996)|24-Jan-1997||http://us.imdb.com/M/title-exact?Kolya%20(1996)"
    "|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    "267|unknown||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    "543|Misérables, Les (1995)|01-Jan-1995||http://us.imdb.com/M"
    "|0|0|0|0|0|0|0|0|1|0|0|0|1|0|0|0|0|0|0\n"
    "1412|Land Before Time III: The Time of the Great Giving (1995) (V)|01-Jan-1995||http://us.imdb.com/M"
    "|0|0|0|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    "1635|Two Friends (1986) |26-Apr-1986||http://us.imdb.com/M"
    "|0|0|0|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0\n"
)
INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "196\t242\t3\t881250949\n186\t267\t3\t891717742\n196\t1412\t1\t878887116\n"
)
ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "242\tKolya\t1996\tComedy\n"
    "267\tunkonwn\tunkonwn\tunknown\n"
    "543\tMisérables, Les\t1995\tDrama Musical\n"
    "1412\tLand Before Time III: The Time of the Great Giving (1995)\tV\tAnimation Children's\n"
    "1635\tTwo Friends\t1986\tDrama\n"
)
RATINGS_DAT = "1::3186::4::978300019\n1::73::5::978300055\n2::12::3::978298413\n"
MOVIES_DAT = (
    "12::Dracula: Dead and Loving It (1995)::Comedy|Horror\n"
    "73::Misérables, Les (1995)::Drama|Musical\n"
    "3186::Girl, Interrupted (1999)::Drama\n"
)


def write(folder, encoding="latin-1", **files):
    """Files by name (a `__` for the dot), written without newline translation."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_bytes(text.encode(encoding))
    return folder


@pytest.fixture
def official(tmp_path):
    return write(tmp_path / "official", u__data=U_DATA, u__item=U_ITEM)


@pytest.fixture
def recbole(tmp_path):
    folder = write(tmp_path / "recbole", "utf-8", inter=INTER, item=ITEM)
    for kind in ("inter", "item"):
        (folder / kind).rename(folder / f"ml-100k.{kind}")
    return folder


@pytest.fixture
def ml_1m(tmp_path):
    return write(tmp_path / "ml-1m", ratings__dat=RATINGS_DAT, movies__dat=MOVIES_DAT)


@pytest.fixture(scope="module")
def wheel_cache(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    try:
        from_wheel(movielens.WHEEL, movielens.WHEEL_CHECKSUM, movielens.WHEEL_MEMBERS, cache)
    except DownloadError as error:
        pytest.skip(f"MovieLens-100K cannot be downloaded here: {error}")
    return cache


@pytest.fixture
def data():
    folder = Path(os.environ.get("INTERP_DATA", ROOT / "../shared/data"))
    if not (folder / "ml-1m").is_dir():
        pytest.skip(f"no ml-1m in {folder}: set INTERP_DATA to a folder that has it")
    return folder


def test_names():
    assert {*movielens.NAMES, "planted"} <= set(datasets.names())
    with pytest.raises(InputError, match=f"no dataset 'ml-2m': choose one of {', '.join(datasets.names())}"):
        datasets.load("ml-2m")
    with pytest.raises(InputError, match="planted is generated"):
        datasets.load("planted", "somewhere")


@pytest.mark.parametrize("source", ["official", "recbole"])
def test_ml_100k(source, request):
    dataset = datasets.load("ml-100k", request.getfixturevalue(source))
    assert dataset.interactions.to_numpy().tolist() == [
        [196, 242, 881250949],
        [186, 267, 891717742],
        [196, 1412, 878887116],
    ]
    items = pd.DataFrame(
        {
            "title": [
                "Kolya (1996)",
                "unknown",
                "Misérables, Les (1995)",
                "Land Before Time III: The Time of the Great Giving (1995) (V)",
                "Two Friends (1986)",
            ],
            "genres": [("Comedy",), (), ("Drama", "Musical"), ("Animation", "Children's"), ("Drama",)],
            "year": pd.array([1996, None, 1995, 1995, 1986], dtype="Int64"),
        },
        index=pd.Index([242, 267, 543, 1412, 1635], name="item"),
    )
    pd.testing.assert_frame_equal(dataset.items, items)
    assert (dataset.name, dataset.attribute) == ("ml-100k", "genres")


def test_both_sources_of_ml_100k_have_one_fingerprint(official, recbole):
    assert datasets.load("ml-100k", official).fingerprint == datasets.load("ml-100k", recbole).fingerprint


def test_ml_1m(ml_1m):
    dataset = datasets.load("ml-1m", str(ml_1m))
    assert dataset.interactions.to_numpy().tolist() == [
        [1, 3186, 978300019],
        [1, 73, 978300055],
        [2, 12, 978298413],
    ]
    assert dataset.items["title"].tolist() == [
        "Dracula: Dead and Loving It (1995)",
        "Misérables, Les (1995)",
        "Girl, Interrupted (1999)",
    ]
    assert dataset.items["genres"].tolist() == [("Comedy", "Horror"), ("Drama", "Musical"), ("Drama",)]
    assert dataset.items["year"].tolist() == [1995, 1995, 1999]
    assert dataset.items["year"].dtype == "Int64"


def test_the_year_is_the_last_one_in_the_title(ml_1m):
    with (ml_1m / "movies.dat").open("a") as handle:
        handle.write("5::Class of (1999) (1990)::Horror\n6::1984::Drama\n")
    assert datasets.load("ml-1m", ml_1m).items["year"].fillna(0).tolist() == [1995, 1995, 1999, 1990, 0]


def test_windows_line_ends_and_blank_lines_are_read(tmp_path, ml_1m):
    texts = [text.replace("\n", "\r\n") + "\r\n" for text in (RATINGS_DAT, MOVIES_DAT)]
    folder = write(tmp_path / "windows", ratings__dat=texts[0], movies__dat=texts[1])
    assert datasets.load("ml-1m", folder).fingerprint == datasets.load("ml-1m", ml_1m).fingerprint


def test_a_copy_may_be_an_archive_or_the_folder_above(tmp_path, ml_1m):
    expected = datasets.load("ml-1m", ml_1m).fingerprint
    assert datasets.load("ml-1m", tmp_path).fingerprint == expected
    shutil.make_archive(str(tmp_path / "ml-1m"), "zip", tmp_path, "ml-1m")
    assert datasets.load("ml-1m", tmp_path / "ml-1m.zip").fingerprint == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ratings.dat", "1::2::3\n", "row 4 has 3 columns split by '::', not 4 .user id, movie id"),
        ("ratings.dat", "1::2::3::4::5\n", "row 4 has 5 columns split by '::', not 4"),
        ("ratings.dat", "1,2,3,4\n", "row 4 has 1 columns split by '::', not 4"),
        ("ratings.dat", "1:7:2::3::4\n", "row 4 has 3 columns split by '::', not 4"),
        ("ratings.dat", "1::x::3::4\n", "row 4, column 'movie id' is 'x', not a whole number"),
        ("ratings.dat", "::2::3::4\n", "row 4, column 'user id' is '', not a whole number"),
        ("ratings.dat", "1::2::3::9.5\n", "row 4, column 'timestamp' is '9.5', not a whole number"),
        ("ratings.dat", "1::2::3::" + "9" * 20 + "\n", "row 4, column 'timestamp' is '9{20}', not a whole"),
        ("ratings.dat", "1::2::3::1_0\n", "row 4, column 'timestamp' is '1_0', not a whole number"),
        ("ratings.dat", "1::2\xe9::3::4\n", "row 4, column 'movie id' is not in utf-8"),
        ("movies.dat", "5::Five (1995)\n", "row 4 has 2 columns split by '::', not 3"),
        ("movies.dat", "x::Five (1995)::Drama\n", "row 4, column 'movie id' is 'x', not a whole number"),
        ("movies.dat", "5::Caf\xc3\xa9 (1995)::Drama\n", "row 4, column 'title' is not in latin-1"),
    ],
)
def test_faults_in_ml_1m_are_placed(ml_1m, name, text, message):
    with (ml_1m / name).open("ab") as handle:
        handle.write(text.encode("latin-1"))
    with pytest.raises(InputError, match=rf"ml-1m/{name}, {message}") as caught:
        datasets.load("ml-1m", ml_1m)
    assert "\n" not in str(caught.value)


def test_a_first_row_that_is_too_long_is_placed(ml_1m):
    text = RATINGS_DAT.replace("978300019", "978300019::9")
    (ml_1m / "ratings.dat").write_text(text)
    with pytest.raises(InputError, match="row 1 has 5 columns"):
        datasets.load("ml-1m", ml_1m)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_table_is_refused(ml_1m, content):
    (ml_1m / "ratings.dat").write_text(content)
    with pytest.raises(InputError, match=r"ratings\.dat has no rows"):
        datasets.load("ml-1m", ml_1m)


@pytest.mark.parametrize("name", ["ratings.dat", "movies.dat"])
def test_missing_files_of_ml_1m_are_named(ml_1m, name):
    (ml_1m / name).unlink()
    with pytest.raises(InputError, match=f"ml-1m has no file {name}"):
        datasets.load("ml-1m", ml_1m)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("u.data", "\t878887116", "", "row 3 has 3 columns split by '\\\\t', not 4"),
        ("u.data", "878887116", "late", "row 3, column 'timestamp' is 'late'"),
        ("u.item", "|0\n267", "\n267", "row 1 has 23 columns split by '|', not 24"),
        ("u.item", "267|unknown||||1", "267|unknown||||y", "row 2, column 'unknown' is 'y'"),
        ("u.item", "Misérables", "MisÃ©rables", "row 3, column 'title' is not in latin-1"),
    ],
)
def test_faults_in_the_official_ml_100k_are_placed(official, name, old, new, message):
    text = (official / name).read_text("latin-1")
    assert old in text
    (official / name).write_text(text.replace(old, new, 1), "latin-1")
    with pytest.raises(InputError) as caught:
        datasets.load("ml-100k", official)
    assert f"official/{name}, {message}".replace("\\\\", "\\") in str(caught.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "ml-100k.inter",
            "timestamp:",
            "time:",
            "row 1 names no column 'timestamp' (it names user_id, item_id",
        ),
        ("ml-100k.inter", "878887116", "late", "row 4, column 'timestamp' is 'late'"),
        ("ml-100k.item", "\tComedy", "", "row 2 has 3 columns"),
        ("ml-100k.item", "543", "five", "row 4, column 'item_id' is 'five'"),
    ],
)
def test_faults_in_the_recbole_files_are_placed(recbole, name, old, new, message):
    text = (recbole / name).read_text("utf-8")
    assert old in text
    (recbole / name).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError) as caught:
        datasets.load("ml-100k", recbole)
    assert f"recbole/{name}, {message}" in str(caught.value)


def test_recbole_files_in_latin_1_are_refused(recbole):
    (recbole / "ml-100k.item").write_text(ITEM, "latin-1")
    with pytest.raises(InputError, match="row 4, column 'movie_title' is not in utf-8"):
        datasets.load("ml-100k", recbole)


def test_columns_of_recbole_files_may_come_in_any_order(recbole):
    expected = datasets.load("ml-100k", recbole).fingerprint
    for name in ("ml-100k.inter", "ml-100k.item"):
        lines = (recbole / name).read_text("utf-8").splitlines()
        text = "".join("\t".join(line.split("\t")[::-1]) + "\n" for line in lines)
        (recbole / name).write_text(text, "utf-8")
    assert datasets.load("ml-100k", recbole).fingerprint == expected


def test_without_any_source_both_ways_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(movielens, "URL", "http://127.0.0.1:1/{name}.zip")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(InputError) as caught:
        datasets.load("ml-100k", cache=tmp_path / "cache")
    message = str(caught.value)
    assert "\n" not in message
    for part in ("127.0.0.1:1/ml-100k.zip cannot be downloaded", "recbole==1.2.1", "--data FOLDER"):
        assert part in message
    with pytest.raises(InputError, match=r"ml-1m\.zip cannot be downloaded .* --data FOLDER"):
        datasets.load("ml-1m", cache=tmp_path / "cache")


def test_an_official_archive_in_the_cache_is_preferred(tmp_path, official, monkeypatch):
    monkeypatch.setattr(movielens, "URL", "http://127.0.0.1:1/{name}.zip")
    archive = tmp_path / "cache" / "ml-100k.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as opened:
        for name in ("u.data", "u.item"):
            opened.write(official / name, f"ml-100k/{name}")
    digest = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setitem(movielens.CHECKSUMS, "ml-100k", f"md5:{digest}")
    dataset = datasets.load("ml-100k", cache=archive.parent)
    assert dataset.fingerprint == datasets.load("ml-100k", official).fingerprint


def test_ml_100k_from_the_package_index(wheel_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("INTERP_CACHE", str(wheel_cache))
    with monkeypatch.context() as patch:
        # The wheel is in the cache: the official host is not asked again.
        patch.delattr(movielens, "fetch")
        dataset = datasets.load("ml-100k")
    rows, items = dataset.interactions, dataset.items
    # The counts of the official README; the first row of u.data.
    assert (len(rows), rows["user"].nunique(), rows["item"].nunique()) == (100_000, 943, 1682)
    assert rows.iloc[0].tolist() == [196, 242, 881250949]
    assert items["year"].isna().sum() == 1
    assert items.index[items["genres"].map(len) == 0].tolist() == [267, 1373]
    assert len({genre for genres in items["genres"] for genre in genres}) == 18
    assert items.loc[1412, "title"] == "Land Before Time III: The Time of the Great Giving (1995) (V)"
    assert items.loc[1373].tolist() == ["Good Morning (1971)", (), 1971]
    assert items["title"].str.fullmatch(r".+ \(\d{4}\)").sum() == 1680
    wheel = next(wheel_cache.glob("*.whl"))
    assert datasets.load("ml-100k", wheel).fingerprint == dataset.fingerprint

    # The same content in the official format gives the same dataset.
    (tmp_path / "u.data").write_text("".join(f"{u}\t{i}\t3\t{t}\n" for u, i, t in rows.to_numpy()))
    flags = movielens.GENRES_100K
    lines = [
        f"{item}|{title}|01-Jan-1995||http|" + "|".join(str(int(flag in genres)) for flag in flags)
        for item, title, genres, _ in items.itertuples()
    ]
    (tmp_path / "u.item").write_text("\n".join(lines), "latin-1")
    assert datasets.load("ml-100k", tmp_path).fingerprint == dataset.fingerprint


def test_an_unreachable_host_leads_to_the_package_index(wheel_cache, tmp_path, monkeypatch):
    shutil.copy(next(wheel_cache.glob("*.whl")), tmp_path / "recbole-1.2.1-py3-none-any.whl")
    monkeypatch.setattr(movielens, "URL", "http://127.0.0.1:1/{name}.zip")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    dataset = datasets.load("ml-100k", cache=tmp_path / "cache")
    assert len(dataset.interactions) == 100_000
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["recbole-1.2.1.whl"]


def test_ml_1m_on_the_real_files(data):
    dataset = datasets.load("ml-1m", data)
    rows, items = dataset.interactions, dataset.items
    assert (len(rows), rows["user"].nunique(), rows["item"].nunique()) == (1_000_209, 6040, 3706)
    assert len(items) == 3883
    assert len({genre for genres in items["genres"] for genre in genres}) == 18
    assert items["year"].between(1919, 2000).all()
    assert items.loc[73].tolist() == ["Misérables, Les (1995)", ("Drama", "Musical"), 1995]
