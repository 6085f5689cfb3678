import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recmodels import ranking
from recmodels.errors import InputError
from recmodels.ranking import evaluate, own_items, rank, top_k, users_at_once
from recmodels.sequences import Histories

N_ITEMS = 6


def histories(lists):
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    codes = np.array([code for one in lists for code in one], dtype=np.int32)
    return Histories(pd.RangeIndex(len(lists)), codes, offsets)


def best(scores, seen, k):
    """The k best unseen items of one row in plain Python: by score, then by code; filled up with -1."""
    left = sorted((code for code in range(len(scores)) if code not in seen), key=lambda c: (-scores[c], c))
    return (left + [-1] * k)[:k]


def test_by_hand():
    scores = torch.tensor([[0.1, 0.5, 0.3, 0.5], [4.0, 3.0, 2.0, 1.0]])
    codes, values = top_k(scores, None, 3)
    assert codes.tolist() == [[1, 3, 2], [0, 1, 2]]
    assert values.tolist() == torch.tensor([[0.5, 0.5, 0.3], [4.0, 3.0, 2.0]]).tolist()


def test_seen_items_are_left_out_and_the_scores_given_stay_as_they_are():
    scores = torch.tensor([[0.1, 0.5, 0.3, 0.5], [4.0, 3.0, 2.0, 1.0]])
    given = scores.clone()
    codes, values = top_k(scores, histories([[1, 1], [0, 2, 3]]), 2)
    assert codes.tolist() == [[3, 2], [1, -1]]
    assert values.tolist() == [[0.5, pytest.approx(0.3)], [3.0, -math.inf]]
    assert torch.equal(scores, given)


def test_more_items_asked_for_than_there_are():
    codes, values = top_k(torch.tensor([[1.0, 2.0]]), None, 4)
    assert codes.tolist() == [[1, 0, -1, -1]]
    assert values.tolist() == [[2.0, 1.0, -math.inf, -math.inf]]


@pytest.mark.parametrize("k", [1, 5, 10, 40, 100, 150])
def test_equal_scores_are_ordered_by_code(k):
    scores = torch.zeros(3, 100)
    scores[1, 70:] = 1.0
    scores[2, ::2] = 1.0
    assert top_k(scores, None, k)[0].tolist() == [best(row, set(), k) for row in scores.tolist()]


rows = st.lists(
    st.tuples(
        st.lists(st.sampled_from([-1.0, 0.0, 0.5]), min_size=N_ITEMS, max_size=N_ITEMS),
        st.lists(st.integers(0, N_ITEMS - 1), min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


@given(rows, st.integers(1, 8), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_as_python_sorts_them_whatever_the_batch_size(rows, k, batch_size):
    scores = torch.tensor([scores for scores, _ in rows])

    def score(batch):
        return scores[torch.from_numpy(batch.users.to_numpy())]

    lists = rank(score, histories([seen for _, seen in rows]), k, batch_size)
    assert lists.tolist() == [best(scores, set(seen), k) for scores, seen in rows]


@pytest.mark.parametrize(("n_items", "users"), [(1, 256), (3_706, 256), (65_536, 256), (131_072, 128), (10**9, 1)])
def test_a_large_catalogue_is_scored_for_fewer_users_at_once(n_items, users):
    assert users_at_once(n_items) == users


@pytest.mark.parametrize("at_once", [1, 7, 10**6])
def test_metrics_do_not_depend_on_how_many_users_are_scored_at_once(at_once, monkeypatch):
    scores = torch.from_numpy(np.random.default_rng(0).integers(0, 4, (20, N_ITEMS)).astype(np.float32))
    users = histories([[i % N_ITEMS, (i + 1) % N_ITEMS] for i in range(20)])

    def score(batch):
        assert len(batch) <= at_once
        return scores[torch.from_numpy(batch.users.to_numpy())]

    expected = evaluate(lambda batch: scores[torch.from_numpy(batch.users.to_numpy())], users, np.arange(N_ITEMS))
    monkeypatch.setattr(ranking, "SCORES", at_once * N_ITEMS)
    assert evaluate(score, users, np.arange(N_ITEMS)) == expected


@pytest.mark.parametrize("k", [0, -3])
def test_no_items_asked_for(k):
    with pytest.raises(InputError, match=f"^k is {k}: ask for at least one item$"):
        rank(lambda batch: torch.zeros(len(batch), N_ITEMS), histories([[1]]), k)


def test_evaluate_by_hand():
    """With a scorer that expects the successor of the last item, then that one's, and so on in a circle."""

    def score(batch):
        last = torch.tensor([one[-1] for one in batch])
        return -((torch.arange(N_ITEMS) - last[:, None] - 1) % N_ITEMS).float()

    # Scored from [0], [3, 1] and [5]: lists [1, 2], [2, 4] (3 is seen) and [0, 1]; the truth is 2, 2 and 4.
    found = evaluate(score, histories([[0, 2], [3, 1, 2], [5, 4]]), catalogue=np.arange(5), k=2)
    assert found == {
        "ndcg@2": pytest.approx((1 / math.log2(3) + 1 + 0) / 3),
        "hit_rate@2": pytest.approx(2 / 3),
        "coverage@2": pytest.approx(4 / 5),
        "diversity@2": pytest.approx(1 - (1 / 2 + 1 / 2 + 0) / 3),
    }


def test_evaluate_needs_two_items_per_history():
    with pytest.raises(InputError, match="has one item"):
        evaluate(lambda batch: torch.zeros(len(batch), N_ITEMS), histories([[1, 2], [3]]), np.arange(N_ITEMS))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_scores_that_cannot_be_ranked_are_refused(wrong):
    scores = torch.arange(12.0).reshape(2, 6)
    scores[1, 2] = wrong
    with pytest.raises(InputError, match="the scores are not finite"):
        top_k(scores, None, 3)
    with pytest.raises(InputError, match=r"k is 2\.5: give a whole number of items, such as 10"):
        top_k(scores[:1], None, 2.5)


def test_ties_at_the_last_place_go_to_the_first_items():
    scores = torch.tensor([[1.0, 3, 1, 1, 2], [5, 5, 5, 5, 5], [1, 2, 3, 4, 5]])
    codes, values = top_k(scores, None, 3)
    assert codes.tolist() == [[1, 4, 0], [0, 1, 2], [4, 3, 2]]
    assert values.tolist() == [[3, 2, 1], [5, 5, 5], [5, 4, 3]]


@pytest.mark.parametrize("k", [np.int64(2), np.array(2), torch.tensor(2)])
def test_the_length_may_be_a_number_of_any_library(k):
    assert top_k(torch.arange(4.0)[None], None, k)[0].tolist() == [[3, 2]]


NOT_WHOLE = "give a whole number of items, such as 10"
TOO_LONG = "ask for at most 1,000,000 items"


@pytest.mark.parametrize(
    ("k", "advice"),
    [
        *((k, NOT_WHOLE) for k in (True, np.True_, None, "2", [2], 2.0, float("nan"))),
        *((k, TOO_LONG) for k in (10**9, 10**30)),
        (0, "ask for at least one item"),
    ],
)
def test_a_length_that_is_not_valid_is_refused(k, advice):
    with pytest.raises(InputError, match=f"^k is .*: {advice}$"):
        top_k(torch.arange(4.0)[None], None, k)


def test_lists_may_repeat_what_was_seen():
    scores = torch.tensor([[0.1, 0.5, 0.3, 0.5], [4.0, 3.0, 2.0, 1.0]])
    users = histories([[1, 1], [0, 2, 3]])
    assert top_k(scores, users, 2, keep_seen=True)[0].tolist() == [[1, 3], [0, 1]]
    assert own_items(users, scores).tolist() == [[False, True, False, False], [True, False, True, True]]
    assert not own_items(users, scores, keep_seen=True).any()


def test_the_next_item_of_people_who_take_it_again_is_hit_only_if_lists_may_repeat():
    # Each takes item 0, then 1, then 0 again; the scores put item 0 first.
    users, catalogue = histories([[0, 1, 0], [0, 1, 0]]), np.arange(N_ITEMS)
    score = lambda batch: -torch.arange(float(N_ITEMS)).expand(len(batch), -1)  # noqa: E731
    assert evaluate(score, users, catalogue, 3)["hit_rate@3"] == 0
    assert evaluate(score, users, catalogue, 3, keep_seen=True)["ndcg@3"] == 1
