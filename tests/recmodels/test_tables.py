import datetime
import re

import numpy as np
import pandas as pd
import pytest

from recmodels.config import Columns, Reading
from recmodels.datasets.table_files import read_table
from recmodels.datasets.tables import from_tables
from recmodels.errors import InputError

READS = "user,item,time\nu2,2,300\nu1,1,100\nu1,2,100\n"
BOOKS = (
    "item,title,genres,year,pages,price,publisher\n"
    '1,"Emma, or: ""E""",Novel | Comedy,1815,,9.5,Murray\n'
    "2,Walden,,1854,352,,\n"
    "3,,Poetry,1855,95,8,Whitman\n"
)


def write(folder, reads=READS, books=BOOKS, encoding="utf-8"):
    folder.mkdir(exist_ok=True)
    paths = folder / "reads.csv", folder / "books.csv"
    for path, text in zip(paths, (reads, books), strict=True):
        path.write_bytes(text.encode(encoding))
    return paths


def frames():
    reads = pd.DataFrame({"user": ["u2", "u1", "u1"], "item": [2, 1, 2], "time": [300, 100, 100]})
    books = pd.DataFrame(
        {"item": [1, 2, 3], "title": ["Emma", "Walden", "Leaves"], "genres": [("Novel", "Comedy"), [], ["Poetry"]]}
    )
    return reads, books


def message_of(*args, **keywords):
    with pytest.raises(InputError) as caught:
        from_tables(*args, **keywords)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_text_files(tmp_path):
    dataset = from_tables(*write(tmp_path), name="books")
    expected = pd.DataFrame({"user": ["u2", "u1", "u1"], "item": [2, 1, 2], "time": [300, 100, 100]})
    pd.testing.assert_frame_equal(dataset.interactions, expected)
    items = pd.DataFrame(
        {
            "title": ['Emma, or: "E"', "Walden", "3"],
            "genres": [("Novel", "Comedy"), (), ("Poetry",)],
            "year": pd.array([1815, 1854, 1855], dtype="Int64"),
            "pages": pd.array([None, 352, 95], dtype="Int64"),
            "price": [9.5, float("nan"), 8.0],
            "publisher": ["Murray", None, "Whitman"],
        },
        index=pd.Index([1, 2, 3], name="item"),
    )
    pd.testing.assert_frame_equal(dataset.items, items)
    assert (dataset.name, dataset.attribute) == ("books", "genres")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\n\n") + "\n",
    ],
)
def test_line_ends_marks_and_blank_lines_do_no_harm(tmp_path, change):
    expected = from_tables(*write(tmp_path / "plain")).fingerprint
    assert from_tables(*write(tmp_path / "changed", change(READS), change(BOOKS))).fingerprint == expected


def test_tabs_and_parquet_read_alike(tmp_path):
    reads, books = write(tmp_path)
    tabs = tmp_path / "reads.tsv"
    tabs.write_text(READS.replace(",", "\t"))
    assert from_tables(str(tabs), books).fingerprint == from_tables(reads, books).fingerprint
    frame, items = frames()
    frame.to_parquet(tmp_path / "reads.parquet")
    items.set_index("item").to_parquet(tmp_path / "books.parquet")
    dataset = from_tables(tmp_path / "reads.parquet", tmp_path / "books.parquet")
    assert dataset.fingerprint == from_tables(frame, items).fingerprint
    assert dataset.items["genres"].tolist() == [("Novel", "Comedy"), (), ("Poetry",)]


@pytest.mark.parametrize("per_file", [1, 7, 100])
def test_a_folder_of_parquet_is_read_as_one_table_of_the_columns_that_count(tmp_path, per_file):
    """Files of any size, below folders that say the year, beside a column that nobody asked for."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "who": rng.integers(0, 9, 60).astype(np.int32),
            "item": [f"b{number}" for number in rng.integers(0, 5, 60)],
            "time": rng.integers(0, 10**6, 60),
            "stars": rng.integers(1, 6, 60).astype(np.int8),
            "review": ["long " * 100] * 60,
        }
    )
    for start in range(0, 60, per_file):
        part = frame.iloc[start : start + per_file]
        (tmp_path / "reads" / f"year={2000 + start // 30}").mkdir(parents=True, exist_ok=True)
        part.to_parquet(tmp_path / "reads" / f"year={2000 + start // 30}" / f"{start:03d}.parquet")
    columns, reading = Columns(user="who", rating="stars", steps=("stars",)), Reading(min_rating=3)
    table = read_table(tmp_path / "reads", "reads", columns, reading)
    assert set(table.frame.columns) == {"who", "item", "time", "stars"}
    assert set(table.names) == {"who", "item", "time", "stars", "review", "year"}
    dataset = from_tables(tmp_path / "reads", None, columns, reading=reading)
    assert dataset.fingerprint == from_tables(frame, None, columns, reading=reading).fingerprint
    # A column that may be the time was not read, and still counts.
    for name, renamed in (("time", Columns(user="who", time="when")), ("user", Columns())):
        with pytest.raises(InputError, match=rf"has no column '{'when' if name == 'time' else 'user'}' .*review"):
            from_tables(tmp_path / "reads", None, renamed)


def test_frames_keep_their_types():
    reads, books = frames()
    books["tags"] = ["a; b", None, "c"]
    books["score"] = [0.5, None, 1.0]
    books["kept"] = pd.Categorical(["x", "y", "x"])
    dataset = from_tables(reads.set_axis([5, 5, 1]), books, Columns(separator=";"))
    assert dataset.interactions.to_numpy().tolist() == [["u2", 2, 300], ["u1", 1, 100], ["u1", 2, 100]]
    assert dataset.items["genres"].tolist() == [("Novel", "Comedy"), (), ("Poetry",)]
    assert dataset.items["tags"].tolist() == [("a", "b"), (), ("c",)]
    pd.testing.assert_series_equal(
        dataset.items["score"], pd.Series([0.5, None, 1.0], dataset.items.index, name="score")
    )
    assert dataset.items["kept"].tolist() == ["x", "y", "x"]


def test_items_may_be_the_index_of_their_frame():
    reads, books = frames()
    assert from_tables(reads, books.set_index("item")).fingerprint == from_tables(reads, books).fingerprint


def test_cells_of_several_values_in_frames():
    reads, books = frames()
    books["genres"] = [np.array(["Novel", "Comedy"]), None, "Poetry"]
    books["tags"] = [["x", None, " y "], {"d", "c", "b", "a"}, 7]
    items = from_tables(reads, books).items
    assert items["genres"].tolist() == [("Novel", "Comedy"), (), ("Poetry",)]
    assert items["tags"].tolist() == [("x", "y"), ("a", "b", "c", "d"), ("7",)]


def test_other_column_names(tmp_path):
    reads = READS.replace("user,item,time", "who,isbn,when")
    books = BOOKS.replace("item,title,genres", "isbn,name,title")
    columns = Columns(user="who", item="isbn", time="when", title="name", attribute="publisher")
    dataset = from_tables(*write(tmp_path, reads, books), columns)
    # A column that happens to be called `title` gives way to the one that was named.
    assert dataset.items.columns.tolist() == ["title", "year", "pages", "price", "publisher"]
    assert dataset.items["title"].tolist()[1] == "Walden"
    assert dataset.attribute == "publisher"
    ids_as_titles = Columns(user="who", item="isbn", time="when", title="isbn", attribute="publisher")
    assert from_tables(*write(tmp_path, reads, books), ids_as_titles).items["title"].tolist() == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("met", "known", "expected"),
    [
        (["1", "-2"], ["1", "-2"], [1, -2]),
        (["007", "12"], ["007", "12"], ["007", "12"]),
        (["12", "12"], ["abc", "12"], ["12", "12"]),  # the table of items decides for both
        (["1", "1" * 19], ["1", "1" * 19], ["1", "1" * 19]),  # too long for a machine's integers
        (["1.0", "2"], ["1.0", "2"], ["1.0", "2"]),
    ],
)
def test_ids_of_text_files(tmp_path, met, known, expected):
    reads = "user,item,time\n" + "".join(f"9,{item},1\n" for item in met)
    books = "item,title,genres\n" + "".join(f"{item},t,g\n" for item in known)
    rows = from_tables(*write(tmp_path, reads, books)).interactions
    assert rows["item"].tolist() == expected
    assert rows["user"].tolist() == [9, 9]


def test_ids_of_frames_beside_files(tmp_path):
    frame, items = frames()
    reads, books = write(tmp_path)
    assert from_tables(frame, books).interactions["item"].tolist() == [2, 1, 2]
    as_text = frame.astype({"item": str})
    assert from_tables(as_text, books).items.index.tolist() == ["1", "2", "3"]
    mixed = items.assign(item=[1, 2, "abc"])
    assert from_tables(reads, mixed).items.index.tolist() == ["1", "2", "abc"]
    assert from_tables(frame.astype({"item": float}), items).interactions["item"].tolist() == [2, 1, 2]
    assert "row 0, column 'item' is 2.5, but an id is a whole number or text" in message_of(
        frame.assign(item=[2.5, 1, 2]), items
    )


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (["3", "-1"], [3, -1]),
        (["0.5", "1e3"], [0.5, 1000]),
        (["1970-01-02", "1970-01-01 00:01"], [86400, 60]),
        (["1970-01-01T00:00:01.5Z", "1970-01-01T01:00:00+01:00"], [1.5, 0]),
        (["1969-12-31 23:59:59", "2020"], [-1, 1577836800]),
    ],
)
def test_times(tmp_path, time, expected):
    reads = "user,item,time\n" + "".join(f"u,1,{cell}\n" for cell in time)
    assert from_tables(*write(tmp_path, reads)).interactions["time"].tolist() == expected


@pytest.mark.parametrize(
    "days",
    [
        [datetime.date(1970, 1, 2), datetime.date(1970, 1, 3)],
        pd.to_datetime(["1970-01-02", "1970-01-03"]),
        pd.to_datetime(["1970-01-02 02:00", "1970-01-03 02:00"]).tz_localize("Etc/GMT-2"),
        pd.Series(["1970-01-02", "1970-01-03"], dtype="string"),
        np.array([86400, 172800], dtype=object),
    ],
)
def test_times_of_frames(days):
    reads = pd.DataFrame({"user": ["u", "u"], "item": [1, 2], "time": days})
    assert from_tables(reads, frames()[1]).interactions["time"].tolist() == [86400, 172800]


def test_rows_keep_their_order(tmp_path):
    reads = "user,item,time\nu,1,2020-01-03\nu,3,2020-01-01\nu,2,2020-01-01\n"
    assert from_tables(*write(tmp_path, reads)).interactions["item"].tolist() == [1, 3, 2]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("time", "when", "reads.csv has no column 'time' (it has user, item, when): correct it there, name another"),
        ("user,item", "item,item", "reads.csv has two columns 'item'"),
        ("300", "soon", "reads.csv, row 2, column 'time' is 'soon', but times should all be numbers, or dates such"),
        ("300", "2500-01-01", "reads.csv, row 2, column 'time' is '2500-01-01', but dates go from 1678 to 2261"),
        ("300", "2020-13-01", "reads.csv, row 2, column 'time' is '2020-13-01', but times should all be numbers"),
        ("300", "", "reads.csv, row 2, column 'time' is empty, but every row needs a time"),
        ("u1,2", ",2", "reads.csv, row 4, column 'user' is empty, but every row needs an id"),
        ("u1,1", "u1,", "reads.csv, row 3, column 'item' is empty, but every row needs an id"),
        ("u1,2,100", "u1,2", "reads.csv, row 4 has 2 columns split by ',', not 3 (user, item, time)"),
        ("u1,2,100", "u1,2,100,5", "reads.csv, row 4 has 4 columns split by ',', not 3"),
        ("u1,1", "u1,8", "own: item 8 of the interactions is not in the item table: add it there, or drop its rows"),
        (READS, "", "reads.csv is empty: give a table with rows"),
        (READS, " \n\n", "reads.csv is empty: give a table with rows"),
        ("user", "\nuser", "reads.csv, row 1 is blank, and should name the columns"),
        (READS, "user,item,time\n", "reads.csv has no rows below the column names"),
    ],
)
def test_faults_of_interactions_are_placed(tmp_path, old, new, message):
    assert old in READS
    assert message in message_of(*write(tmp_path, READS.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\n3,", "\n1,", "books.csv has item 1 in rows 2 and 4: keep one of them"),
        ("title", "name", "books.csv has no column 'title' (it has item, name, genres, year, pages, price, publisher)"),
        ("genres", "topics", "books.csv has no column 'genres' (it has item, title, topics,"),
        ("\n2,", "\n,", "books.csv, row 3, column 'item' is empty"),
        ("\n2,", "\n9,", "item 2 of the interactions is not in the item table"),
        ('"Emma', "Emma", "books.csv, row 2 has 8 columns split by ',', not 7 (item, title, genres, year, …)"),
    ],
)
def test_faults_of_items_are_placed(tmp_path, old, new, message):
    assert old in BOOKS
    assert message in message_of(*write(tmp_path, READS, BOOKS.replace(old, new, 1)))


def test_the_row_of_a_fault_counts_blank_lines(tmp_path):
    reads = READS.replace("\n", "\n\n").replace("300", "soon")
    assert "row 3, column 'time' is 'soon'" in message_of(*write(tmp_path, reads))


def test_faults_of_frames_are_placed():
    reads, books = frames()
    assert "the table of interactions has no column 'time' (it has user, item, when)" in message_of(
        reads.rename(columns={"time": "when"}), books
    )
    assert "the table of items has item 2 in rows 1 and 2" in message_of(reads, books.assign(item=[1, 2, 2]))
    assert "the table of interactions, row 1, column 'user' is empty" in message_of(
        reads.assign(user=["a", None, "b"]), books
    )
    assert "the table of interactions, row 0, column 'time' is 'x'" in message_of(
        reads.assign(time=["x", "2020-01-01", "2020-01-02"]), books
    )
    assert "has no rows" in message_of(reads.head(0), books)


def test_another_encoding_is_placed(tmp_path):
    books = BOOKS.replace("Murray", "Müller")
    message = message_of(*write(tmp_path, READS, books, "latin-1"))
    assert "books.csv, row 2 is not in UTF-8" in message


@pytest.mark.parametrize(
    ("reads", "says"),
    [
        (READS.replace(",", ";"), ", say how cells are split (reading.separator), or name"),
        (READS.removeprefix("user,item,time\n"), "or name the columns of a file without names (reading.names)"),
        (READS.replace("u1,2,100", "u1,2,100,5"), ": correct it there, or say how cells are split (reading.separator)"),
        (READS.replace("300", "31/12/2020"), "or say how times are written (reading.time_format)"),
        (READS.replace("u1,1", "u1,"), ": correct it there, or name another column in `columns`"),
        (READS.replace("u2", "ü2"), "row 2 is not in UTF-8: save the file in UTF-8, or name its encoding"),
        (READS[:15], "has no rows below the column names: give a table with rows"),
    ],
)
def test_the_end_of_a_message_fits_its_fault(tmp_path, reads, says):
    path = tmp_path / "reads.csv"
    path.write_bytes(reads.encode("latin-1"))
    with pytest.raises(InputError) as error:
        from_tables(path)
    assert says in str(error.value)


@pytest.mark.parametrize("unknown_items", ["refuse", "keep", "drop"])
@pytest.mark.parametrize(
    ("reads", "books", "says"),
    [
        ("1.0 2.0", "1 2", "such as '1.0', is in the item table, which has '1': write ids alike"),
        ("1 2", "01 02", "such as '1', is in the item table, which has '01'"),
        ("7 8", "1 2", "such as 7, is in the item table, which has 1"),
    ],
)
def test_ids_that_two_tables_write_unlike_are_told(unknown_items, reads, books, says, tmp_path):
    meetings = "".join(f"u,{item},1\n" for item in reads.split())
    (tmp_path / "reads.csv").write_text(f"user,item,time\n{meetings}")
    (tmp_path / "books.csv").write_text("item,title,genres\n" + "".join(f"{item},T,G\n" for item in books.split()))
    with pytest.raises(InputError, match=f"^own: no item of the interactions, {re.escape(says)}"):
        from_tables(tmp_path / "reads.csv", tmp_path / "books.csv", reading=Reading(unknown_items=unknown_items))


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is a folder without \.parquet files: give the table's file"):
        from_tables(tmp_path)


def test_items_that_are_not_in_the_table_are_counted(tmp_path):
    reads = READS.replace("u1,1", "u1,8").replace("u2,2", "u2,9")
    assert "2 items of the interactions are not in the item table (such as 8)" in message_of(*write(tmp_path, reads))


def test_files_that_cannot_be_read_are_named(tmp_path):
    reads, books = write(tmp_path)
    assert "absent.csv does not exist: pass the path of a" in message_of(tmp_path / "absent.csv", books)
    assert "books.xlsx is neither .csv nor .tsv nor .parquet" in message_of(reads, tmp_path / "books.xlsx")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1")
    assert "broken.parquet is not a whole .parquet file" in message_of(broken, books)


def test_settings_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(InputError, match="separator of multi-valued cells is empty"):
        Columns(separator="").check()
    for attribute in ("item", "title"):
        message = message_of(*write(tmp_path), Columns(attribute=attribute))
        assert message == f"the attribute {attribute!r} names single items: name a column of groups"


@pytest.mark.parametrize("zoned", ["1970-01-01T01:00Z", "1970-01-01 01:00+01:00", "1970-01-01T01-02"])
def test_times_with_a_zone_and_times_without_one_are_refused_together(tmp_path, zoned):
    says = "but the table has times with a time zone and times without one"
    for plain in ("1970-01-01T00:00", "1970-01-01", "1970-01-01T00:00:01.5"):
        for first, second in ((plain, zoned), (zoned, plain)):
            message = message_of(*write(tmp_path, f"user,item,time\nu,1,{first}\nu,2,{second}\n"))
            assert f"row 3, column 'time' is '{second}', {says}" in message
    cells = [
        datetime.datetime(2020, 1, 1),
        datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        datetime.date(2020, 1, 1),
    ]
    for pair in (cells[:2], cells[1:]):
        reads = pd.DataFrame({"user": ["u", "u"], "item": [1, 2], "time": pd.Series(pair, dtype=object)})
        assert says in message_of(reads, frames()[1])
    far = pd.DataFrame({"user": ["u"], "item": [1], "time": pd.Series([datetime.datetime(9999, 1, 1)], dtype=object)})
    assert "but dates go from 1678 to 2261" in message_of(far, frames()[1])


def test_two_spellings_of_one_text_in_unicode_are_one(tmp_path):
    composed, decomposed = "Caf\u00e9", "Cafe\u0301"
    reads, books = f"user,item,time\nu,{decomposed},1\n", f"item,title,genres\n{composed},T,{decomposed}|{composed}\n"
    files = write(tmp_path, reads, books)
    for pair in (files, [pd.read_csv(path) for path in files]):
        dataset = from_tables(*pair)
        assert dataset.interactions["item"].tolist() == dataset.items.index.tolist() == [composed]
        assert set(dataset.items["genres"].iloc[0]) == {composed}
