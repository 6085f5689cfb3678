"""Settings are made plain when a configuration is made, and refused in one line by its check."""

import contextlib
import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recmodels.config import Columns, SplitConfig, TrainingConfig
from recmodels.errors import InputError
from recmodels.settings import Between, Name, Settings


@dataclass(frozen=True)
class Part(Settings, prefix="part."):
    share: Annotated[float, Between(0, 1, "neither")] = 0.5


@dataclass(frozen=True)
class Whole(Settings):
    count: Annotated[int, Between(1, 1000)] = 3
    rates: tuple[Annotated[float, Between(0, 10)], ...] = (1.0, 2.0)
    name: Annotated[str, Name()] = "name"
    most: Annotated[int, Between(1, 9)] | None = None
    folder: Path | None = None
    part: Part = Part()

    def _check_together(self):
        if self.count < len(self.rates):
            raise InputError("too few")


def message_of(**changes):
    with pytest.raises(InputError) as caught:
        Whole(**changes).check()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "plain"),
    [
        ({"count": np.int64(5)}, {"count": 5}),
        ({"count": torch.tensor(5), "most": np.array(7)}, {"count": 5, "most": 7}),
        ({"part": Part(Fraction(1, 4))}, {"part": {"share": 0.25}}),
        ({"part": Part(np.float64(0.3))}, {"part": {"share": 0.3}}),
        ({"rates": [1, np.float32(0.5)]}, {"rates": (1, 0.5)}),
        ({"rates": np.array([0.5, 1.0])}, {"rates": (0.5, 1.0)}),
        ({"rates": pd.Series([0.5])}, {"rates": (0.5,)}),
        ({"rates": range(2)}, {"rates": (0, 1)}),
        ({"name": np.str_("books")}, {"name": "books"}),
    ],
)
def test_values_of_other_types_become_plain(changes, plain):
    config = Whole(**changes)
    config.check()
    expected = asdict(Whole()) | plain
    assert asdict(config) == expected
    assert json.dumps(asdict(config)) == json.dumps(expected)  # numpy's numbers would fail, and 1 is not 1.0


def test_text_becomes_a_path_as_it_was_written():
    assert Whole(folder="some/folder").folder == Path("some/folder")
    assert Whole(folder=Path("~/x")).folder == Path("~/x")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"count": 0}, "count is 0: it must be at least 1"),
        ({"count": 10**5000}, "count is a int: it must be at most 1,000"),
        ({"count": 3.0}, "count is 3.0: give a whole number"),
        ({"count": True}, "count is True: give a whole number"),
        ({"count": "3"}, "count is '3': give a whole number"),
        ({"count": None}, "count is None: give a whole number"),
        ({"count": pd.NA}, "count is <NA>: give a whole number"),
        ({"most": 10}, "most is 10: it must be at most 9"),
        ({"part": Part(1.0)}, "part.share is 1: it must lie between 0 and 1, both excluded"),
        ({"part": Part(float("nan"))}, "part.share is nan: it must lie between 0 and 1, both excluded"),
        ({"part": {"share": 0.5}}, "part is {'share': 0.5}: give a Part"),
        ({"rates": (0.5, float("nan"))}, "rates is nan: it must be a finite number, and at least 0"),
        ({"rates": (0.5, float("inf"))}, "rates is inf: it must be a finite number, and at most 10"),
        ({"rates": (0.5, "1")}, "rates is '1': give a number"),
        ({"rates": 0.5}, "rates is 0.5: give a tuple, such as (0.5,)"),
        ({"rates": "12"}, "rates is '12': give a tuple, such as ('12',)"),
        ({"rates": {1, 2}}, "rates is {1, 2}: give a tuple, such as ({1, 2},)"),
        ({"rates": np.zeros((2, 1))}, "rates is [0.0]: give a number"),
        ({"rates": (1, 1.0)}, "rates has 1.0 twice: give each value once"),
        ({"rates": [1.0] * 2000}, "rates has 2,000 values: 1,000 are the most"),
        ({"name": " "}, "name is empty: give it, or leave it out"),
        ({"name": 7}, "name is 7: give text"),
        ({"name": "../x"}, "name is '../x': it names a folder, so give a plain name without slashes"),
        ({"name": "a\x1b[2J"}, "name is 'a\\x1b[2J': it names a folder, so give a plain name without slashes"),
        ({"name": "a\ud800"}, "name is 'a\\ud800': it holds half a character, so write it again"),
        ({"name": "x" * 300}, f"name is '{'x' * 58}…, of 300 characters: 200 are the most"),
        ({"folder": ""}, "folder: '' is not a path: give the name of a file or folder"),
        ({"folder": 5}, "folder: 5 is not a path: give text or a pathlib.Path"),
        ({"count": 1}, "too few"),
    ],
)
def test_what_a_setting_cannot_be_is_refused_in_one_line(changes, says):
    assert message_of(**changes) == says


@given(st.data())
def test_any_value_is_made_plain_or_refused(data):
    field = data.draw(st.sampled_from(["count", "rates", "name", "most", "folder", "part"]))
    anything = st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers()),
        *(st.lists(st.integers() | st.floats() | st.text()), st.dictionaries(st.text(), st.integers())),
    )
    config = Whole(**{field: data.draw(anything)})
    with contextlib.suppress(InputError):
        config.check()
        json.dumps(asdict(config), default=str, allow_nan=False)


def test_a_setting_without_limits_cannot_be_declared():
    @dataclass(frozen=True)
    class Endless(Settings):
        size: int = 3

    with pytest.raises(TypeError, match="give numbers a range"):
        Endless()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (TrainingConfig(windows="x"), "training.windows is 'x': choose one of last, all"),
        (TrainingConfig(seed=-1), "training.seed is -1: it must be at least 0"),
        (TrainingConfig(seed=2**32), "training.seed is 4294967296: it must be at most 4,294,967,295"),
        (TrainingConfig(num_hidden_layers=10**9), "training.num_hidden_layers is 1000000000: it must be at most 128"),
        (
            TrainingConfig(hidden_size=8192, num_hidden_layers=100),
            "100 blocks of width 8,192 have 80,530,636,800 weights: lower training.hidden_size or "
            "training.num_hidden_layers to have at most 4,000,000,000",
        ),
        (TrainingConfig(dropout=1.0), "training.dropout is 1: it must be at least 0 and below 1"),
        (SplitConfig(seed=np.nan), "split.seed is nan: give a whole number"),
        (Columns(user=None), "columns.user is None: give text"),
        (Columns(separator=" "), None),
        (Columns(separator="||"), None),
    ],
)
def test_limits_of_recommenders(config, says):
    if says is None:
        return config.check()
    with pytest.raises(InputError) as caught:
        config.check()
    assert str(caught.value) == says
