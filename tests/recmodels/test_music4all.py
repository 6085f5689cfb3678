import shutil

import pandas as pd
import pytest

from recmodels import datasets
from recmodels.errors import InputError

FILES = {
    "id_information.csv": (
        "id\tartist\tsong\talbum_name\n"
        "0009fFIM1eYThaPg\tCheryl\tRain on Me\t3 Words\n"
        '0010xmHR6UICBOYT\tSigur Rós\t"""Hoppípolla"" (live)"\tHeima\n'
        "0012\tNobody\t1984\t\n"
    ),
    # In another order, and without a row for 0012.
    "id_genres.csv": "id\tgenres\n0010xmHR6UICBOYT\tpost-rock,ambient\n0009fFIM1eYThaPg\tpop\n",
    "id_tags.csv": "id\ttags\n0009fFIM1eYThaPg\tpop,female vocalists, dance\n0010xmHR6UICBOYT\t\n0012\tNA\n",
    "id_metadata.csv": (
        "id\tspotify_id\tpopularity\trelease\tdanceability\tenergy\tkey\tmode\tvalence\ttempo\tduration_ms\n"
        "0009fFIM1eYThaPg\t3eObKIfHKJ1nAPh0wTxFCc\t12.0\t2009\t0.635\t0.746\t6.0\t1.0\t0.548\t110.973\t232947\n"
        "0010xmHR6UICBOYT\t2MUy4hpwlwAaHV5mYHgMzd\t40.0\t2007\t0.2\t0.3\t1.0\t0.0\t0.1\t90.0\t300000\n"
        "0012\t4xSGX1k3Wu1PoUQ5ZkOVaP\t1.0\t\t0.2\t0.3\t1.0\t0.0\t0.1\t90.0\t1000\n"
    ),
    "id_lang.csv": "id\tlang\n0009fFIM1eYThaPg\ten\n0010xmHR6UICBOYT\tis\n0012\tINTRUMENTAL\n",
    "listening_history.csv": (
        "user\tsong\ttimestamp\n"
        "user_007XIjOr\t0010xmHR6UICBOYT\t2019-02-20 12:28\n"
        "user_007XIjOr\t0009fFIM1eYThaPg\t2019-02-20 12:28\n"
        "user_00A\t0009fFIM1eYThaPg\t1970-01-01 00:01\n"
        "user_007XIjOr\t0010xmHR6UICBOYT\t2019-02-20 12:30\n"
    ),
}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "music4all"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def test_the_official_format(folder):
    dataset = datasets.load("music4all", folder)
    noon = 1550620800 + 12 * 3600  # 2019-02-20 is day 17,947 since 1970
    expected = pd.DataFrame(
        {
            "user": ["user_007XIjOr", "user_007XIjOr", "user_00A", "user_007XIjOr"],
            "item": ["0010xmHR6UICBOYT", "0009fFIM1eYThaPg", "0009fFIM1eYThaPg", "0010xmHR6UICBOYT"],
            "time": [noon + 28 * 60, noon + 28 * 60, 60, noon + 30 * 60],
        }
    )
    pd.testing.assert_frame_equal(dataset.interactions, expected)
    items = pd.DataFrame(
        {
            "title": ["Cheryl – Rain on Me", 'Sigur Rós – "Hoppípolla" (live)', "Nobody – 1984"],
            "genres": [("pop",), ("post-rock", "ambient"), ()],
            "tags": [("pop", "female vocalists", "dance"), (), ("NA",)],
            "language": ["en", "is", "INTRUMENTAL"],
            "year": pd.array([2009, 2007, None], dtype="Int64"),
            "artist": ["Cheryl", "Sigur Rós", "Nobody"],
        },
        index=pd.Index(["0009fFIM1eYThaPg", "0010xmHR6UICBOYT", "0012"], name="item"),
    )
    pd.testing.assert_frame_equal(dataset.items, items)
    assert (dataset.name, dataset.attribute) == ("music4all", "genres")


def test_an_archive_and_the_folder_above_are_read_alike(folder, tmp_path):
    expected = datasets.load("music4all", folder).fingerprint
    assert datasets.load("music4all", tmp_path).fingerprint == expected
    archive = shutil.make_archive(str(tmp_path / "download"), "zip", tmp_path, "music4all")
    assert datasets.load("music4all", archive).fingerprint == expected


def test_it_cannot_be_downloaded():
    with pytest.raises(InputError, match=r"on request: ask .*contact4music4all and pass it with --data FOLDER"):
        datasets.load("music4all")


@pytest.mark.parametrize("name", FILES)
def test_missing_files_are_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"music4all has no file {name}"):
        datasets.load("music4all", folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("listening_history.csv", "timestamp", "when", "has no column 'timestamp' (it has user, song, when)"),
        ("listening_history.csv", "12:30", "half past", "row 5, column 'timestamp' is '2019-02-20 half past', but"),
        ("listening_history.csv", "user_00A", "", "row 4, column 'user' is empty, but every row needs an id"),
        ("listening_history.csv", "\t1970-01-01", " 1970-01-01", "row 4 has 2 columns split by '\\t', not 3"),
        ("id_information.csv", "\t3 Words", "\t3\tWords", "row 2 has 5 columns split by '\\t', not 4"),
        ("id_information.csv", "0012", "0009fFIM1eYThaPg", "has id '0009fFIM1eYThaPg' in rows 2 and 4: keep one"),
        ("id_genres.csv", "0010xmHR6UICBOYT", "0009fFIM1eYThaPg", "has id '0009fFIM1eYThaPg' in rows 2 and 3"),
        ("id_metadata.csv", "2007", "long ago", "row 3, column 'release' is 'long ago', not a whole number"),
    ],
)
def test_faults_are_placed(folder, name, old, new, message):
    text = FILES[name]
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError) as caught:
        datasets.load("music4all", folder)
    assert f"music4all/{name}" in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_encoding_is_placed(folder):
    (folder / "id_information.csv").write_text(FILES["id_information.csv"], "latin-1")
    with pytest.raises(InputError, match=r"id_information\.csv, row 3 is not in UTF-8: get the official file"):
        datasets.load("music4all", folder)


def test_songs_without_information_are_counted(folder):
    (folder / "id_information.csv").write_text(FILES["id_information.csv"].replace("0009fFIM1eYThaPg", "000x"))
    with pytest.raises(InputError, match="item '0009fFIM1eYThaPg' of the interactions is not in the item table"):
        datasets.load("music4all", folder)
