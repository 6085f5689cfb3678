from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from recmodels.scalars import as_number, as_whole_number

NUMBERS = [3, np.int8(3), np.uint64(3), np.array(3), torch.tensor(3), torch.tensor(3, dtype=torch.int8)]
FLOATS = [3.0, np.float32(3), np.float16(3), np.array(3.0), torch.tensor(3.0), torch.tensor(3.0, dtype=torch.bfloat16)]
NEITHER = [
    True,
    np.True_,
    torch.tensor(True),
    1j,
    "3",
    None,
    pd.NA,
    pd.NaT,
    [3],
    np.array([3]),
    torch.ones(1),
    object(),
]


@pytest.mark.parametrize("value", NUMBERS)
def test_whole_numbers_of_any_library_are_ints(value):
    assert as_number(value) == as_whole_number(value) == 3
    assert type(as_number(value)) is type(as_whole_number(value)) is int


@pytest.mark.parametrize("value", [*FLOATS, Fraction(3)])
def test_other_numbers_are_floats_and_not_whole(value):
    assert as_number(value) == 3.0
    assert type(as_number(value)) is float
    assert as_whole_number(value) is None


@pytest.mark.parametrize("value", [*NEITHER, Decimal(3)])
def test_what_is_no_number_is_none(value):
    assert as_number(value) is None
    assert as_whole_number(value) is None


def test_a_fraction_beyond_floats_is_a_number_still():
    assert as_number(Fraction(10**400)) == 10**400
    assert as_whole_number(10**400) == 10**400
