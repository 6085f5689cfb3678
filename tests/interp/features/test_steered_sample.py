"""Steering is measured on all users, or on a sample where users and items are many, which is said."""

import numpy as np
import pandas as pd
import pytest

from interp.features.steered_sample import affordable_lists, sample_note, sample_size, steered_sample
from recmodels.sequences import Histories


@pytest.mark.parametrize(
    ("users", "items", "size"),
    [(604, 3416, 604), (13_800, 27_000, 3703), (12_500, 1_000_000, 100), (12_500, 200_000, 500), (50, 10**6, 50)],
)
def test_sizes_by_hand(users, items, size):
    assert sample_size(users, items) == size
    assert bool(sample_note(users, items)) == (size < users)
    histories = Histories(pd.RangeIndex(users), np.zeros(users, np.int32), np.arange(users + 1))
    sample = steered_sample(histories, items)
    assert len(sample) == size
    assert sample.users.is_monotonic_increasing


def test_the_note_names_both_numbers():
    (line,) = sample_note(12_500, 1_000_000)
    assert "100 of 12,500 test users" in line
    assert "1,000,000 items" in line


def test_lists_of_all_features_are_limited_in_a_large_catalogue_alone():
    assert affordable_lists(150_000, 100_000) == 150_000
    assert affordable_lists(150_000, 1_000_000) == 50_000
