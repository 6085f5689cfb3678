"""Parquet tables as a stream: the same as the frames that were written, and one line where files do not fit."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recmodels import from_tables
from recmodels.datasets import parquet_files
from recmodels.datasets.parquet_files import read_parquet
from recmodels.errors import InputError

ROWS = 60
RNG = np.random.default_rng(0)
PLAIN = pd.DataFrame(
    {"user": RNG.integers(0, 9, ROWS), "item": RNG.integers(0, 5, ROWS), "time": RNG.integers(0, 10**6, ROWS)}
)
TEXT = PLAIN.assign(user="ü" + PLAIN["user"].astype(str) + " ", item=PLAIN["item"].map("{:03d}".format))
DAYS = pd.to_datetime(PLAIN["time"], unit="s")


@pytest.fixture(autouse=True)
def batches_of_a_few_rows(monkeypatch):
    monkeypatch.setattr(parquet_files, "BATCH", 7)


def write_parts(folder, *parts):
    """Frames as the files of a folder, in this order."""
    folder.mkdir(exist_ok=True)
    for number, part in enumerate(parts):
        part.to_parquet(folder / f"part-{number}.parquet", row_group_size=11)
    return folder


def thirds(frame):
    return [frame.iloc[start : start + 20] for start in range(0, ROWS, 20)]


@pytest.mark.parametrize(
    "frame",
    [
        PLAIN,
        PLAIN.astype({"user": np.int8, "item": np.uint32, "time": float}),
        PLAIN.astype({"user": "Int64", "item": "int64[pyarrow]"}),
        TEXT,
        TEXT.astype({"user": "category", "item": "string"}),
        PLAIN.astype({"item": "category"}),
        PLAIN.assign(time=DAYS),
        TEXT.assign(time=DAYS.dt.tz_localize("UTC")),
        TEXT.assign(time=DAYS.dt.strftime("%Y-%m-%d %H:%M:%S")),
        TEXT.assign(user=TEXT["user"].str.encode("utf-8")),
        PLAIN.assign(user=PLAIN["user"].astype(np.uint64) + np.uint64(2**63 - 5)),
        PLAIN.sort_values("time"),
        pd.concat([PLAIN, PLAIN.iloc[:5]]).iloc[:ROWS],
    ],
)
def test_files_give_what_their_frame_gives(tmp_path, frame):
    expected = from_tables(frame)
    for parts in ([frame], thirds(frame)):
        dataset = from_tables(write_parts(tmp_path / str(len(parts)), *parts))
        pd.testing.assert_frame_equal(dataset.interactions, expected.interactions)
        assert dataset.fingerprint == expected.fingerprint


def test_rows_come_in_the_order_of_the_files(tmp_path):
    """Two users, worked out by hand: u1 met b before a, as times are equal and part-0 comes first."""
    first = pd.DataFrame({"user": ["u1", "u2"], "item": ["b", "b"], "time": [5, 1]})
    second = pd.DataFrame({"time": [5], "item": ["a"], "user": ["u1"]})  # its columns in another order
    rows = from_tables(write_parts(tmp_path / "reads", first, second)).interactions
    assert rows.to_numpy().tolist() == [["u1", "b", 5], ["u2", "b", 1], ["u1", "a", 5]]


def test_texts_are_held_once(tmp_path):
    frame, names = read_parquet(write_parts(tmp_path / "reads", *thirds(TEXT)), ["user", "item", "time"])
    assert frame["user"].cat.codes.dtype == np.int8
    assert sorted(frame["item"].cat.categories) == [f"{number:03d}" for number in range(5)]
    assert frame["time"].dtype == np.int64
    assert names == ("user", "item", "time")
    pd.testing.assert_frame_equal(frame.astype(object), TEXT.astype(object))


def test_parts_may_differ_in_what_means_the_same(tmp_path):
    """In width, in codes, in whole floats; and a part may have no rows, or no columns either."""
    first, second, third = thirds(PLAIN)
    parts = [
        first.astype({"user": np.int16, "item": np.int8}),
        first.iloc[:0],
        pd.DataFrame(),
        second.astype({"user": float}),
        third,
    ]
    dataset = from_tables(write_parts(tmp_path / "numbers", *parts))
    assert dataset.fingerprint == from_tables(PLAIN).fingerprint
    first, second, third = thirds(TEXT)
    parts = [first.astype({"user": "category"}), second, third]
    folder = write_parts(tmp_path / "texts", *parts)
    types = {"user": pa.large_string(), "item": pa.string(), "time": pa.int64()}
    pq.write_table(pa.Table.from_pandas(third).cast(pa.schema(types)), folder / "part-2.parquet")
    assert from_tables(folder).fingerprint == from_tables(TEXT).fingerprint


def without(part, name, gone):
    """A part in which some cells of a column are missing."""
    return part.assign(**{name: part[name].where(~part.index.isin(gone))})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda part: part.drop(columns="time"), "part-1.parquet has no column 'time', which .*part-0.parquet has: "),
        (
            lambda part: part.astype({"item": str}),
            "part-1.parquet has string in column 'item', and .*part-0.* has int64",
        ),
        (lambda part: part.assign(user=None), "row 20, column 'user' is empty, but every row needs an id"),
        (lambda part: without(part, "user", [23]), "row 23, column 'user' is empty, but every row needs an id"),
        (lambda part: without(part, "time", [20, 21]), "row 20, column 'time' is empty, but every row needs a time"),
        (lambda part: part.assign(time=np.inf), "row 20, column 'time' is inf, but a time is a finite number"),
        (
            lambda part: part.assign(user=[float(user) for user in part["user"][:-1]] + [7.5]),
            "row 39, column 'user' is 7.5, but an id is a whole number or text",
        ),
    ],
)
def test_parts_that_do_not_fit_are_one_line(tmp_path, change, says):
    first, second, third = thirds(PLAIN)
    folder = write_parts(tmp_path / "reads", first, change(second), third)
    with pytest.raises(InputError, match=says) as error:
        from_tables(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("lacking", [0, 1, 2])
@pytest.mark.parametrize("name", ["time", "item"])
def test_a_column_that_any_part_lacks_is_told(tmp_path, lacking, name):
    """Also the first part, whose columns are not those of all."""
    parts = thirds(PLAIN)
    parts[lacking] = parts[lacking].drop(columns=name)
    having = 1 if lacking == 0 else 0
    says = f"part-{lacking}.parquet has no column '{name}', which .*part-{having}.parquet has: write all parts alike"
    with pytest.raises(InputError, match=says):
        from_tables(write_parts(tmp_path / "reads", *parts))


def test_an_attribute_that_the_first_part_of_the_items_lacks_is_read(tmp_path):
    parts = [pd.DataFrame({"item": [1], "title": ["A"]}), pd.DataFrame({"item": [2], "title": ["B"], "genres": ["x"]})]
    reads = pd.DataFrame({"user": [1, 1], "item": [1, 2], "time": [1, 2]})
    for order in (parts, parts[::-1]):
        items = from_tables(reads, write_parts(tmp_path / order[0]["title"][0], *order)).items
        assert items.loc[2, "genres"] == "x"
        assert not items.loc[1, "genres"]


def test_a_damaged_part_is_named(tmp_path):
    folder = write_parts(tmp_path / "reads", *thirds(PLAIN))
    whole = (folder / "part-1.parquet").read_bytes()
    for bad in (b"", whole[: len(whole) // 2], b"user,item,time\n"):
        (folder / "part-1.parquet").write_bytes(bad)
        with pytest.raises(InputError, match=re.escape("part-1.parquet is not a whole .parquet file: write it again")):
            from_tables(folder)


def test_a_table_without_rows_is_one_line(tmp_path):
    folder = write_parts(tmp_path / "reads", PLAIN.iloc[:0], PLAIN.iloc[:0])
    with pytest.raises(InputError, match="has no rows below the column names"):
        from_tables(folder)


def test_the_table_of_items_keeps_lists_and_an_index_of_numbers(tmp_path):
    items = pd.DataFrame({"title": list("abcde"), "genres": [["x", "y"], [], ["x"], ["z"], ["y"]]})
    items.index.name = "item"
    items.to_parquet(tmp_path / "items.parquet")
    dataset = from_tables(write_parts(tmp_path / "reads", *thirds(PLAIN)), tmp_path / "items.parquet")
    assert dataset.items["genres"].tolist() == [("x", "y"), (), ("x",), ("z",), ("y",)]
    assert dataset.fingerprint == from_tables(PLAIN, items).fingerprint
