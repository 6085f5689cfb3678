"""What the tables may lack, and how flags say which rows count and how they are written."""

import gzip

import pandas as pd
import pytest

from recmodels.config import Columns, Reading
from recmodels.datasets.tables import from_tables
from recmodels.datasets.values import AttributeWarning
from recmodels.errors import InputError
from recmodels.interactions import core


@pytest.fixture
def write(tmp_path):
    def file(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return file


def meetings(data):
    return data.interactions.to_numpy().tolist()


BOOKS = "item,genres\n1,Novel|Comedy\n2,(no genres listed)\n3,Novel|none\n"
READS = pd.DataFrame({"user": ["u2", "u1", "u1"], "item": [2, 1, 2], "time": [3, 1, 2]})


def test_rows_in_order_serve_as_time(write):
    data = from_tables(
        write("reads.csv", "user,item\nb,2\na,1\nb,1\n"), write("books.csv", "item,title,genres\n1,X,p\n2,Y,q\n")
    )
    assert meetings(data) == [["b", 2, 0], ["a", 1, 1], ["b", 1, 2]]
    assert [line[:30] for line in data.lacks] == ["The interactions have no times"]


def test_ids_serve_as_titles_without_a_table_of_items_or_its_titles(write):
    alone = from_tables(READS)
    assert (alone.attribute, alone.items.to_dict()) == ("", {"title": {1: "1", 2: "2"}})
    assert [line[:26] for line in alone.lacks] == ["There is no table of items"]
    untitled = from_tables(READS, write("books.csv", BOOKS))
    assert untitled.items["title"].tolist() == ["1", "2", "3"]
    assert (untitled.attribute, len(untitled.lacks)) == ("genres", 1)
    plain = from_tables(READS, write("titles.csv", "item,title\n1,Emma\n2,Walden\n"))
    assert (plain.attribute, plain.items["title"].tolist(), plain.lacks) == ("", ["Emma", "Walden"], ())


def test_a_forgotten_name_is_not_taken_for_missing_data(write):
    with pytest.raises(InputError, match=r"no column 'time' \(it has user, item, when\)"):
        from_tables(READS.rename(columns={"time": "when"}))
    assert meetings(from_tables(READS.rename(columns={"time": "when"}), columns=Columns(time=None)))[0] == ["u2", 2, 0]
    with pytest.raises(InputError, match="no column 'genres'"):
        from_tables(READS, write("books.csv", "item,title,kind\n1,X,p\n2,Y,q\n"))
    data = from_tables(READS, write("books.csv", "item,title,kind\n1,X,p\n2,Y,q\n"), Columns(attribute=None))
    assert (data.attribute, data.items.columns.tolist()) == ("", ["title", "kind"])


@pytest.mark.parametrize("text", ["3 7\n3  8\n\n12\t7\n", "3 7 \r\n 3 8\r\n12 7"])
def test_a_user_and_an_item_on_each_line(write, text):
    data = from_tables(write("ml.txt", text))
    assert meetings(data) == [[3, 7, 0], [3, 8, 1], [12, 7, 2]]
    named = from_tables(write("named.txt", "user item time\n3 7 5\n3 8 4\n"))
    assert meetings(named) == [[3, 7, 5], [3, 8, 4]]
    with pytest.raises(InputError, match="row 2 has 3 columns split by ' ', not 2"):
        from_tables(write("odd.txt", "3 7\n3 8 9\n"))


def test_names_of_columns_come_from_the_caller(write):
    path = write("clicks.dat", "1;x;30\n2;y;20\n")
    columns, names = Columns(time="when"), ("user", "item", "when")
    assert meetings(from_tables(path, None, columns, reading=Reading(separator=";", names=names))) == [
        [1, "x", 30],
        [2, "y", 20],
    ]
    with pytest.raises(InputError, match=r"name its separator \(reading.separator\)"):
        from_tables(path, None, columns, reading=Reading(names=names))


def test_only_some_rows_count(write):
    path = write("log.csv", "user,item,time,stars,what\na,1,1,4,buy\na,2,2,3.5,buy\nb,1,3,5,view\nb,3,4,5,cart\n")
    columns = Columns(rating="stars", event="what")
    assert meetings(from_tables(path, None, columns, reading=Reading(min_rating=4))) == [
        ["a", 1, 1],
        ["b", 1, 3],
        ["b", 3, 4],
    ]
    both = Reading(min_rating=3.5, events=("buy", "cart"))
    assert meetings(from_tables(path, None, columns, reading=both)) == [["a", 1, 1], ["a", 2, 2], ["b", 3, 4]]
    with pytest.raises(InputError, match=r"lower reading\.min_rating"):
        from_tables(path, None, columns, reading=Reading(min_rating=6))
    with pytest.raises(InputError, match=r"name it with columns\.rating"):
        from_tables(path, None, Columns(event="what"), reading=Reading(min_rating=1))
    with pytest.raises(InputError, match="row 2, column 'what' is 'buy', but a number is read there"):
        from_tables(path, None, Columns(rating="what"), reading=Reading(min_rating=1))


def test_times_in_a_way_of_their_own(write):
    path = write("log.csv", "user,item,time\na,1,11/13/2019 8:36:57 AM\na,2,11/13/2019 12:00:00 AM\n")
    data = from_tables(path, reading=Reading(time_format="%m/%d/%Y %I:%M:%S %p"))
    midnight = int(pd.Timestamp("2019-11-13").timestamp())
    assert [row[2] for row in meetings(data)] == [midnight + 8 * 3600 + 36 * 60 + 57, midnight]
    with pytest.raises(InputError, match=r"row 2, column 'time' is '11/13/2019 8:36:57 AM', not a time written as %Y"):
        from_tables(path, reading=Reading(time_format="%Y"))


def test_a_value_can_mean_that_there_is_none(write):
    missing = Reading(missing=("(no genres listed)", "none"))
    data = from_tables(READS, write("books.csv", BOOKS), reading=missing)
    assert data.items["genres"].tolist() == [("Novel", "Comedy"), (), ("Novel",)]
    single = write("kinds.csv", "item,genres\n1,Novel\n2,none\n")
    assert from_tables(READS, single, reading=missing).items["genres"].tolist() == ["Novel", None]


def test_items_without_a_row_and_rows_without_an_item(write):
    books = write("books.csv", "item,title,genres\n1,Emma,Novel\n,Nobody,Novel\n1,Emma again,Play\n4,cut\n")
    with pytest.raises(InputError, match="row 5 has 2 columns"):
        from_tables(READS, books)
    with pytest.raises(InputError, match="item 2 of the interactions is not in the item table"):
        from_tables(READS, books, reading=Reading(bad_items="drop"))
    dropped = from_tables(READS, books, reading=Reading(bad_items="drop", unknown_items="drop"))
    assert (meetings(dropped), dropped.items["title"].tolist()) == ([["u1", 1, 1]], ["Emma"])
    assert dropped.lacks[0].startswith("Left out are 3 rows of items")
    assert dropped.lacks[1].startswith("Left out are 2 interactions (66.7%)")
    kept = from_tables(READS, books, reading=Reading(bad_items="drop", unknown_items="keep"))
    assert (len(kept.interactions), kept.items["title"].tolist()) == (3, ["Emma", "2"])


def test_the_table_of_items_may_call_the_id_otherwise(write):
    books = write("books.csv", "id,title,genres\n1,Emma,Novel\n2,Walden,Essay\n")
    assert from_tables(READS, books, Columns(item_id="id")).items["title"].to_dict() == {1: "Emma", 2: "Walden"}


def test_objects_on_lines(write, tmp_path):
    lines = '{"user": "a", "item": 7, "time": 2, "more": {"x": 1}}\n\n{"user": "b", "item": 8, "time": 1}\n'
    plain = write("log.jsonl", lines)
    (tmp_path / "log.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    python = write(
        "log.json", "{'user': u'a', 'item': 7, 'time': 2, 'more': None}\n{'user': u'b', 'item': 8, 'time': 1}\n"
    )
    for path in (plain, tmp_path / "log.jsonl.gz", python):
        assert meetings(from_tables(path)) == [["a", 7, 2], ["b", 8, 1]]
    items = write(
        "items.jsonl",
        '{"item": 7, "title": "X", "genres": ["p", "q"], "year": 1999}\n{"item": 8, "title": null, "genres": []}\n',
    )
    table = from_tables(plain, items).items
    assert table["title"].tolist() == ["X", "8"]
    assert table["genres"].tolist() == [("p", "q"), ()]
    for bad in ('{"user": 1', "[1, 2]", "__import__('os').system('true')", "{" * 200_000):
        with pytest.raises(InputError, match="row 2 is not a JSON object"):
            from_tables(write("bad.jsonl", f'{{"user": 1, "item": 2, "time": 3}}\n{bad}\n'))
    with pytest.raises(InputError, match="row 1 is not a JSON object"):
        from_tables(write("code.json", "__import__('os').system('true')\n"))


def test_a_damaged_archive_is_one_line(tmp_path):
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(b"user,item,time\n1,2,3\n")[:-9])
    with pytest.raises(InputError, match=r"is not a whole \.gz file: get it again"):
        from_tables(tmp_path / "log.csv.gz")


def test_the_core_is_what_remains_when_rare_ones_are_taken_away_again_and_again():
    # Item 9 has one row; without it user c has one left; without that, item 2 has one, and so on.
    rows = pd.DataFrame([(u, i, t) for t, (u, i) in enumerate(["a1", "a3", "b1", "b3", "c9", "c2", "d2", "d3"])])
    rows.columns = ["user", "item", "time"]
    rows = rows.assign(item=rows["item"].astype(int))
    assert core(rows, 2)[["user", "item"]].to_numpy().tolist() == [["a", 1], ["a", 3], ["b", 1], ["b", 3]]
    assert len(core(rows, 1)) == 8
    with pytest.raises(InputError, match="lower k_core"):
        core(rows, 4)


def test_lists_of_objects_are_left_out(write):
    items = write(
        "items.jsonl",
        '{"item": 1, "title": "X", "genres": ["p"], "images": [{"a": 1}]}\n{"item": 2, "genres": ["q"]}\n',
    )
    assert from_tables(READS, items).items.columns.tolist() == ["title", "genres"]


def test_wrong_settings_are_refused():
    with pytest.raises(InputError, match=r"reading is 4: give recmodels.config.Reading"):
        from_tables(READS, reading=4)
    with pytest.raises(InputError, match=r"reading\.unknown_items is 'maybe': choose one of refuse, keep, drop"):
        from_tables(READS, reading=Reading(unknown_items="maybe"))


def test_a_column_that_cannot_be_read_is_still_left_out_with_a_warning(write):
    books = write("books.csv", "item,title,genres,odd\n1,X,p,\"['a', b]\"\n2,Y,q,\"['a', b]\"\n")
    with pytest.warns(AttributeWarning, match="the column is left out"):
        assert from_tables(READS, books).items.columns.tolist() == ["title", "genres"]
