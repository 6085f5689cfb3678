"""Odd values: what a call may be handed by mistake, by another library, or by a stranger."""

import datetime
import math
from collections import OrderedDict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from hypothesis import strategies as st

TEXTS = [
    "",
    " ",
    "x",
    "1",
    "007",
    "Horror",
    "nothing",
    "a\nb",
    "\x1b[31mred",
    "\ud800",
    "é" * 300,
    "=1+1",
    "12=1",
    "None",
]
TEXTS += [
    "nan",
    "1e999",
    "../../x",
    "~",
    "title",
    "blocks.0",
    "last",
    "all",
    "2020-01-01",
    "\u2028",
    "0x10",
    "１２",
    "\0",
]
NUMBERS = [0, 1, -1, 2, 3, 7, 15, 16, 40, 10**6, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, -(2**63) - 1, 10**400]
NUMBERS += [0.0, -0.0, 0.5, 1.0, 2.5, -1e-9, 1e-320, 1e9, 1e10, 1e308, math.nan, math.inf, -math.inf, True, False]


class Broken:
    """An object that cannot be shown."""

    def __repr__(self):
        raise RuntimeError("no text")


def of_libraries(value):
    """The same number as the scalars of other libraries, as far as they can hold it."""
    makers = [np.float64, np.float32, np.array, torch.tensor, Fraction, Decimal, np.asarray]
    if isinstance(value, int):
        makers += [np.int64, np.uint8, np.uint64, np.int32]
    forms = [value]
    for make in makers:
        try:
            form = make(value)
            same = int(form) == value if isinstance(value, int) else float(form) == value
        except (TypeError, ValueError, OverflowError, RuntimeError):
            continue
        if same:
            forms.append(form)
    return forms


OTHERS = [None, pd.NA, pd.NaT, 1j, b"x", b"\xff", Path("x"), range(3), range(0), ..., NotImplemented, int, len]
OTHERS += [datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), pd.Timestamp("2020-01-01", tz="UTC")]
OTHERS += [
    pd.Timedelta(1),
    np.datetime64("NaT"),
    np.str_("x"),
    np.bool_(True),
    np.array([]),
    np.array([1, 2]),
    np.eye(2),
]
OTHERS += [torch.tensor([1, 2]), torch.zeros(0), torch.eye(2), torch.tensor(1.0, dtype=torch.bfloat16), np.array("x")]
OTHERS += [pd.Series([1, 2]), pd.Series([], dtype=float), pd.Index([1]), pd.DataFrame(), pd.DataFrame({"a": [1]})]
OTHERS += [pd.Series({3: 1.0}), pd.Series(["x"], dtype="category"), deque([1]), OrderedDict(a=1), np.array([None])]
OTHERS += [np.array(5), np.array([[1], [2]]), np.ma.masked, torch.tensor(2**62), np.uint64(2**64 - 1), np.float16(1)]

SCALARS = st.sampled_from([*TEXTS, *NUMBERS, *OTHERS]) | st.integers() | st.floats() | st.text(max_size=8)
SCALARS |= st.sampled_from(NUMBERS).flatmap(lambda number: st.sampled_from(of_libraries(number)))
SCALARS |= st.builds(object) | st.builds(lambda: iter([1, 2]))
KEYS = st.sampled_from([*TEXTS, *NUMBERS]) | st.sampled_from([None, pd.NA, (1, 2), b"x", np.int64(3), Fraction(1)])
CELLS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.frozensets(KEYS, max_size=2)
    ),
    max_leaves=4,
)
VALUES = st.integers(0, 40).flatmap(lambda number: CELLS if number else st.builds(Broken))

JSON_LEAVES = st.sampled_from([*TEXTS, *NUMBERS, None, [], {}, [[]], {"a": 1}, "x" * 10_000])
