"""Histories and questions: the same history means the same in every form, and odd ones are answered or refused."""

from collections import deque

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ledger import COUNTS, Silent, attempt, check, inputs
from odd import KEYS, NUMBERS, TEXTS, VALUES

from recmodels.sequences import Histories, as_histories
from recmodels.vocabulary import Vocabulary

QUESTIONS = "questions"
ITEMS = list(range(1, 41))
BY_NUMBER = Vocabulary(pd.Index(ITEMS, name="item"))
BY_TEXT = Vocabulary(pd.Index([f"i{item}" for item in ITEMS], name="item"))
LISTS = st.lists(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=5), min_size=1, max_size=3)
MOSTLY_ITEMS = st.sampled_from(ITEMS) | st.sampled_from(ITEMS) | st.sampled_from([*NUMBERS, *TEXTS]) | VALUES
FORMS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "objects": lambda items: np.array(items, dtype=object),
    "column": pd.Series,
    "shifted column": lambda items: pd.Series(items, index=range(5, 5 + len(items))),
    "index": pd.Index,
    "categories": lambda items: pd.Series(items, dtype="category"),
    "arrow": lambda items: pd.Series(items, dtype="string[pyarrow]" if isinstance(items[0], str) else "int64[pyarrow]"),
    "array of arrow": pa.array,
    "polars": pl.Series,
    "deque": deque,
    "generator": iter,
    "numpy items": lambda items: list(np.array(items)),
    "floats": lambda items: np.array(items, dtype=float),
    "unsigned": lambda items: np.array(items, dtype="uint64"),
    "tensor": torch.tensor,
    "0-d tensors": lambda items: [torch.tensor(item) for item in items],
}


def many(lists, users, form):
    """Histories of several users in one of the forms."""
    if form == "mapping":
        return dict(zip(users, lists, strict=True))
    if form == "column":
        return pd.Series(lists, index=users)
    if form == "lists":
        return lists
    rows = [(user, item, step) for user, items in zip(users, lists, strict=True) for step, item in enumerate(items)]
    table = pd.DataFrame(rows, columns=["user", "item", "time"])
    return {"polars": pl.from_pandas, "arrow": pa.Table.from_pandas}.get(form, lambda frame: frame)(table)


def meaning(histories, vocabulary):
    return [vocabulary.decode(histories[place]).tolist() for place in range(len(histories))]


def test_one_history_in_every_form():
    @inputs(0.04)
    @given(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=6), st.sampled_from(sorted(FORMS)), st.booleans())
    def run(items, form, text):
        vocabulary = BY_TEXT if text else BY_NUMBER
        items = [f"i{item}" for item in items] if text else items
        try:
            history = FORMS[form](items)
        except (TypeError, ValueError):  # no texts in this form
            return

        def read():
            answer = meaning(as_histories(history, vocabulary), vocabulary)
            if answer != [items]:
                raise Silent(f"read as {answer}")

        attempt(QUESTIONS, read, f"{form} of {items}")

    run()


def test_many_histories_in_every_form():
    @inputs(0.03)
    @given(LISTS, st.sampled_from(["mapping", "column", "lists", "table", "polars", "arrow"]), st.booleans())
    def run(lists, form, named):
        users = ["ann", "bob", "cleo"][: len(lists)] if named else list(range(7, 7 + len(lists)))

        def read():
            histories = as_histories(many(lists, users, form), BY_NUMBER)
            if meaning(histories, BY_NUMBER) != lists:
                raise Silent(f"read as {meaning(histories, BY_NUMBER)}")
            if form != "lists" and histories.users.tolist() != users:
                raise Silent(f"users are {histories.users.tolist()}")

        attempt(QUESTIONS, read, f"{form} of {lists} for {users}")

    run()


COLUMN = st.lists(VALUES, min_size=2, max_size=2) | st.lists(
    st.sampled_from([*NUMBERS, *TEXTS]), min_size=2, max_size=2
)
ODD_TABLES = st.fixed_dictionaries(
    {"user": st.just(["a", "b"]) | COLUMN, "item": st.just([1, 2]) | COLUMN, "time": st.just([1, 2]) | COLUMN}
).map(lambda columns: pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()}))
ODD_HISTORIES = st.one_of(
    VALUES,
    st.lists(MOSTLY_ITEMS, max_size=4),
    st.lists(MOSTLY_ITEMS, max_size=4).map(tuple),
    st.lists(st.lists(MOSTLY_ITEMS, max_size=3), max_size=3),
    st.dictionaries(KEYS, st.lists(MOSTLY_ITEMS, max_size=3) | VALUES, max_size=3),
    st.lists(st.lists(MOSTLY_ITEMS, max_size=3) | VALUES, min_size=1, max_size=3).map(
        lambda lists: pd.Series([*lists, None], dtype=object)[:-1]
    ),
    ODD_TABLES,
)


def test_odd_histories():
    @inputs(0.07)
    @given(ODD_HISTORIES, st.booleans())
    def run(history, text):
        def read():
            histories = as_histories(history, BY_TEXT if text else BY_NUMBER)
            if not isinstance(histories, Histories) or not histories.lengths.all():
                raise Silent("these are no histories")
            assert histories.fingerprint

        attempt(QUESTIONS, read, history)

    run()


LENGTHS = st.sampled_from([1, 2, 10, 39, 40, 41, *NUMBERS]) | VALUES
SOUND = st.lists(st.sampled_from(ITEMS), min_size=1, max_size=9)


def test_odd_questions_to_a_recommender(tiny_rec):
    calls = {
        "recommend": lambda history, k: tiny_rec.recommend(history, k),
        "rank": lambda history, k: tiny_rec.rank(history, k),
        "score": lambda history, k: tiny_rec.score(history),
        "item_grid": lambda history, k: tiny_rec.item_grid(history),
        "item_steps": lambda history, k: tiny_rec.item_steps(history),
        "trace": lambda history, k: traced(tiny_rec, history),
        "hidden": lambda history, k: tiny_rec.hidden(tiny_rec.recommender.histories(SOUND_ONE), k),
    }

    @inputs(0.03)
    @given(st.sampled_from(sorted(calls)), SOUND | ODD_HISTORIES, LENGTHS)
    def run(name, history, k):
        attempt(QUESTIONS, lambda: calls[name](history, k), (name, history, k))

    run()


SOUND_ONE = [3, 5, 7]


def traced(rec, history):
    with rec.trace(history):
        scores = rec.scores.save()
    return scores


def test_odd_questions_to_a_study(tiny_study):
    concept = tiny_study.concepts.names[0]
    calls = {
        "why": lambda history, item, k: tiny_study.why(history, item, k),
        "to_enter": lambda history, item, k: tiny_study.to_enter(history, item, k),
        "candidates": lambda history, item, k: tiny_study.to_enter(SOUND_ONE, 20, candidates=item),
        "recommend": lambda history, item, k: repr(tiny_study.recommend(history, k)),
        "receipt": lambda history, item, k: repr(tiny_study.receipt({3: 1.0}, history, k)),
        "dose": lambda history, item, k: tiny_study.dose(concept, item, k=k),
        "dose of": lambda history, item, k: tiny_study.dose(item, 0.5),
        "calibrate": lambda history, item, k: repr(tiny_study.calibrate(history, by=item, k=k)),
        "features": lambda history, item, k: repr(tiny_study.features[item]),
        "profile": lambda history, item, k: tiny_study.profile(item),
        "table": lambda history, item, k: tiny_study.table(item),
        "users": lambda history, item, k: tiny_study.users(item),
        "dictionary": lambda history, item, k: tiny_study.dictionary(item, k),
        "activations": lambda history, item, k: tiny_study.activations(item),
        "titles": lambda history, item, k: tiny_study.titles(history),
    }

    @inputs(0.02)
    @given(st.sampled_from(sorted(calls)), SOUND | ODD_HISTORIES, st.sampled_from(ITEMS) | VALUES, st.just(3) | LENGTHS)
    def run(name, history, item, k):
        attempt(QUESTIONS, lambda: calls[name](history, item, k), (name, history, item, k))

    run()


@pytest.mark.skipif(not COUNTS, reason="failures are raised at once")
def test_nothing_is_uncaught():
    check(QUESTIONS)
