"""`from_tables`: the same content means the same through every door, and odd content is answered or refused."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger import COUNTS, Silent, attempt, check, inputs
from odd import CELLS, KEYS, NUMBERS, TEXTS, VALUES

from recmodels.config import Columns
from recmodels.datasets.tables import from_tables

FRAMES = "frames"
WORDS = st.text("abcxyzé", min_size=1, max_size=4)
IDS = st.one_of(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=4, unique=True),
    st.lists(WORDS, min_size=2, max_size=4, unique=True),
)
WHOLE = [
    "int64",
    "int32",
    "Int64",
    "uint64",
    "object",
    "category",
    pd.ArrowDtype(pa.int64()),
    pd.ArrowDtype(pa.uint64()),
]
TEXT = ["object", "string", "string[pyarrow]", "category", pd.ArrowDtype(pa.string()), pd.ArrowDtype(pa.large_string())]
TEXT += [pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))]
TIMES = [
    "int64",
    "Int64",
    "float64",
    "object",
    "dates",
    "zoned",
    "iso",
    "category of iso",
    "arrow dates",
    "text of dates",
]
DOORS = ["frame", "index", ".csv", ".tsv", ".parquet", "polars", "arrow", "chunks"]


@st.composite
def contents(draw):
    """Users, items and times of interactions; ids, titles, attribute and year of items."""
    items, users = draw(IDS), draw(IDS)
    rows = draw(st.lists(st.tuples(st.sampled_from(users), st.sampled_from(items), st.integers(0, 10**9)), min_size=1))
    described = [
        (
            item,
            draw(WORDS),
            "|".join(draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))),
            draw(st.integers(1, 3)),
        )
        for item in items
    ]
    if not any("|" in genres for _, _, genres, _ in described):
        described[0] = (*described[0][:2], "a|b", described[0][3])
    return (
        pd.DataFrame(rows, columns=["user", "item", "time"]),
        pd.DataFrame(described, columns=["item", "title", "genres", "year"]),
    )


def retyped(column, dtypes):
    kinds = dtypes["whole" if column.dtype.kind in "iu" else "text"]
    return column.astype(kinds)


def dates(column, kind):
    moments = pd.to_datetime(column, unit="s")
    if kind == "dates":
        return moments
    if kind == "zoned":
        return moments.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    if kind == "arrow dates":
        return moments.astype(pd.ArrowDtype(pa.timestamp("us")))
    if kind == "text of dates":
        return moments.dt.tz_localize("UTC").dt.tz_convert("America/New_York").map(lambda moment: moment.isoformat())
    iso = moments.dt.strftime("%Y-%m-%dT%H:%M:%S")
    return iso.astype("category") if kind == "category of iso" else iso


def through(door, frame, folder, name):
    if door == "frame":
        return frame
    if door == "index":
        return frame.set_index("item") if name == "items" else frame.set_index("user")
    if door == "polars":
        return pl.from_pandas(frame)
    if door == "arrow":
        return pa.Table.from_pandas(frame, preserve_index=False)
    if door == "chunks":
        return pa.concat_tables([pa.Table.from_pandas(part, preserve_index=False) for part in (frame[:1], frame[1:])])
    path = folder / f"{name}{door}"
    if door == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, sep="," if door == ".csv" else "\t")
    return path


def plain(dataset):
    """The content of a data set in Python's own values."""
    met, items = dataset.interactions, dataset.items
    return (
        list(zip(met["user"].tolist(), met["item"].tolist(), met["time"].astype(float).tolist(), strict=True)),
        [(item, row["title"], row["genres"], float(row["year"])) for item, row in items.iterrows()],
    )


def expected(met, items):
    return (
        [(user, item, float(time)) for user, item, time in met.itertuples(index=False)],
        [
            (item, title, tuple(genres.split("|")), float(year))
            for item, title, genres, year in items.itertuples(index=False)
        ],
    )


def test_one_meaning_through_every_door(tmp_path):
    @inputs(0.05)
    @given(
        contents(),
        st.sampled_from(WHOLE),
        st.sampled_from(TEXT),
        st.sampled_from(TIMES),
        st.sampled_from(DOORS),
        st.sampled_from(DOORS),
    )
    def run(content, whole, text, time, door, other):
        met, items = content
        dtypes = {"whole": whole, "text": text}
        typed_met, typed_items = (
            frame.apply(lambda column: column if column.name == "time" else retyped(column, dtypes))
            for frame in (met, items)
        )
        plain_number = time in ("int64", "Int64", "float64", "object")
        typed_met["time"] = met["time"].astype(time) if plain_number else dates(met["time"], time)
        try:
            given_met = through(door, typed_met, tmp_path, "met")
            given_items = through(other, typed_items, tmp_path, "items")
        except (pa.ArrowException, TypeError):  # pandas cannot write it
            return

        def read():
            answer = plain(from_tables(given_met, given_items, Columns()))
            if answer != expected(met, items):
                raise Silent(f"read as {answer}")

        attempt(FRAMES, read, f"{whole} {text} {time} {door} {other} {met.to_dict('list')} {items.to_dict('list')}")

    run()


IN_COLUMNS = CELLS | st.sampled_from(["a|b", "a", "", " a", "['a', 'b']", {"a", "b"}, ("a", None), ["a", ["b"]]])
COLUMNS = st.one_of(
    st.lists(IN_COLUMNS, min_size=3, max_size=3),
    st.lists(st.sampled_from(NUMBERS), min_size=3, max_size=3),
    st.lists(st.sampled_from(TEXTS), min_size=3, max_size=3),
    st.lists(st.datetimes() | st.dates() | st.none() | st.timedeltas(), min_size=3, max_size=3),
)
TYPES = [
    None,
    "category",
    "string",
    "Int64",
    "float32",
    "uint64",
    "boolean",
    "datetime64[ns]",
    "Sparse[int]",
    "period[D]",
]


@st.composite
def odd_frames(draw):
    """Two valid frames of three rows, of which a column or a few are replaced."""
    met = pd.DataFrame({"user": ["a", "b", "a"], "item": [1, 2, 3], "time": [1, 2, 3]})
    items = pd.DataFrame({"item": [1, 2, 3], "title": ["x", "y", "z"], "genres": ["p|q", "q", ""], "year": [1, 2, 3]})
    for _ in range(draw(st.integers(1, 2))):
        frame = draw(st.sampled_from([met, items]))
        name, cells = draw(st.sampled_from(list(frame.columns))), draw(COLUMNS)
        column = pd.Series(cells, dtype=object)
        dtype = draw(st.sampled_from(TYPES))
        try:
            frame[name] = column.infer_objects() if dtype is None else column.astype(dtype)
        except Exception:  # no such column can be made
            frame[name] = column
        if draw(st.integers(0, 15)) == 0:
            frame.rename(columns={name: draw(KEYS)}, inplace=True)
    return met, items


def test_odd_cells():
    @inputs(0.05)
    @given(odd_frames())
    def run(frames):
        met, items = frames
        attempt(FRAMES, lambda: from_tables(met, items, Columns()).fingerprint, (met, items))

    run()


def test_odd_tables():
    @inputs(0.02)
    @given(VALUES, VALUES, st.booleans())
    def run(met, items, name):
        attempt(FRAMES, lambda: from_tables(met, items, None if name else met), (met, items))

    run()


@pytest.mark.skipif(not COUNTS, reason="failures are raised at once")
def test_nothing_is_uncaught():
    check(FRAMES)
