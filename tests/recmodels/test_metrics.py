import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recmodels.metrics import (
    coverage,
    gini,
    gini_index,
    head_items,
    hit_rate,
    inter_list_diversity,
    long_tail_share,
    mean_popularity,
    ndcg,
    user_hits,
    user_means,
    user_ndcg,
    user_reciprocal_ranks,
)
from recmodels.ranking import list_metrics

# docs/paper.md, 7.
LISTS = np.array([[10, 11, 12], [10, 13, 14], [15, 11, 10]])
TRUTH = np.array([11, 20, 10])
CATALOGUE = np.array([10, 11, 12, 13, 14, 99])


def vectors(lists):
    """Every list as the binary vector of its items."""
    made = np.zeros((len(lists), max(lists.max(), 0) + 1))
    for user, one in enumerate(lists):
        made[user, one[one >= 0]] = 1
    return made


def mean_distance(lists):
    """Mean cosine distance over all pairs, one pair after the other; an empty list is like no other."""
    distances = []
    for one, other in combinations(vectors(lists), 2):
        norm = np.linalg.norm(one) * np.linalg.norm(other)
        distances.append(1 - one @ other / norm if norm else 1.0)
    return np.mean(distances)


@st.composite
def full_lists(draw, least_users=1):
    """Lists without repetition from 12 items, and a true item per user."""
    n, k = draw(st.integers(least_users, 8)), draw(st.integers(1, 6))
    order = [draw(st.permutations(range(12)))[:k] for _ in range(n)]
    return np.array(order), draw(arrays(np.int64, n, elements=st.integers(0, 13)))


@st.composite
def short_lists(draw):
    """Lists that may end early, some of them empty."""
    lists = draw(full_lists(least_users=2))[0]
    kept = draw(arrays(np.int64, len(lists), elements=st.integers(0, lists.shape[1])))
    return np.where(np.arange(lists.shape[1]) < kept[:, None], lists, -1)


@pytest.fixture(scope="module")
def replay():
    """NDCG, HitRate and Coverage of RePlay as functions of lists; it has no inter-list diversity."""
    metrics = pytest.importorskip("replay.metrics", reason="replay-rec is not installed")

    def compute(name, lists, other):
        k = lists.shape[1]
        scored = {user: list(zip(one.tolist(), range(k, 0, -1), strict=True)) for user, one in enumerate(lists)}
        return getattr(metrics, name)([k])(scored, other)[f"{name}@{k}"]

    return compute


def test_the_test_vector():
    assert ndcg(LISTS, TRUTH) == pytest.approx(0.376977, abs=5e-7)
    assert ndcg(LISTS, TRUTH) == pytest.approx((1 / math.log2(3) + 0 + 1 / math.log2(4)) / 3)
    assert hit_rate(LISTS, TRUTH) == pytest.approx(2 / 3)
    assert coverage(LISTS, CATALOGUE) == pytest.approx(5 / 6)
    assert inter_list_diversity(LISTS) == pytest.approx(5 / 9)
    assert inter_list_diversity(LISTS[:, :2]) == pytest.approx(2 / 3)
    assert list_metrics(LISTS, TRUTH, CATALOGUE) == {
        "ndcg@3": ndcg(LISTS, TRUTH),
        "hit_rate@3": hit_rate(LISTS, TRUTH),
        "coverage@3": coverage(LISTS, CATALOGUE),
        "diversity@3": inter_list_diversity(LISTS),
    }


@given(full_lists())
@settings(max_examples=40, deadline=None)
def test_as_replay(replay, drawn):
    lists, truth = drawn
    answers = {user: [int(item)] for user, item in enumerate(truth)}
    assert ndcg(lists, truth) == pytest.approx(replay("NDCG", lists, answers))
    assert hit_rate(lists, truth) == pytest.approx(replay("HitRate", lists, answers))
    catalogue = np.unique(truth)
    assert coverage(lists, catalogue) == pytest.approx(replay("Coverage", lists, {0: catalogue.tolist()}))


@given(short_lists())
@example(np.full((3, 2), -1))
@settings(max_examples=60, deadline=None)
def test_diversity_over_pairs(lists):
    assert inter_list_diversity(lists) == pytest.approx(mean_distance(lists), abs=1e-12)


@given(full_lists(least_users=2))
@settings(max_examples=40, deadline=None)
def test_diversity_of_full_lists_has_a_closed_form(drawn):
    lists = drawn[0]
    n, k = lists.shape
    count = np.bincount(lists.ravel())
    assert inter_list_diversity(lists) == pytest.approx(1 - (count * (count - 1)).sum() / (k * n * (n - 1)))


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([[1, 2], [2, 1]], 0.0),
        ([[1, 2], [3, 4], [5, 0]], 1.0),
        ([[1, -1], [1, 2]], 1 - 1 / math.sqrt(2)),
        ([[1, 2], [-1, -1]], 1.0),
    ],
)
def test_diversity_by_hand(lists, expected):
    assert inter_list_diversity(np.array(lists)) == pytest.approx(expected, abs=1e-12)


def test_one_list_has_no_diversity():
    assert math.isnan(inter_list_diversity(np.array([[1, 2]])))


def test_empty_places_count_for_nothing():
    lists, truth = np.array([[4, -1, -1], [-1, -1, -1]]), np.array([4, 0])
    assert (ndcg(lists, truth), hit_rate(lists, truth)) == (0.5, 0.5)
    assert coverage(lists, np.array([0, 4])) == 0.5


def test_coverage_ignores_what_is_outside_the_catalogue():
    assert coverage(LISTS, np.array([98, 99])) == 0
    assert coverage(LISTS, np.array([10, 15])) == 1


def test_metrics_fall_with_the_rank():
    lists = np.array([[1, 2, 3]])
    gains = [ndcg(lists, np.array([item])) for item in (1, 2, 3, 4)]
    assert gains == pytest.approx([1, 1 / math.log2(3), 0.5, 0])


def test_each_user_has_a_part_in_the_mean():
    assert user_ndcg(LISTS, TRUTH) == pytest.approx([1 / math.log2(3), 0, 0.5])
    assert user_hits(LISTS, TRUTH).tolist() == [True, False, True]
    assert user_means(np.array([[1, 2], [0, -1], [-1, -1]]), np.array([10, 20, 40])) == pytest.approx(
        [30, 10, math.nan], nan_ok=True
    )


def test_gini_by_hand():
    # Items 10, 11, 12, 13, 14 and 99 are listed 3, 2, 1, 1, 1 and 0 times; item 15 is outside the catalogue.
    assert gini(LISTS, CATALOGUE) == pytest.approx((-5 * 0 - 3 - 1 + 1 + 3 * 2 + 5 * 3) / (6 * 8))
    assert gini(np.array([[0, 1], [2, 3]]), np.arange(4)) == 0
    assert gini(np.array([[0], [0]]), np.arange(4)) == pytest.approx(1 - 1 / 4)
    assert math.isnan(gini(np.array([[-1], [7]]), np.arange(4)))


@given(short_lists())
@settings(max_examples=40, deadline=None)
def test_gini_is_half_the_mean_difference(lists):
    counts = [int((lists == item).sum()) for item in range(12)]
    if not sum(counts):
        return
    differences = [abs(one - other) for one in counts for other in counts]
    assert gini(lists, np.arange(12)) == pytest.approx(np.mean(differences) / 2 / np.mean(counts))


def test_gini_of_many_counts_at_once():
    counts = np.random.default_rng(0).poisson(1.0, size=(3, 4, 9))
    assert gini_index(counts) == pytest.approx(np.array([[gini_index(row) for row in rows] for rows in counts]))


@pytest.mark.parametrize(
    ("share", "head"),
    [
        (0.0, []),
        (0.5, [3]),
        (0.51, [3, 1]),
        (0.8, [3, 1]),
        (0.9, [3, 1, 0]),
        (1.0, [3, 1, 0, 4]),
    ],
)
def test_head_by_hand(share, head):
    popularity = np.array([1, 3, 0, 5, 1])
    assert set(np.flatnonzero(head_items(popularity, share))) == set(head)


def test_long_tail_and_popularity_by_hand():
    popularity = np.array([1, 3, 0, 5, 1])  # 3 and 1 are the head
    lists = np.array([[3, 1], [3, 0], [2, -1], [-1, -1]])
    assert long_tail_share(lists, popularity) == pytest.approx((0 + 0.5 + 1) / 3)
    assert long_tail_share(lists, popularity, share=0.5) == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert mean_popularity(lists, popularity) == pytest.approx((4 + 3 + 0) / 3)
    assert math.isnan(mean_popularity(lists[3:], popularity))


@given(full_lists())
@settings(max_examples=40, deadline=None)
def test_long_tail_and_popularity_one_slot_after_the_other(drawn):
    lists, _ = drawn
    popularity = {item: (item * 7) % 5 + item // 3 for item in range(12)}
    head, made = set(), 0
    for item in sorted(popularity, key=lambda item: -popularity[item]):
        if made < 0.6 * sum(popularity.values()):
            head.add(item)
        made += popularity[item]
    slots = [int(item) for one in lists for item in one]
    values = np.array(list(popularity.values()))
    assert long_tail_share(lists, values, share=0.6) == pytest.approx(np.mean([item not in head for item in slots]))
    assert mean_popularity(lists, values) == pytest.approx(np.mean([popularity[item] for item in slots]))


def test_reciprocal_ranks_by_hand():
    assert user_reciprocal_ranks(LISTS, TRUTH).tolist() == pytest.approx([1 / 2, 0, 1 / 3])
    assert user_reciprocal_ranks(np.array([[7, -1, -1]]), np.array([7])).tolist() == [1]
