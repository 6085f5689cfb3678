import shutil

import pandas as pd
import pytest

from recmodels import datasets
from recmodels.errors import InputError

INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "u2\t10\t4.0\t1112486027\nu1\t007\t3.5\t1112484676.5\nu1\t10\t3.5\t1112484676.5\n"
)
ITEM = (
    "item_id:token\tname:token_seq\tstudio:token\tgenre:token_seq\tepisodes:float\n"
    '10\tCowboy "Bebop\tSunrise\tAction Sci-Fi\t26\n'
    "007\tÅkira\t\tAction\t1\n"
    "x\t\tGhibli\t\t1\n"
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "any"
    folder.mkdir()
    (folder / "anime.inter").write_text(INTER, "utf-8")
    (folder / "anime.item").write_text(ITEM, "utf-8")
    (folder / "anime.user").write_text("user_id:token\nu1\nu2\n")
    return folder


def test_atomic_files(folder):
    dataset = datasets.load("recbole", folder)
    expected = pd.DataFrame(
        {
            "user": ["u2", "u1", "u1"],
            "item": ["10", "007", "10"],
            "time": [1112486027.0, 1112484676.5, 1112484676.5],
        }
    )
    pd.testing.assert_frame_equal(dataset.interactions, expected)
    items = pd.DataFrame(
        {
            "title": ['Cowboy "Bebop', "Åkira", "x"],
            "studio": ["Sunrise", None, "Ghibli"],
            "genre": [("Action", "Sci-Fi"), ("Action",), ()],
        },
        index=pd.Index(["10", "007", "x"], name="item"),
    )
    pd.testing.assert_frame_equal(dataset.items, items)
    assert (dataset.name, dataset.attribute) == ("anime", "genre")


def test_an_archive_is_read_as_its_folder_is(folder, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "download"), "zip", tmp_path, "any")
    dataset = datasets.load("recbole", archive)
    assert dataset.fingerprint == datasets.load("recbole", folder).fingerprint
    assert dataset.name == "anime"


def test_ids_that_are_all_numbers_become_integers(folder):
    (folder / "anime.inter").write_text(INTER.replace("007", "7"))
    (folder / "anime.item").write_text(ITEM.replace("007", "7").replace("\nx\t", "\n8\t"), "utf-8")
    dataset = datasets.load("recbole", folder)
    assert dataset.items.index.tolist() == [10, 7, 8]
    assert dataset.interactions["item"].tolist() == [10, 7, 10]
    assert dataset.items["title"].tolist() == ['Cowboy "Bebop', "Åkira", "8"]


@pytest.mark.parametrize(
    ("head", "title", "attribute"),
    [
        ("name:token\tmovie_title:token_seq\tx:token", "c", "name"),  # movie_title comes before name
        ("x:token\tname:token\tlabels:token_seq", "c", "labels"),  # lists before single values
        ("x:token\ty:token\tclass:token", "a", "class"),  # no title, so the id; a known attribute
        ("x:token\ty:token_seq\tz:token_seq", "a", "y"),  # the first of two
    ],
)
def test_which_columns_are_title_and_attribute(folder, head, title, attribute):
    (folder / "anime.inter").write_text("user_id:token\titem_id:token\ttimestamp:float\nu\ta\t1\n")
    (folder / "anime.item").write_text(f"item_id:token\t{head}\na\tb\tc\td\n")
    dataset = datasets.load("recbole", folder)
    assert (dataset.items.loc["a", "title"], dataset.attribute) == (title, attribute)


def test_a_folder_is_needed():
    with pytest.raises(InputError, match="recbole reads atomic files that you have: pass their folder"):
        datasets.load("recbole")


def test_a_folder_without_the_files_is_named(tmp_path):
    with pytest.raises(InputError, match=r"has no \.inter file: pass the folder"):
        datasets.load("recbole", tmp_path)
    with pytest.raises(InputError, match=r"absent does not exist: pass a folder or a \.zip archive"):
        datasets.load("recbole", tmp_path / "absent")


@pytest.mark.parametrize("kind", ["inter", "item"])
def test_a_second_file_of_a_kind_is_refused(folder, kind):
    (folder / f"other.{kind}").write_text("")
    with pytest.raises(InputError, match=rf"has anime\.{kind} and other\.{kind}: keep one \.{kind} file"):
        datasets.load("recbole", folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("anime.inter", "timestamp:", "time:", "has no column 'timestamp' (it has user_id, item_id, rating, time)"),
        ("anime.inter", "rating:float", "rating", "row 1 gives 'rating' the type '', not one of token, token_seq"),
        ("anime.inter", "1112486027", "late", "row 2, column 'timestamp' is 'late', but times should all be"),
        ("anime.inter", "u2\t", "\t", "row 2, column 'user_id' is empty, but every row needs an id"),
        ("anime.item", "item_id", "id", "has no column 'item_id' (it has id, name, studio, genre, episodes)"),
        ("anime.item", "\t26", "", "row 2 has 4 columns split by '\\t', not 5 (item_id:token, name:token_seq,"),
        ("anime.item", "\nx", "\n10", "has item_id '10' in rows 2 and 4: keep one"),
        ("anime.item", "studio:", "genre:", "has two columns 'genre'"),
    ],
)
def test_faults_are_placed(folder, name, old, new, message):
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError) as caught:
        datasets.load("recbole", folder)
    assert f"any/{name}" in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_items_without_an_attribute_have_no_concepts(folder):
    (folder / "anime.item").write_text("item_id:token\tname:token_seq\tepisodes:float\n10\ta\t1\n007\tb\t2\n")
    dataset = datasets.load("recbole", folder)
    assert (dataset.attribute, dataset.items.columns.tolist(), dataset.lacks) == ("", ["title"], ())


def test_times_and_items_may_be_missing(folder):
    (folder / "anime.inter").write_text("user_id:token\titem_id:token\nu2\t10\nu1\t007\n")
    (folder / "anime.item").unlink()
    dataset = datasets.load("recbole", folder)
    assert dataset.interactions.to_numpy().tolist() == [["u2", "10", 0], ["u1", "007", 1]]
    assert dataset.items["title"].to_dict() == {"10": "10", "007": "007"}
    assert [line.split(":")[0] for line in dataset.lacks] == [
        "The interactions have no times",
        "There is no table of items",
    ]


def test_another_encoding_is_placed(folder):
    (folder / "anime.item").write_text(ITEM, "latin-1")
    with pytest.raises(InputError, match=r"anime\.item, row 3 is not in UTF-8: correct the file"):
        datasets.load("recbole", folder)
