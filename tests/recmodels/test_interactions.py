import numpy as np
import pandas as pd
import pytest

from recmodels.errors import InputError
from recmodels.interactions import Dataset, validated_interactions, validated_items, without_repeats


def interactions(**columns):
    return pd.DataFrame({"user": [7, 7, 8], "item": [1, 2, 1], "time": [10, 20, 15]} | columns)


def items(ids=(1, 2), **columns):
    frame = {"title": [f"Item {item}" for item in ids], "genres": [("Drama",)] * len(ids)} | columns
    return pd.DataFrame(frame, index=list(ids))


def dataset(rows=None, table=None, attribute="genres"):
    rows = interactions() if rows is None else rows
    return Dataset("toy", rows, items() if table is None else table, attribute)


def test_rows_keep_their_order_and_lose_other_columns_and_their_index():
    frame = interactions(rating=[5, 4, 3])[["rating", "time", "item", "user"]].set_axis([3, 3, 1])
    expected = pd.DataFrame({"user": [7, 7, 8], "item": [1, 2, 1], "time": [10, 20, 15]})
    pd.testing.assert_frame_equal(validated_interactions(frame), expected)


@pytest.mark.parametrize("kind", [object, "string"])
def test_ids_may_be_strings(kind):
    frame = interactions(user=pd.Series(["a", "a", "b"], dtype=kind))
    assert validated_interactions(frame)["user"].tolist() == ["a", "a", "b"]


@pytest.mark.parametrize("column", ["user", "item", "time"])
def test_a_missing_column_is_named(column):
    with pytest.raises(InputError, match=rf"lack the column '{column}' \(they have .*\): rename"):
        validated_interactions(interactions().drop(columns=column))


def test_no_rows_are_refused():
    with pytest.raises(InputError, match="interactions are empty"):
        validated_interactions(interactions().head(0))


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ([7, "7", 8], "'user' holds ids of type mixed-integer"),
        ([7.5, 7.0, 8.0], "'user' holds ids of type floating"),
        ([True, True, False], "'user' holds ids of type boolean"),
        ([7, None, 8], "column 'user': row 1 has no id"),
        (pd.array([7, 7, None], dtype="Int64"), "column 'user': row 2 has no id"),
        (["a", float("nan"), "b"], "column 'user': row 1 has no id"),
    ],
)
def test_ids_of_another_type_are_refused(user, message):
    with pytest.raises(InputError, match=message):
        validated_interactions(interactions(user=user))


@pytest.mark.parametrize(
    ("time", "message"),
    [
        ([10, float("nan"), 15], "'time', row 1 is not a finite number"),
        ([10, 20, float("inf")], "'time', row 2 is not a finite number"),
        (pd.array([None, 20, 15], dtype="Int64"), "'time', row 0 is not a finite number"),
        (["10", "20", "15"], "'time' holds object: convert it to numbers"),
        (pd.to_datetime(["2020", "2021", "2022"]), "'time' holds datetime64"),
        ([True, False, True], "'time' holds bool"),
    ],
)
def test_times_that_are_not_finite_numbers_are_refused(time, message):
    with pytest.raises(InputError, match=message):
        validated_interactions(interactions(time=time))


def test_items_get_a_named_index():
    assert validated_items(items()).index.name == "item"


def test_items_need_a_title():
    with pytest.raises(InputError, match="lacks the column 'title'"):
        validated_items(items().drop(columns="title"))


def test_two_rows_for_one_item_are_refused():
    with pytest.raises(InputError, match=r"^item 2 has more than one row"):
        validated_items(items([2, 1, 2]))
    with pytest.raises(InputError, match=r"^item 'b' has more than one row"):
        validated_items(items(["b", "b"]))


def test_items_with_mixed_or_missing_ids_are_refused():
    with pytest.raises(InputError, match="index holds ids of type mixed"):
        validated_items(items([1, "1"]))
    with pytest.raises(InputError, match="index: row 1 has no id"):
        validated_items(items(["a", None]))


def test_items_that_are_not_in_the_table_are_named():
    with pytest.raises(InputError, match=r"^toy: item 2 of the interactions is not in the item table: add it there"):
        dataset(table=items([1]))
    with pytest.raises(
        InputError, match=r"no item of the interactions, such as 1, is in the item table, which has '1': write"
    ):
        dataset(table=items(["1", "2"]))


def test_items_that_nobody_met_are_kept():
    assert len(dataset(table=items([1, 2, 3])).items) == 3


def test_an_attribute_must_be_a_column():
    with pytest.raises(InputError, match="has no column 'tags'; choose one of title, genres"):
        dataset(attribute="tags")


def test_errors_are_one_line():
    with pytest.raises(InputError) as caught:
        dataset(table=items([1]))
    assert "\n" not in str(caught.value)


def test_the_fingerprint_sees_every_value_and_the_order():
    table = items()
    variants = [
        dataset(),
        dataset(interactions(time=[10, 20, 16])),
        dataset(interactions(user=[7, 8, 8])),
        dataset(interactions(item=[1, 2, 2])),
        dataset(interactions().iloc[::-1]),
        dataset(table=table.iloc[::-1]),
        dataset(table=table.assign(genres=[("Drama",), ("Drama", "War")])),
        dataset(table=table.assign(year=[1995, 1996])),
        dataset(interactions(user=["7", "7", "8"])),
        dataset(interactions(item=["1", "2", "1"]), items(["1", "2"])),
    ]
    assert len({variant.fingerprint for variant in variants}) == len(variants)


def test_the_fingerprint_depends_on_nothing_else():
    narrow = interactions().astype({"user": np.int32, "item": np.int16})
    assert dataset(narrow.set_axis([5, 6, 7])).fingerprint == dataset().fingerprint


def test_an_item_column_beside_the_index_does_no_harm():
    assert len(dataset(table=items().assign(item=[1, 2])).fingerprint) == 64


def test_a_repeated_column_is_refused():
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["user", "item", "time", "user"])
    with pytest.raises(InputError, match="two columns 'user'"):
        validated_interactions(frame)


# User 7 meets item 1 at times 20 and 10 (twice), item 2 once; user 8 meets item 1 at 5 and 5.
REPEATS = pd.DataFrame(
    {
        "user": [7, 7, 8, 7, 7, 8],
        "item": [1, 1, 1, 2, 1, 1],
        "time": [20, 10, 5, 30, 10, 5],
    }
)


@pytest.mark.parametrize(("keep", "rows"), [("first", [1, 2, 3]), ("last", [0, 3, 5]), ("all", [0, 1, 2, 3, 4, 5])])
def test_of_repeats_one_is_kept_by_time_and_then_by_row(keep, rows):
    before = REPEATS.copy()
    expected = REPEATS.iloc[rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(without_repeats(REPEATS, keep), expected)
    pd.testing.assert_frame_equal(REPEATS, before)


@pytest.mark.parametrize("keep", ["first", "last"])
def test_repeats_are_found_as_a_plain_loop_finds_them(keep):
    generator = np.random.default_rng(0)
    frame = validated_interactions(
        pd.DataFrame({name: generator.integers(0, 6, 300) for name in ("user", "item")}).assign(
            time=generator.integers(0, 9, 300)
        )
    )
    best = {}
    for row, (user, item, time) in enumerate(frame.itertuples(index=False)):
        key = (time, row)
        held = best.setdefault((user, item), key)
        best[user, item] = min(held, key) if keep == "first" else max(held, key)
    rows = sorted(row for _, row in best.values())
    pd.testing.assert_frame_equal(without_repeats(frame, keep), frame.iloc[rows].reset_index(drop=True))


def test_repeats_are_kept_in_no_other_way():
    with pytest.raises(InputError, match="cannot be kept as 'best': choose all, first or last"):
        without_repeats(REPEATS, "best")


def test_categorical_ids_are_the_ids_that_they_stand_for():
    frame = pd.DataFrame({"user": ["a", "b"], "item": [3, 4], "time": [0, 1]})
    pd.testing.assert_frame_equal(validated_interactions(frame.astype({"user": "category", "item": "category"})), frame)


@pytest.mark.parametrize(
    "columns",
    [{"title": ["Emma", "\ud800"]}, {"genres": [("Drama",), ("War", "\udfff")]}, {"maker": ["Rhea", "a\udc80b"]}],
    ids=["title", "tuple", "text"],
)
def test_half_a_character_is_refused(columns):
    with pytest.raises(InputError, match="has half a character"):
        dataset(table=items(**columns))
