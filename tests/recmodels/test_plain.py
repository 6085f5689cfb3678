"""The doors of data: what a table means does not depend on the dtype, the library or the file that carries it."""

import datetime
import decimal
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from interp.concepts import concepts_of
from recmodels.columns import Table, times
from recmodels.config import Columns
from recmodels.datasets.tables import from_tables
from recmodels.datasets.values import AttributeWarning
from recmodels.errors import InputError
from recmodels.interactions import Dataset
from recmodels.plain import as_frame, plain, text

LOANS = {"user": [5, 5, 6], "item": [2, 1, 3], "time": [30, 10, 20]}


def arrow(values, kind=None):
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(values, kind)])))


def encoded(values):
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(values).dictionary_encode()])))


def loans(**columns):
    return pd.DataFrame(LOANS | columns)


def shelf(**columns):
    return pd.DataFrame({"item": [1, 2, 3], "title": ["Emma", "Walden", "Dune"], "genres": ["x", "y", "z"]} | columns)


def concepts(**columns):
    dataset = from_tables(loans(), shelf(**columns))
    return concepts_of(dataset.items, dataset.attribute).names


TEXT = ["War|Sea", None, "Sea "]


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series(TEXT, dtype=object),
        pd.Series(TEXT, dtype="string"),
        pd.Series(TEXT, dtype="category"),
        pd.Series(TEXT, dtype="string").astype("category"),
        arrow(TEXT),
        arrow(TEXT, pa.large_string()),
        encoded(TEXT),
        arrow([b"War|Sea", None, b"Sea"]),
        arrow([["War", " Sea"], None, ["Sea"]]),
        pd.Series([np.array(["War", "Sea"]), {"Sea"}, pd.Series(["Sea"])]),
    ],
)
def test_attributes_of_text_are_split_whatever_carries_them(cells):
    assert concepts(genres=cells) == ["Sea", "War"]


@pytest.mark.parametrize(
    "cells",
    [
        [1950.0, None, 1960.0],
        pd.array([1950, None, 1960], dtype="Int64"),
        pd.Series([1950.0, np.nan, 1960.0], dtype="category"),
        pd.Series([1950, "1960", np.float32(1960)], dtype=object),
        np.array([1950, 1950, 1960], dtype=np.float32),
        arrow([1950, None, 1960], pa.uint16()),
        arrow([decimal.Decimal(1950), None, decimal.Decimal(1960)], pa.decimal128(8, 2)),
        pd.arrays.SparseArray([1950.0, np.nan, 1960.0]),
        [[1950.0], [], [1960.0, torch.tensor(1950)]],
    ],
)
def test_whole_numbers_of_attributes_have_no_decimals(cells):
    assert concepts(genres=cells) == ["1950", "1960"]


@pytest.mark.parametrize(
    "make",
    [
        lambda ids: np.array(ids, dtype=np.uint64),
        lambda ids: np.array(ids, dtype=float),
        lambda ids: pd.array(ids, dtype="Int32"),
        lambda ids: pd.Series(ids, dtype="category"),
        lambda ids: pd.Series([np.int16(one) for one in ids], dtype=object),
        lambda ids: pd.Series([torch.tensor(one) for one in ids], dtype=object),
        arrow,
        encoded,
    ],
)
def test_ids_are_whole_numbers_whatever_carries_them(make):
    expected = pd.DataFrame(LOANS)
    for rows, table in [
        (loans(user=make([5, 5, 6]), item=make([2, 1, 3])), shelf()),
        (loans(), shelf(item=make([1, 2, 3]))),
    ]:
        dataset = from_tables(rows, table)
        pd.testing.assert_frame_equal(dataset.interactions, expected)
        assert dataset.items.index.dtype == np.int64
        table = table.set_index("item")
        pd.testing.assert_frame_equal(Dataset("direct", rows, table, "genres").interactions, expected)


@pytest.mark.parametrize("dtype", [object, "uint64", "UInt64", pd.ArrowDtype(pa.uint64())])
def test_ids_beyond_64_bits_stay_as_they_are_written(dtype):
    ids = [2**63 + 1, 2**63 + 3, 7]
    dataset = from_tables(loans(item=pd.Series(ids, dtype=dtype)), shelf(item=pd.Series(ids, dtype=dtype)))
    assert dataset.interactions["item"].tolist() == dataset.items.index.tolist() == [str(one) for one in ids]


@pytest.mark.parametrize("cell", [True, 2.5, np.inf, datetime.date(2020, 1, 1), [1], {}, (1, 2), "\ud800", b"\xff", 1j])
@pytest.mark.parametrize("column", ["user", "item"])
def test_what_is_no_id_is_refused_in_one_line(cell, column):
    with pytest.raises(InputError, match=r"the table of interactions.*column") as caught:
        from_tables(loans(**{column: pd.Series([2, cell, 3], dtype=object)}), shelf())
    assert str(caught.value).isprintable()


DAYS = ["1970-01-02", "1970-01-04"]
MOMENTS = pd.to_datetime(DAYS)
DATES = [datetime.date(1970, 1, 2), datetime.date(1970, 1, 4)]


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series(DAYS, dtype="category"),
        ["1970-01-02T05:00+05:00", " 1970-01-03T22:00-02:00"],
        ["86400", 259200.0],
        MOMENTS.as_unit("s"),
        pd.Series(MOMENTS.tz_localize("UTC").tz_convert("Asia/Tokyo")).astype("category"),
        pd.PeriodIndex(DAYS, freq="D"),
        pd.to_timedelta([1, 3], unit="D"),
        arrow(DATES),
        arrow(DATES, pa.date64()),
        arrow(list(MOMENTS), pa.timestamp("ms", "UTC")),
        encoded(DAYS),
        [np.datetime64("1970-01-02"), datetime.datetime(1970, 1, 4)],
        np.array([86400, 259200], dtype=np.uint64),
    ],
)
def test_times_are_numbers_or_seconds_whatever_carries_them(cells):
    table = Table("here", pd.DataFrame({"time": cells}), is_text=False)
    assert times(table, "time").tolist() == [86400, 259200]


def test_moments_beyond_the_range_of_nanoseconds_keep_their_order():
    far = np.array(["1500-01-01", "3000-01-01"], dtype="datetime64[s]")
    read = times(Table("here", pd.DataFrame({"time": far}), is_text=False), "time")
    assert read.tolist() == far.astype(int).tolist()


@pytest.mark.parametrize(
    "cells",
    [
        [None, 2],
        ["", "2"],
        [3, "2020-01-01"],
        [True, False],
        [[1], [2]],
        ["soon", "1"],
        [np.inf, 1],
        [10**30, 1],
        [1j, 2],
    ],
)
def test_what_is_no_time_is_refused_with_its_row(cells):
    table = Table("here", pd.DataFrame({"time": pd.Series(cells, dtype=object)}), is_text=False)
    with pytest.raises(InputError, match=r"here, row [01], column 'time' is"):
        times(table, "time")


def folder_of(frame, path):
    path.mkdir()
    for place in range(len(frame)):
        frame.iloc[place : place + 1].to_parquet(path / f"{place}.parquet")
    return path


def dictionaries(frame, path):
    columns = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(pa.table({name: columns[name].dictionary_encode() for name in columns.column_names}), path)
    return path


def old_mac(frame, path):
    path.write_bytes(frame.to_csv(index=False).replace("\n", "\r").encode())
    return path


class Interchange:
    """A table of a library that offers the dataframe interchange and nothing else."""

    def __init__(self, frame):
        self.columns, self.frame = list(frame.columns), frame

    def __dataframe__(self, **how):
        return self.frame.__dataframe__(**how)


@pytest.mark.parametrize(
    "carry",
    [
        lambda frame, _: pa.Table.from_pandas(frame),
        lambda frame, _: pa.RecordBatch.from_pandas(frame),
        lambda frame, _: Interchange(frame),
        lambda frame, _: frame.set_index("item"),
        lambda frame, _: frame.set_index(list(frame.columns[:2])),
        lambda frame, path: folder_of(frame, path / "parts"),
        lambda frame, path: dictionaries(frame, path / "table.parquet"),
        lambda frame, path: old_mac(frame, path / "TABLE.CSV"),
    ],
)
def test_tables_of_any_library_and_file_read_alike(tmp_path, carry):
    rows, table = loans(), shelf(genres=["War|Sea", "Sea", "War"])
    for name in ("rows", "table"):
        (tmp_path / name).mkdir()
    dataset = from_tables(carry(rows, tmp_path / "rows"), carry(table, tmp_path / "table"))
    assert dataset.fingerprint == from_tables(rows, table).fingerprint


def test_a_path_may_begin_with_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    loans().to_csv(tmp_path / "loans.csv", index=False)
    assert from_tables("~/loans.csv", shelf()).fingerprint == from_tables(loans(), shelf()).fingerprint


@pytest.mark.parametrize("source", [None, 3, {"user": [1]}, pd.Series([1]), "", "a\0.csv", [loans()]])
def test_what_is_no_table_is_refused(source):
    with pytest.raises(InputError, match=r"table of interactions is|is not a path"):
        from_tables(source, shelf())


@pytest.mark.parametrize(
    "cells",
    [
        ["['War', 'Sea']", "[]", "['Sea']"],
        [json.dumps(["War", "Sea"]), "", json.dumps(["Sea"])],
        ["('War', 'Sea')", "('Sea',)", "()"],
        ["{'War', 'Sea'}", "set()", "{'Sea'}"],
        ["['War' 'Sea']", "['Sea']", "['War'\n 'Sea']"],
        ["['War', nan, 'Sea']", "Sea", "War|Sea"],
        ['["\\u0057ar", "Sea"]', "Sea", "Sea"],
    ],
)
def test_lists_that_are_written_out_are_read_as_lists_and_said(tmp_path, cells):
    with pytest.warns(AttributeWarning, match="'genres': .* are lists that are written out"):
        assert concepts(genres=cells) == ["Sea", "War"]
    shelf(genres=cells).to_csv(tmp_path / "shelf.csv", index=False)
    with pytest.warns(AttributeWarning):
        dataset = from_tables(loans(), tmp_path / "shelf.csv")
    assert concepts_of(dataset.items, "genres").names == ["Sea", "War"]


def test_brackets_around_words_are_no_lists():
    assert concepts(genres=["[REC]", "(1994)", "[1]"]) == ["(1994)", "[1]", "[REC]"]


@pytest.mark.parametrize(
    "cells",
    [
        ["['War', 'Se", "['Sea']", ""],
        ["[{'id': 1, 'name': 'War'}]", "[{'id': 2, 'name': 'Sea'}]", "[]"],
        ["[War, Sea]", "[Sea]", "[War]"],
        [[["War"]], ["Sea"], []],
        [{"War": 1}, {}, {}],
    ],
)
def test_lists_that_cannot_be_read_are_refused_where_they_are_asked_for_and_else_left_out(cells):
    with pytest.raises(InputError, match="row 0, column 'genres'"):
        concepts(genres=cells)
    with pytest.warns(AttributeWarning, match="column 'extra'.*the column is left out"):
        assert "extra" not in from_tables(loans(), shelf(extra=cells)).items


def test_digits_that_are_names_stay_as_they_are_written(tmp_path):
    codes = {
        "zip": ["00501", "10001", "20001"],
        "isbn": ["9780000000000000000001", "2", "3"],
        "year": [0, None, 9],
    }
    shelf(**codes).to_csv(tmp_path / "shelf.csv", index=False)
    items = from_tables(loans(), tmp_path / "shelf.csv").items
    assert items["zip"].tolist() == codes["zip"]
    assert items["isbn"].tolist() == codes["isbn"]
    assert items["year"].tolist() == [0, pd.NA, 9]


def test_a_column_called_title_can_be_the_attribute():
    table = shelf(title=["Dr", "Prof", "Dr"], name=["Ann", "Bob", "Cy"], title_column=["a", "b", "c"])
    dataset = from_tables(loans(), table, Columns(title="name", attribute="title"))
    assert concepts_of(dataset.items, dataset.attribute).names == ["Dr", "Prof"]
    assert dataset.items["title"].tolist() == ["Ann", "Bob", "Cy"]
    assert dataset.items["title_column"].tolist() == ["a", "b", "c"]
    with pytest.raises(InputError, match="no column 'title'"):
        concepts_of(dataset.items, "title")


@pytest.mark.parametrize("name", ["item", "user", "time", "concepts", "popularity", "index", "level_0"])
def test_a_column_of_any_name_can_be_the_attribute(name):
    table = pd.DataFrame({"isbn": [1, 2, 3], "called": list("abc"), name: ["x", "y", "x"]})
    columns = Columns(item="isbn", title="called", attribute=name)
    for frame in (table, table.set_index(name)):
        dataset = from_tables(loans().rename(columns={"item": "isbn"}), frame, columns)
        assert len(dataset.fingerprint) == 64
        assert concepts_of(dataset.items, name).names == ["x", "y"]


def test_an_index_and_a_column_of_one_name_must_agree():
    same = shelf().set_index("item", drop=False)
    assert from_tables(loans(), same).fingerprint == from_tables(loans(), shelf()).fingerprint
    with pytest.raises(InputError, match="both a column and an index 'item'"):
        from_tables(loans(), shelf().set_axis(pd.Index([7, 8, 9], name="item")))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1984, None, 1985], ["1984", "2", "1985"]),
        (pd.Series(["A ", None, "C"], dtype="category"), ["A", "2", "C"]),
        (pd.Series([1984, np.nan, "C"], dtype=object), ["1984", "2", "C"]),
        (arrow([7, None, 9]), ["7", "2", "9"]),
    ],
)
def test_titles_are_text_and_warn_of_nothing(cells, expected):
    assert from_tables(loans(), shelf(title=cells)).items["title"].tolist() == expected
    by_id = from_tables(loans(), shelf().drop(columns="title"), Columns(title="item"))
    assert by_id.items["title"].tolist() == ["1", "2", "3"]


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "a/b", "a\\b", "C:x", "~x", "a\nb", "x" * 101, None, 3])
def test_the_name_of_a_data_set_is_no_path(name):
    with pytest.raises(InputError, match="cannot be the name of a data set"):
        from_tables(loans(), shelf(), name=name)


def test_plain_columns_are_left_alone():
    for column in (pd.Series([1, 2]), pd.Series([1.5, None]), pd.Series(["a", None], dtype=object)):
        assert plain(column) is column or plain(column).equals(column)
    assert as_frame(pd.Series([1])) is None
    assert [text(cell) for cell in (2.0, 2.5, None, True, pd.Timestamp("2020-01-02"), " a ")] == [
        "2", "2.5", "", "True", "2020-01-02", "a",
    ]  # fmt: skip
    with pytest.raises(InputError, match="not a value of an attribute"):
        text(object())


@pytest.mark.parametrize("numbers", [[10**400, 1.5], [1.5, 10**400], [10**400, None], [-(10**309), 2.0]])
def test_numbers_that_no_float_can_hold_stay_as_they_are(numbers):
    assert plain(pd.Series(numbers, dtype=object)).tolist() == numbers


def test_periods_before_the_range_of_nanoseconds_keep_their_dates():
    days = pd.Series([pd.Period("0033-04-22", "D"), pd.NaT], dtype="period[D]")
    first, second = plain(days)
    assert (first.year, first.month, first.day, second) == (33, 4, 22, pd.NaT)
    months = pd.Series([pd.Period("0001-02", "M"), pd.Period("1970-01", "M"), pd.Period("9000-01", "M")])
    assert plain(months).dt.year.tolist() == [1, 1970, 9000]


@pytest.mark.parametrize("dtype", ["Int64", "UInt64", pd.ArrowDtype(pa.int64())])
def test_a_column_of_gaps_alone_holds_no_ids(dtype):
    with pytest.raises(InputError, match="every row needs an id"):
        from_tables(loans(item=pd.Series([None] * 3, dtype=dtype)), shelf())


@pytest.mark.parametrize("columns", [3, "user", {"user": "u"}, loans(), object()])
def test_what_says_no_columns_is_refused(columns):
    with pytest.raises(InputError, match=r"columns is .*: give"):
        from_tables(loans(), shelf(), columns)
