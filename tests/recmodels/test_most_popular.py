"""The most popular items as a recommender, by hand."""

import numpy as np
import pandas as pd

from recmodels.most_popular import most_popular
from recmodels.ranking import rank
from recmodels.sequences import as_histories
from recmodels.vocabulary import Vocabulary

POPULARITY = np.array([5, 3, 3, 1, 0])


def lists(histories, k):
    return rank(most_popular(POPULARITY), as_histories(histories, Vocabulary(pd.RangeIndex(5))), k).tolist()


def test_everyone_gets_the_most_popular_items_that_are_not_in_the_history():
    assert lists([[3], [0], [0, 1], [4, 2]], 2) == [[0, 1], [1, 2], [2, 3], [0, 1]]


def test_lists_run_out_where_the_history_has_all_else():
    assert lists([[0, 1, 2, 4]], 3) == [[3, -1, -1]]


def test_large_counts_are_told_apart():
    """A float32 cannot hold them."""
    score = most_popular(np.array([2**24, 2**24 + 1, 0]))
    assert rank(score, as_histories([[2]], Vocabulary(pd.RangeIndex(3))), 1).tolist() == [[1]]
