from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from interp.features.examples import SHOWN, banded_histories, bands, histograms, next_items, p_top, strongest_histories


def store_of(lengths):
    """A store of users 100, 101, … with so many steps; items are numbered from 0."""
    n = sum(lengths)
    rows = pd.DataFrame(
        {
            "user": np.repeat(100 + np.arange(len(lengths)), lengths),
            "item": np.arange(n),
            "step": np.concatenate([np.arange(length) for length in lengths]),
        }
    )
    return ActivationStore(Path("nowhere"), np.zeros((n, 2), np.float32), rows, "blocks.0", "abc", 0.0, 1.0)


# Three users of 4, 2 and 3 steps. Feature 1 is never active.
STORE = store_of([4, 2, 3])
ACTIVATIONS = np.array(
    [[0, 0, 1], [2, 0, 0], [3, 0, 0], [0, 0, 4], [5, 0, 0], [5, 0, 0], [0, 0, 0], [0, 0, 4], [1, 0, 0]],
    dtype=np.float32,
)
LABELS = np.array([[1, 0], [0, 0], [1, 0], [1, 0], [1, 0], [0, 0], [0, 0], [0, 0], [1, 0]], dtype=bool)


def naive_p_top(x, owner, labels, count):
    """Both shares of every feature and concept, history by history."""
    found = np.zeros((2, x.shape[1], labels.shape[1]))
    for f in range(x.shape[1]):
        users = sorted(set(owner), key=lambda user: (-x[owner == user, f].max(), user))
        users = [user for user in users[:count] if x[owner == user, f].max() > 0]
        for c in range(labels.shape[1]):
            parts = [(x[(owner == u) & labels[:, c], f].sum(), x[owner == u, f].sum()) for u in users]
            if parts:
                found[0, f, c] = np.mean([inside / total for inside, total in parts])
                found[1, f, c] = sum(inside for inside, _ in parts) / sum(total for _, total in parts)
    return found


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=8))
    shape = (sum(lengths), 3)
    x = rng.choice(np.array([0.5, 1, 2], dtype=np.float32), shape) * (rng.random(shape) < 0.4)
    x[0, 0] = 1
    return store_of(lengths), x, rng.random((shape[0], 2)) < 0.5


def test_p_top_by_hand():
    mean, pooled = p_top(sparse.csc_array(ACTIVATIONS), STORE, LABELS, count=2)
    # Feature 0 peaks in users 101 (5 of 10 on the concept) and 100 (3 of 5), feature 2 in 100 (5 of 5) and
    # 102 (0 of 4).
    np.testing.assert_allclose(mean, [[(0.5 + 0.6) / 2, 0], [0, 0], [0.5, 0]])
    np.testing.assert_allclose(pooled, [[8 / 15, 0], [0, 0], [5 / 9, 0]])
    one = p_top(sparse.csc_array(ACTIVATIONS), STORE, LABELS, count=1)
    # Users 100 and 102 tie at 4: the first one stays first.
    np.testing.assert_allclose(one[0][:, 0], [0.5, 0, 1])


@given(cases(), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_p_top_as_naive(case, count):
    store, x, labels = case
    expected = naive_p_top(x.astype(float), store.rows["user"].to_numpy(), labels, count)
    np.testing.assert_allclose(p_top(sparse.csc_array(x), store, labels, count), expected, atol=1e-12)


def test_strongest_histories_by_hand():
    found = strongest_histories(sparse.csc_array(ACTIVATIONS), STORE, count=2, before=1, after=1)
    expected = [
        # Feature 0: user 101 peaks at both steps, the first counts; user 100 at step 2.
        [0, 1, 101, 0, 4, 5.0],
        [0, 1, 101, 1, 5, 5.0],
        [0, 2, 100, 1, 1, 2.0],
        [0, 2, 100, 2, 2, 3.0],
        [0, 2, 100, 3, 3, 0.0],
        # Feature 2: user 100 at its last step, user 102 at step 1.
        [2, 1, 100, 2, 2, 0.0],
        [2, 1, 100, 3, 3, 4.0],
        [2, 2, 102, 0, 6, 0.0],
        [2, 2, 102, 1, 7, 4.0],
        [2, 2, 102, 2, 8, 0.0],
    ]
    columns = ["feature", "rank", "user", "step", "item", "activation"]
    assert found[columns].to_numpy().tolist() == expected


@given(cases(), st.integers(1, 4), st.integers(0, 4), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_strongest_histories_as_naive(case, count, before, after):
    store, x, _ = case
    found = strongest_histories(sparse.csc_array(x), store, count, before, after)
    expected = []
    for f in range(x.shape[1]):
        by_user = {user: x[part.index, f] for user, part in store.rows.groupby("user")}
        ranked = sorted((u for u in by_user if by_user[u].any()), key=lambda u: -by_user[u].max())
        for rank, user in enumerate(ranked[:count], start=1):
            values = by_user[user]
            peak = int(values.argmax())
            for step in range(max(peak - before, 0), min(peak + after + 1, len(values))):
                expected.append([f, rank, user, step, values[step]])
    assert found[["feature", "rank", "user", "step", "activation"]].to_numpy().tolist() == expected


def test_bands_by_hand():
    """Six strongest, three around the median, three around the 10th percentile."""
    hundred = bands(101)
    assert [place for band, place in hundred if band == "strongest"] == [0, 1, 2, 3, 4, 5]
    assert [place for band, place in hundred if band == "middle"] == [49, 50, 51]
    assert [place for band, place in hundred if band == "weak"] == [89, 90, 91]
    assert bands(8) == [("strongest", place) for place in range(6)] + [("weak", 6), ("weak", 7)]
    assert bands(2) == [("strongest", 0), ("strongest", 1)]


@given(st.integers(0, 400))
@settings(max_examples=80, deadline=None)
def test_bands_show_no_history_twice(n):
    places = [place for _, place in bands(n)]
    assert places == sorted(set(places))
    assert len(places) == min(n, sum(SHOWN.values()))
    assert all(0 <= place < n for place in places)


def test_banded_histories_hold_the_strongest():
    """Thirty users of one step, feature 0 as strong as the user's number."""
    store = store_of([1] * 30)
    x = sparse.csc_array(np.arange(1, 31, dtype=np.float32)[:, None])
    found = banded_histories(x, store)
    strongest = found[found["band"] == "strongest"].drop(columns="band")
    pd.testing.assert_frame_equal(strongest, strongest_histories(x, store, SHOWN["strongest"]))
    assert found["rank"].tolist() == [place + 1 for _, place in bands(30)]
    assert (found["activation"] == 31 - found["rank"]).all()


def test_next_items_by_hand():
    held_out = pd.Series([70, 71, 72, 73], [102, 101, 100, 99])
    assert next_items(STORE, held_out).tolist() == [1, 2, 3, 72, 5, 71, 7, 8, 70]


def test_histograms_by_hand():
    found = histograms(sparse.csc_array(ACTIVATIONS), LABELS, np.array([0, 0, 1]), bins=2)
    # Feature 0 has 2, 3, 5, 5, 1, of which 3, 5, 1 fall on concept 0. Nothing has concept 1.
    assert found["feature"].tolist() == [0, 0, 2, 2]
    assert found[["left", "right"]].to_numpy().tolist() == [[0, 2.5], [2.5, 5], [0, 2], [2, 4]]
    assert found[["present", "absent"]].to_numpy().tolist() == [[1, 1], [2, 1], [0, 1], [0, 2]]


@given(cases(), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_histograms_count_every_positive_activation_once(case, bins):
    _, x, labels = case
    concept = np.array([0, 1, 1])
    found = histograms(sparse.csc_array(x), labels, concept, bins)
    assert sorted(set(found["feature"])) == [f for f in range(3) if x[:, f].any()]
    for f, part in found.groupby("feature"):
        positive = x[:, f] > 0
        assert part["present"].sum() == (positive & labels[:, concept[f]]).sum()
        assert part["absent"].sum() == (positive & ~labels[:, concept[f]]).sum()
        assert part["right"].iloc[-1] == x[:, f].max()
        assert len(part) == bins


def test_p_top_of_features_that_are_all_dead():
    dead = sparse.csc_array((9, 3), dtype=np.float32)
    assert [part.tolist() for part in p_top(dead, STORE, LABELS)] == [[[0, 0]] * 3] * 2
