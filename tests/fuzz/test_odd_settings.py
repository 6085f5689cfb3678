"""Settings: odd values are refused by `check`, or are usable as they are."""

import math
from dataclasses import fields, replace
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger import COUNTS, Silent, attempt, check, inputs, written
from odd import NUMBERS, TEXTS, VALUES

from interp.config import GridConfig, StudyConfig
from interp.sae_config import SAEConfig
from recmodels.config import Columns, Reading, SplitConfig, TrainingConfig
from recmodels.errors import quote
from recmodels.scalars import as_number, as_whole_number

SETTINGS = "settings"
KINDS = [StudyConfig, SAEConfig, TrainingConfig, SplitConfig, GridConfig, Columns, Reading]
NESTED = ("columns", "reading", "split", "training", "sae", "grid")  # of StudyConfig; each is tried by itself
ENTRIES = st.sampled_from(
    ["concept", "title:x", "top_k:8", "top_k:", ":", "gated:nan", "top_k:1e999", "blocks.0", 0.1, 32]
)
ODD = VALUES | st.sampled_from([*NUMBERS, *TEXTS]) | st.lists(ENTRIES | st.sampled_from(NUMBERS), max_size=3).map(tuple)
CASES = [(kind, field.name) for kind in KINDS for field in fields(kind) if field.name not in NESTED]
UNLIMITED = ("max_l0", "sparse_l0")


def usable(kind, name, value):
    """Refuse to call a setting sound whose type says otherwise; a column of a frame may have any name."""
    hint = get_type_hints(kind)[name]
    if hint == int | None:
        hint = int
        value = 1 if value is None else value
    if get_origin(hint) is tuple and isinstance(value, tuple | list):
        for part in value:
            _fits(name, get_args(hint)[0], part)
    elif get_origin(hint) is tuple:
        raise Silent(f"{name} takes {quote(value)}, no tuple")
    elif kind is not Columns:
        _fits(name, hint, value)


def _fits(name, hint, value):
    whole, number = as_whole_number(value), as_number(value)
    if hint is int and (whole is None or abs(whole) >= 2**63):
        raise Silent(f"{name} takes {quote(value)}, no whole number of 64 bits")
    unlimited = name in UNLIMITED and number == math.inf
    if hint is float and not unlimited and (number is None or not -1e300 < number < 1e300):
        raise Silent(f"{name} takes {quote(value)}, no finite number")
    if hint is str and not isinstance(value, str):
        raise Silent(f"{name} takes {quote(value)}, no text")


def in_study(kind, config):
    """A study's configuration with this part."""
    part = {SAEConfig: "sae", TrainingConfig: "training", SplitConfig: "split", GridConfig: "grid"}
    part |= {Columns: "columns", Reading: "reading"}
    return config if kind is StudyConfig else StudyConfig(**{part[kind]: config})


def test_odd_settings():
    @inputs(0.15)
    @given(st.sampled_from(CASES), ODD)
    def run(case, value):
        kind, name = case
        config = replace(kind(), **{name: value})

        def checked():
            study = in_study(kind, config)
            study.check()
            assert study.dictionaries()
            assert study.folder
            usable(kind, name, value)

        attempt(SETTINGS, checked, f"{kind.__name__}.{name} = {written(value)}")

    run()


@pytest.mark.skipif(not COUNTS, reason="failures are raised at once")
def test_nothing_is_uncaught():
    check(SETTINGS)
