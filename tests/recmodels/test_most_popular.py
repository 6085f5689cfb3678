"""The most popular items as a recommender, by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from recmodels.most_popular import popular_lists
from recmodels.ranking import rank
from recmodels.sequences import as_histories
from recmodels.vocabulary import Vocabulary

POPULARITY = np.array([5, 3, 3, 1, 0])


def lists(histories, k, popularity=POPULARITY):
    return popular_lists(popularity, as_histories(histories, Vocabulary(pd.RangeIndex(len(popularity)))), k).tolist()


def test_everyone_gets_the_most_popular_items_that_are_not_in_the_history():
    assert lists([[3], [0], [0, 1], [4, 2]], 2) == [[0, 1], [1, 2], [2, 3], [0, 1]]


def test_lists_run_out_where_the_history_has_all_else():
    assert lists([[0, 1, 2, 4]], 3) == [[3, -1, -1]]


def test_large_counts_are_told_apart():
    """A float32 cannot hold them."""
    assert lists([[2]], 1, np.array([2**24, 2**24 + 1, 0])) == [[1]]


@pytest.mark.parametrize("keep_seen", [False, True])
def test_equals_ranking_by_scores(keep_seen):
    rng = np.random.default_rng(0)
    popularity = rng.integers(5, size=40)
    users = [rng.integers(40, size=rng.integers(1, 60)).tolist() for _ in range(300)]
    histories, scores = as_histories(users, Vocabulary(pd.RangeIndex(40))), torch.from_numpy(popularity).double()
    slow = rank(lambda some: scores.expand(len(some), -1), histories, 12, keep_seen=keep_seen)
    assert popular_lists(popularity, histories, 12, keep_seen).tolist() == slow.tolist()
