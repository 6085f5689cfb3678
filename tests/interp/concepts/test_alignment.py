import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import roc_auc_score

from interp.concepts import alignment
from interp.concepts.alignment import align, auc, correlation, sensitivity
from interp.concepts.item_sums import active_sums, item_sums, rank_sums
from recmodels.errors import InputError

# Rows are positions, columns are features; the third never varies and the last is never active.
ACTIVATIONS = np.array([[0, 1, 2, 0], [0, 2, 2, 0], [1, 0, 2, 0], [3, 0, 2, 0]], dtype=np.float32)
LABELS = np.array([[0, 1], [0, 0], [1, 1], [1, 0]], dtype=bool)


@st.composite
def cases(draw):
    """Sparse activations with many ties, and labels with both values in every column."""
    n, f, c = draw(st.integers(2, 60)), draw(st.integers(1, 5)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.choice(np.array([0.25, 0.5, 1, 3.7], dtype=np.float32), (n, f))
    activations = values * (rng.random((n, f)) < draw(st.sampled_from([0.1, 0.5, 0.95])))
    labels = rng.random((n, c)) < draw(st.sampled_from([0.1, 0.5]))
    labels[0], labels[-1] = True, False
    return activations, labels


def test_by_hand():
    found = align(sparse.csc_array(ACTIVATIONS), LABELS, ["horror", "war"])
    # Feature 0 is 0, 0, 1, 3: covariance with horror 0.5, variances 1.5 and 0.25.
    np.testing.assert_allclose(
        found.correlation,
        [
            [0.5 / math.sqrt(1.5 * 0.25), -0.25 / math.sqrt(1.5 * 0.25)],
            [-3 / math.sqrt(11), -1 / math.sqrt(11)],
        ]
        + [[0, 0]] * 2,
    )
    # Pairs of one row with and one without the concept: right order counts 1, a tie 1/2.
    np.testing.assert_allclose(found.auc, [[1, 1.5 / 4], [0, 1.5 / 4], [0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_allclose(found.sensitivity, [[1, 0.5], [0, 0.5], [1, 1], [0, 0]])
    assert found.popularity.tolist() == [0.5, 0.5]
    assert found.mean_top_correlation == pytest.approx((0.5 / math.sqrt(1.5 * 0.25) + 0) / 2)


def test_tables():
    found = align(ACTIVATIONS, LABELS, ["horror", "war"])
    top = found.top()
    assert top[["concept", "feature", "abs_feature"]].to_numpy().tolist() == [["horror", 0, 1], ["war", 2, 0]]
    assert top["abs_correlation"].tolist() == pytest.approx([-3 / math.sqrt(11), -0.25 / math.sqrt(0.375)])
    assert top["correlation"].tolist() == pytest.approx([0.5 / math.sqrt(0.375), 0])
    assert top[["auc", "sensitivity", "popularity"]].to_numpy().tolist() == [[1, 1, 0.5], [0.5, 1, 0.5]]
    table = found.table().set_index(["feature", "concept"])
    assert len(table) == 8
    assert table.loc[(1, "war")].tolist() == pytest.approx([-1 / math.sqrt(11), 1.5 / 4, 0.5])


@given(cases())
@settings(max_examples=40, deadline=None)
def test_as_numpy_and_scikit_learn(case):
    activations, labels = case
    given = sparse.csc_array(activations)
    found = align(given, labels, [str(c) for c in range(labels.shape[1])])
    for f, x in enumerate(activations.T.astype(float)):
        for c, y in enumerate(labels.T):
            r = np.corrcoef(x, y)[0, 1] if np.ptp(x) else 0
            assert found.correlation[f, c] == pytest.approx(r, abs=1e-9)
            assert found.auc[f, c] == pytest.approx(roc_auc_score(y, x), abs=1e-12)
            assert found.sensitivity[f, c] == (x[y] > 0).mean()
    np.testing.assert_array_equal(given.toarray(), activations)


@given(cases())
@settings(max_examples=40, deadline=None)
def test_sparse_as_dense(case):
    activations, labels = case
    for measure in (correlation, auc, sensitivity):
        found = measure(sparse.csc_array(activations), labels)
        np.testing.assert_allclose(found, measure(activations, labels), atol=1e-12)


@pytest.mark.parametrize("entries", [1, 7, 10**9])
@pytest.mark.parametrize("form", [sparse.csc_array, np.asarray])
@given(cases())
@settings(max_examples=15, deadline=None)
def test_blocks_of_columns_give_what_all_columns_give(entries, form, case):
    """Scores and sums by item, with one column at a time, a few, and all of them."""
    activations, labels = form(case[0]), case[1]
    items = np.arange(len(labels)) % 5

    def scores():
        sums = item_sums(activations, items)
        pairs = [measure(activations, labels) for measure in (correlation, auc, sensitivity)]
        return [*pairs, sums.total, sums.square, rank_sums(activations, items), active_sums(activations, items)]

    whole = scores()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "ENTRIES", entries)
        for measured, expected in zip(scores(), whole, strict=True):
            np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-12)


def test_blocks_cover_every_column_once():
    columns = sparse.csc_array(np.array([[1, 0, 1, 1, 0], [1, 0, 0, 1, 0], [1, 0, 0, 1, 0]]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "ENTRIES", 4)
        assert list(alignment.column_blocks(columns)) == [slice(0, 3), slice(3, 5)]
        assert list(alignment.column_blocks(columns.toarray())) == [slice(i, i + 1) for i in range(5)]


def test_neurons_of_any_sign_as_numpy_and_scikit_learn():
    rng = np.random.default_rng(0)
    x, y = rng.normal(3, 2, (200, 3)).astype(np.float32), rng.random((200, 2)) < 0.3
    found = align(x, y, ["a", "b"])
    expected = np.corrcoef(x.T.astype(float), y.T)[:3, 3:]
    np.testing.assert_allclose(found.correlation, expected, atol=1e-9)
    assert found.auc[2, 1] == pytest.approx(roc_auc_score(y[:, 1], x[:, 2]))
    assert found.sensitivity[2, 1] == (x[y[:, 1], 2] > 0).mean()


@pytest.mark.parametrize("value", [0.0, 0.889, 3e4])
@pytest.mark.parametrize("form", [np.asarray, sparse.csc_array])
def test_a_constant_feature_agrees_with_nothing(value, form):
    rows = form(np.full((1001, 1), value, dtype=np.float32))
    labels = np.arange(1001)[:, None] % 3 == 0
    assert correlation(rows, labels).tolist() == [[0]]
    assert auc(rows, labels).tolist() == [[pytest.approx(0.5)]]


def test_concepts_that_no_row_or_every_row_has_are_left_out():
    labels = np.column_stack([LABELS[:, 0], np.zeros(4, bool), LABELS[:, 1], np.ones(4, bool)])
    found = align(ACTIVATIONS, labels, ["a", "none", "b", "all"])
    assert found.concepts == ["a", "b"]
    expected = align(ACTIVATIONS, LABELS, ["a", "b"])
    for name in ("correlation", "auc", "sensitivity", "popularity"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("form", [np.asarray, sparse.csc_array])
def test_activations_that_are_not_finite_are_refused(value, form):
    broken = ACTIVATIONS.copy()
    broken[1, 1] = value
    with pytest.raises(InputError, match="activations hold NaN or infinity: collect them again"):
        align(form(broken), LABELS, ["a", "b"])


def test_labels_of_other_rows_are_refused():
    with pytest.raises(InputError, match=r"^4 rows of activations but 3 of labels: take the labels of"):
        align(ACTIVATIONS, LABELS[:3], ["a", "b"])
