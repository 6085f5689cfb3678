import hashlib
import logging
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from recmodels import datasets
from recmodels.datasets import lastfm
from recmodels.errors import InputError

ROOT = Path(__file__).parents[2]

URLS = "\thttp://www.last.fm/music/x\thttp://userserve-ak.last.fm/serve/252/1.jpg\n"
FILES = {
    "artists.dat": "id\tname\turl\tpictureURL\n"
    + "".join(f"{artist}\t{name}{URLS}" for artist, name in [(51, "Duran Duran"), (52, "Björk"), (9, '"Weird Al"')]),
    "tags.dat": "tagID\ttagValue\n1\tmetal\n13\tchillout\n24\tpop\n4571\trock français\n",
    # Artist 777 has no name; nobody but user 4 tagged only that one.
    "user_taggedartists.dat": (
        "userID\tartistID\ttagID\tday\tmonth\tyear\n"
        "2\t52\t13\t1\t4\t2009\n"
        "2\t52\t4571\t1\t4\t2009\n"
        "2\t9\t24\t1\t4\t2009\n"
        "2\t51\t24\t1\t12\t2008\n"
        "2\t9\t1\t1\t1\t2008\n"
        "3\t52\t24\t1\t6\t2010\n"
        "3\t52\t4571\t1\t6\t2010\n"
        "3\t51\t24\t1\t6\t1956\n"
        "3\t777\t24\t1\t6\t2010\n"
        "4\t777\t24\t1\t6\t2010\n"
        "5\t52\t13\t1\t6\t2010\n"
        "5\t52\t24\t1\t7\t2010\n"
        "5\t52\t4571\t1\t7\t2010\n"
    ),
}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "lastfm-2k"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_bytes(text.encode("latin-1" if name == "tags.dat" else "utf-8"))
    return folder


def test_the_official_format(folder, caplog):
    with caplog.at_level(logging.INFO):
        dataset = datasets.load("lastfm-2k", folder)
    # Each artist once, at the first tag; artists of one month by id.
    expected = pd.DataFrame(
        {
            "user": [2, 2, 2, 3, 5],
            "item": [9, 51, 52, 52, 52],
            "time": [2008 * 12 + 1, 2008 * 12 + 12, 2009 * 12 + 4, 2010 * 12 + 6, 2010 * 12 + 6],
        }
    )
    pd.testing.assert_frame_equal(dataset.interactions, expected)
    # Given by two users or more: 52 has 4571 from three, chillout and pop from two; 51 has pop from 2 and 3.
    items = pd.DataFrame(
        {
            "title": ["Duran Duran", "Björk", '"Weird Al"'],
            "tags": [("pop",), ("rock français", "chillout", "pop"), ()],
        },
        index=pd.Index([51, 52, 9], name="item"),
    )
    pd.testing.assert_frame_equal(dataset.items, items)
    assert (dataset.name, dataset.attribute) == ("lastfm-2k", "tags")
    assert "of 13 tag assignments, 2 to artists without a name and 1 with an impossible date" in caplog.text


def test_tags_may_be_in_utf_8(folder):
    expected = datasets.load("lastfm-2k", folder).fingerprint
    (folder / "tags.dat").write_text(FILES["tags.dat"], "utf-8")
    assert datasets.load("lastfm-2k", folder).fingerprint == expected


def test_an_archive_and_the_folder_above_are_read_alike(folder, tmp_path):
    expected = datasets.load("lastfm-2k", folder).fingerprint
    assert datasets.load("lastfm-2k", tmp_path).fingerprint == expected
    archive = shutil.make_archive(str(tmp_path / "download"), "zip", folder)
    assert datasets.load("lastfm-2k", archive).fingerprint == expected


def test_a_download_is_kept_and_checked(folder, tmp_path, monkeypatch):
    archive = Path(shutil.make_archive(str(tmp_path / "there"), "zip", folder))
    monkeypatch.setattr(lastfm, "URL", archive.as_uri())
    with pytest.raises(InputError, match=r"altered or cut short .* get hetrec2011-lastfm-2k\.zip elsewhere"):
        datasets.load("lastfm-2k", cache=tmp_path / "cache")
    monkeypatch.setattr(lastfm, "CHECKSUM", f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}")
    for _ in range(2):
        dataset = datasets.load("lastfm-2k", cache=tmp_path / "cache")
        assert dataset.fingerprint == datasets.load("lastfm-2k", folder).fingerprint
        archive.unlink(missing_ok=True)


@pytest.mark.parametrize("name", FILES)
def test_missing_files_are_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"lastfm-2k has no file {name}"):
        datasets.load("lastfm-2k", folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("artists.dat", "id\tname", "id\tartist", "has no column 'name' (it has id, artist, url, pictureURL)"),
        ("artists.dat", "\n52\t", "\n51\t", "has id 51 in rows 2 and 3: keep one of them"),
        ("artists.dat", "\n52\t", "\n5x\t", "row 3, column 'id' is '5x', not a whole number"),
        ("tags.dat", "\tpop", "", "row 4 has 1 columns split by '\\t', not 2"),
        ("user_taggedartists.dat", "2008", "'08", "row 5, column 'year' is \"'08\", not a whole number"),
        ("user_taggedartists.dat", "2\t51\t24", "2\t\t24", "row 5, column 'artistID' is empty, not a whole number"),
    ],
)
def test_faults_are_placed(folder, name, old, new, message):
    assert old in FILES[name]
    (folder / name).write_bytes(FILES[name].replace(old, new, 1).encode("utf-8"))
    with pytest.raises(InputError) as caught:
        datasets.load("lastfm-2k", folder)
    assert f"lastfm-2k/{name}" in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_artists_in_latin_1_are_refused(folder):
    (folder / "artists.dat").write_text(FILES["artists.dat"], "latin-1")
    with pytest.raises(InputError, match=r"artists\.dat, row 3 is not in UTF-8"):
        datasets.load("lastfm-2k", folder)


def test_the_real_files(caplog):
    folder = Path(os.environ.get("INTERP_DATA", ROOT / "../shared/data"))
    if not (folder / "lastfm-2k").is_dir():
        pytest.skip(f"no lastfm-2k in {folder}: set INTERP_DATA to a folder that has it")
    with caplog.at_level(logging.INFO):
        dataset = datasets.load("lastfm-2k", folder)
    # The README counts 1,892 users; one of them tagged only artists without a name.
    assert "of 186479 tag assignments, 1538 to artists without a name and 5 with an impossible date" in caplog.text
    rows, items = dataset.interactions, dataset.items
    assert (len(rows), rows["user"].nunique(), rows["item"].nunique()) == (70_295, 1891, 12_133)
    assert len(items) == 17_632
    # Last.fm has had tags since August 2005; the data end in May 2011.
    assert (rows["time"].min(), rows["time"].max()) == (2005 * 12 + 8, 2011 * 12 + 5)
    assert not rows.duplicated(["user", "item"]).any()
    assert rows.equals(rows.sort_values(["user", "time", "item"]))
    # The readme's example: user 2 tagged artist 52 in April 2009.
    assert rows.iloc[0].tolist() == [2, 52, 2009 * 12 + 4]
    assert items.loc[707, "title"] == "Metallica"
    assert items.loc[707, "tags"][:3] == ("metal", "heavy metal", "thrash metal")
    common = items["tags"].explode().value_counts()
    assert common.index[:4].tolist() == ["rock", "alternative", "pop", "electronic"]
