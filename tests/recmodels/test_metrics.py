import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recmodels.metrics import coverage, hit_rate, inter_list_diversity, ndcg
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
