from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recmodels.errors import InputError
from recmodels.sequences import Histories, as_histories, histories_of
from recmodels.vocabulary import Vocabulary

INTEGERS = Vocabulary(pd.Index([10, 20, 30, 40], name="item"))
STRINGS = Vocabulary(pd.Index(["a", "b", "c"], name="item"))


def histories(lists, users=None):
    """Histories of lists of codes."""
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    codes = np.array([code for one in lists for code in one], dtype=np.int32)
    return Histories(pd.Index(range(len(lists)) if users is None else users, name="user"), codes, offsets)


def as_lists(histories):
    return [one.tolist() for one in histories]


def table(rows):
    return pd.DataFrame(rows, columns=["user", "item", "time"])


many = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=7), min_size=1, max_size=8)


def test_vocabulary_is_sorted_and_goes_there_and_back():
    vocabulary = Vocabulary.of(table([(1, "c", 0), (1, "a", 1), (2, "b", 2), (2, "a", 3)]))
    assert vocabulary.ids.tolist() == ["a", "b", "c"]
    codes = vocabulary.encode(["c", "a", "c"])
    assert (codes.tolist(), codes.dtype) == ([2, 0, 2], np.int32)
    assert vocabulary.decode(codes).tolist() == ["c", "a", "c"]
    assert len(vocabulary) == 3


@pytest.mark.parametrize(
    ("vocabulary", "items", "message"),
    [
        (INTEGERS, [10, 5], r"^1 item is unknown to this recommender \(5\): leave it out, or .*, such as 10$"),
        (INTEGERS, ["10"], r"\('10'\)"),
        (INTEGERS, [1, 2, 3, 4, 2, 10], r"^4 items are unknown to this recommender \(1, 2, 3\)"),
        (STRINGS, ["a", "z"], r"\('z'\): leave it out, or write ids as this recommender does, such as 'a'"),
        (STRINGS, [0], r"^1 item is unknown"),
        (INTEGERS, [10.0, 20.5], r"^20\.5 is not an item id: give a whole number or text$"),
        (
            INTEGERS,
            [10.0, float("nan")],
            r"^an item of a history is missing \(None or NaN\): leave it out, or give its id$",
        ),
        (INTEGERS, [10, pd.NA], r"^an item of a history is missing"),
        (INTEGERS, [10**400], r"^1 item is unknown"),
    ],
)
def test_unknown_items_are_named(vocabulary, items, message):
    with pytest.raises(InputError, match=message) as caught:
        vocabulary.encode(items)
    assert "\n" not in str(caught.value)


def test_tokens_by_hand():
    tokens = histories([[0, 1, 2], [3], [4, 5]])
    assert tokens.tokens(9).tolist() == [[1, 2, 3], [0, 0, 4], [0, 5, 6]]
    assert tokens.tokens(2).tolist() == [[2, 3], [0, 4], [5, 6]]
    assert tokens.tokens(1).tolist() == [[3], [4], [6]]
    assert str(tokens.tokens(2).dtype) == "torch.int64"


@given(many, st.integers(1, 9))
def test_tokens_as_lists(lists, most):
    cut = [one[-most:] for one in lists]
    width = max(map(len, cut))
    expected = [[0] * (width - len(one)) + [code + 1 for code in one] for one in cut]
    assert histories(lists).tokens(most).tolist() == expected


@given(many, st.integers(0, 9))
def test_last_as_lists(lists, n):
    assert as_lists(histories(lists).last(n)) == [one[-n:] if n else [] for one in lists]


@given(many, st.data())
def test_select_as_lists(lists, data):
    rows = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=9))
    users = [f"u{i}" for i in range(len(lists))]
    chosen = histories(lists, users).select(np.array(rows, dtype=np.int64))
    assert as_lists(chosen) == [lists[row] for row in rows]
    assert chosen.users.tolist() == [users[row] for row in rows]
    part = data.draw(st.slices(len(lists)))
    assert as_lists(histories(lists).select(part)) == lists[part]


@given(many, st.integers(1, 9))
def test_batches_as_lists(lists, size):
    batches = [as_lists(batch) for batch in histories(lists).batches(size)]
    assert batches == [lists[start : start + size] for start in range(0, len(lists), size)]


@given(many, st.data())
def test_from_ranges_as_lists(lists, data):
    flat = [code for one in lists for code in one]
    end = st.integers(0, len(flat))
    ranges = [sorted(pair) for pair in data.draw(st.lists(st.tuples(end, end), max_size=6))]
    starts, ends = np.array(ranges, dtype=np.int64).reshape(-1, 2).T
    made = Histories.from_ranges(pd.RangeIndex(len(ranges)), np.array(flat, np.int32), starts, ends)
    assert as_lists(made) == [flat[start:end] for start, end in ranges]
    assert made.lengths.tolist() == [end - start for start, end in ranges]


@given(many)
def test_split_last_as_lists(lists):
    if min(map(len, lists)) < 2:
        with pytest.raises(InputError, match="has one item"):
            histories(lists).split_last()
    else:
        inputs, last = histories(lists).split_last()
        assert as_lists(inputs) == [one[:-1] for one in lists]
        assert last.tolist() == [one[-1] for one in lists]


@pytest.mark.parametrize(("users", "named"), [([7, 8], "8"), (["a", "b"], "'b'")])
def test_a_history_of_one_item_cannot_be_split(users, named):
    with pytest.raises(InputError, match=f"^the history of user {named} has one item: .*; drop such users$"):
        histories([[1, 2], [3]], users).split_last()


def test_histories_are_indexed_like_a_list():
    lists = [[1, 2], [3], [4, 5, 6]]
    assert [histories(lists)[index].tolist() for index in range(-3, 3)] == lists + lists
    for outside in (3, -4):
        with pytest.raises(IndexError):
            histories(lists)[outside]


def test_the_fingerprint_sees_users_codes_and_ends():
    variants = [
        histories([[1, 2], [3]]),
        histories([[1], [2, 3]]),
        histories([[1, 2], [4]]),
        histories([[1, 2], [3]], [0, 2]),
        histories([[1, 2], [3]], ["0", "1"]),
    ]
    assert len({variant.fingerprint for variant in variants}) == len(variants)
    assert (
        histories([[1, 2], [3]]).fingerprint
        == histories([[0], [1, 2], [3]], [9, 0, 1]).select(np.array([1, 2])).fingerprint
    )


@pytest.mark.parametrize(
    ("given", "users", "lists"),
    [
        ([[10, 30], [20]], [0, 1], [[0, 2], [1]]),
        ([10, 30], [0], [[0, 2]]),
        ((10, 30), [0], [[0, 2]]),
        (np.array([10, 30]), [0], [[0, 2]]),
        (pd.Series([10, 30], index=[5, 6]), [0], [[0, 2]]),
        (pd.Index([10, 30]), [0], [[0, 2]]),
        (np.array([[10, 30], [20, 20]]), [0, 1], [[0, 2], [1, 1]]),
        ([(10, 30), np.array([20]), pd.Series([40]), pd.Index([10])], [0, 1, 2, 3], [[0, 2], [1], [3], [0]]),
        ({"x": [10, 30], "y": (20,)}, ["x", "y"], [[0, 2], [1]]),
        ({3: np.array([40])}, [3], [[3]]),
    ],
)
def test_what_histories_are_read_from(given, users, lists):
    read = as_histories(given, INTEGERS)
    assert (read.users.tolist(), as_lists(read)) == (users, lists)
    assert as_histories(read, INTEGERS) is read


@pytest.mark.parametrize("given", [["b", "a"], ("b", "a"), [["b", "a"]], {0: ["b", "a"]}, pd.Series(["b", "a"])])
def test_strings_are_items_and_not_lists_of_letters(given):
    read = as_histories(given, STRINGS)
    assert (read.users.tolist(), as_lists(read)) == ([0], [[1, 0]])


def test_a_table_is_read_by_time_and_ties_in_row_order():
    rows = [
        ("v", 20, 5),
        ("u", 40, 1),
        ("v", 10, 5),
        ("u", 10, 0.5),
        ("v", 30, 5),
        ("v", 40, 2),
        ("u", 30, 1),
    ]
    read = as_histories(table(rows).set_axis([3, 3, 1, 0, 7, 8, 9]).assign(rating=1), INTEGERS)
    assert read.users.tolist() == ["v", "u"]
    assert as_lists(read) == [[3, 1, 0, 2], [0, 3, 2]]


rows = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([10, 20, 30, 40]), st.integers(0, 3)), min_size=1)


@given(rows)
@settings(max_examples=50)
def test_a_table_as_python_sorts_it(rows):
    read = as_histories(table(rows), INTEGERS)
    users = list(dict.fromkeys(user for user, _, _ in rows))
    assert read.users.tolist() == users
    items = [INTEGERS.decode(one).tolist() for one in read]
    assert items == [[item for u, item, _ in sorted(rows, key=lambda row: row[2]) if u == user] for user in users]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[10], [5]], r"^1 item is unknown to this recommender \(5\): leave it out"),
        ("10", r"^cannot read histories from str: pass lists of item ids, a mapping .* or a table"),
        (10, r"^cannot read histories from int: pass"),
        (None, r"^cannot read histories from NoneType: pass"),
        ({10, 20}, r"^cannot read histories from set: pass"),
        ([], r"^no histories given: pass at least one list of item ids$"),
        ({}, r"^no histories given: pass at least one list"),
        ([[10], []], r"^the history of user 1 is empty: give at least one item, or leave the user out$"),
        ([[]], r"^the history of user 0 is empty: give"),
        ({"x": [10], "y": []}, r"^the history of user 'y' is empty: give"),
        ([[10, 20], 30], r"^the history of user 1 is int, not a list of item ids: write \[30\]$"),
        ({"x": 10}, r"^the history of user 'x' is int, not a list of item ids: write \[10\]$"),
        ({"x": "10"}, r"^the history of user 'x' is str, not a list of item ids: write \['10'\]$"),
        (table([(1, 10, 0)]).drop(columns="time"), r"needs the columns user, item, time; time missing$"),
        (table([(1, 10, 0)])[["item"]], r"needs the columns user, item, time; time, user missing$"),
        (table([]), r"^no interactions, so no histories: pass at least one row"),
        (table([(1, 5, 0)]), r"^1 item is unknown"),
        (
            table([(1, 10, 0), (None, 10, 1)]),
            r"^the table of histories, row 1, column 'user' is empty, but every row needs a user: correct it",
        ),
    ],
)
def test_what_cannot_be_read_is_explained_in_one_line(given, message):
    with pytest.raises(InputError, match=message) as caught:
        as_histories(given, INTEGERS)
    assert "\n" not in str(caught.value)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(2, 8), st.booleans())
def test_windows_cut_every_history_from_its_end(lengths, length, shared):
    overlap = int(shared)
    histories = Histories(
        pd.Index(range(len(lengths))),
        np.arange(sum(lengths), dtype=np.int32),
        np.concatenate([[0], np.cumsum(lengths)]),
    )
    found = histories.windows(length, overlap)
    for user in range(len(lengths)):
        items, expected = histories[user].tolist(), []
        while True:
            expected.insert(0, items[-length:])
            if len(items) <= length:
                break
            items = items[: len(items) - length + overlap]
        assert [found[row].tolist() for row in np.flatnonzero(found.users == user)] == expected


@pytest.mark.parametrize(
    ("given", "users", "lists"),
    [
        (pd.Series([[10, 30], [20]], index=["x", "y"]), ["x", "y"], [[0, 2], [1]]),
        (pd.Series([[10]], index=pd.MultiIndex.from_tuples([("shop", 1)])), [("shop", 1)], [[0]]),
        ({("shop", 1): [10], ("shop", 2): [20]}, [("shop", 1), ("shop", 2)], [[0], [1]]),
        ({np.int64(3): [10], "b": [20]}, [3, "b"], [[0], [1]]),
        ([np.int16(10), torch.tensor(20), np.array(30), 40.0, Decimal(10)], [0], [[0, 1, 2, 3, 0]]),
        (torch.tensor([[10, 30], [20, 20]]), [0, 1], [[0, 2], [1, 1]]),
        ([torch.tensor([10, 30]), torch.tensor([20])], [0, 1], [[0, 2], [1]]),
        (pd.Series([10, 30], dtype="category"), [0], [[0, 2]]),
        (np.array([10, 30], dtype=np.uint64), [0], [[0, 2]]),
        (pa.chunked_array([[[10, 30], [20]]]), [0, 1], [[0, 2], [1]]),
        (
            pa.table({"user": ["u", "v", "u"], "item": [10, 20, 30], "time": ["100", "7", "20"]}),
            ["u", "v"],
            [[2, 0], [1]],
        ),
        (table([(("a", 1), 10, 2), (("a", 1), 20, 1)]), [("a", 1)], [[1, 0]]),
        (table([("u", 10, "2020-01-01T10:00-05:00"), ("u", 20, "2020-01-01T11:00+00:00")]), ["u"], [[1, 0]]),
        (table([("u", 10, 1)]).set_index("user"), ["u"], [[0]]),
    ],
)
def test_histories_follow_the_rules_of_tables(given, users, lists):
    read = as_histories(given, INTEGERS)
    assert (read.users.tolist(), as_lists(read)) == (users, lists)
    assert len(read.fingerprint) == 64


@pytest.mark.parametrize(
    "given",
    [
        [[[10, 20]]],
        [10, [20]],
        [{10}],
        [True],
        [10, None],
        [pd.NA],
        [10.5],
        [float("inf")],
        [b"\xff"],
        ["\ud800"],
        b"\n",
        np.array(10),
        torch.tensor(10),
        torch.empty(2, device="meta"),
        np.zeros((1, 1, 1), dtype=int),
        np.ma.masked_array([10, 20], [False, True]),
        {True: [10]},
        {None: [10]},
        {float("nan"): [10]},
        {("a", None): [10]},
        pd.Series([[10], [20]], index=["x", "x"]),
        {"x": {"y": [10]}},
        table([([1], 10, 0)]),
        table([("", 10, 0)]),
        table([(1, [10], 0)]),
        table([(1, 10, None)]),
        table([(1, 10, 3), (1, 20, "2020-01-01")]),
        table([(1, 10, True)]),
        table([(1, True, 1)]),
        pd.DataFrame([[1, 10, 1, 2]], columns=["user", "item", "time", "time"]),
    ],
)
def test_what_is_no_history_is_refused_in_one_line(given):
    with pytest.raises(InputError) as caught:
        as_histories(given, INTEGERS)
    assert str(caught.value).isprintable()


def test_whole_numbers_beyond_any_float_name_users():
    beyond = 10**400
    rows = pd.DataFrame({"user": pd.Series([beyond, 1.5], dtype=object), "item": [10, 20], "time": [1, 2]})
    series = pd.Series([[10], [20]], index=pd.Index([beyond, 1.5], dtype=object))
    for value in (rows, series, {beyond: [10], 1.5: [20]}):
        read = as_histories(value, INTEGERS)
        assert (read.users.tolist(), as_lists(read)) == ([beyond, 1.5], [[0], [1]])
    with pytest.raises(InputError, match="beyond any float in its index 'user': make it a column of text"):
        as_histories(rows[["item", "time"]].set_axis(pd.Index([beyond, 1.5], dtype=object, name="user")), INTEGERS)


def test_further_columns_go_with_their_steps():
    frame = pd.DataFrame(
        {"user": ["a", "b", "a", "a"], "item": [7, 8, 9, 7], "time": [3.0, 1.0, 2.0, 5.0], "stars": [1, 2, 3, 4]}
    )
    vocabulary = Vocabulary(pd.Index([7, 8, 9]), ("stars",))
    histories = histories_of(frame, vocabulary)
    assert histories.extras["stars"].tolist() == [3, 1, 4, 2]
    assert histories.select([1, 0]).extras["stars"].tolist() == [2, 3, 1, 4]
    assert histories.last(2).extras["stars"].tolist() == [1, 4, 2]
    assert histories.select([0]).split_last()[0].extras["stars"].tolist() == [3, 1]
    assert histories.windows(2).extras["stars"].tolist() == [3, 1, 4, 2]
    assert histories.extra("stars", 2).tolist() == [[1, 4], [0, 2]]
    joined = Histories.concatenated([histories.select([1]), histories.select([0])])
    assert joined.extras["stars"].tolist() == [2, 3, 1, 4]
    assert joined.users.tolist() == ["b", "a"]
    in_order = histories_of(frame, vocabulary, is_ordered=True)
    assert in_order.extras["stars"].tolist() == [1, 3, 4, 2]
    assert histories_of(frame.drop(columns="time"), vocabulary, is_ordered=True).fingerprint == in_order.fingerprint
    assert histories_of(frame, Vocabulary(vocabulary.ids)).extras == {}


@pytest.mark.parametrize(
    ("lists", "says"),
    [
        ({253: ["a", "b"]}, "1 history of 2 items, user 253"),
        ({"x": ["a"], "y": ["b"]}, "2 histories of 1 item, users 'x', 'y'"),
        ({n: ["a"] * n for n in range(1, 6)}, "5 histories of 1 to 5 items, users 1, 2, 3, …"),
    ],
)
def test_histories_say_whose_they_are_and_no_codes(lists, says):
    histories = as_histories(lists, Vocabulary(pd.Index(["a", "b"])))
    assert repr(histories) == says
    assert repr(histories.select(slice(0, 0))) == "no histories"
