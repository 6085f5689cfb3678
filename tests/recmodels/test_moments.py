"""Moments of columns on badly conditioned input, against exact fractions, numpy's longest floats and scikit-learn."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import explained_variance_score

from interp.activations.fidelity import explained_variance
from interp.concepts.alignment import correlation as with_labels
from interp.control.popularity import cohens_d
from interp.features.neighbours import coactive_features
from recmodels.moments import Levelled, RunningCorrelation, RunningScatter, correlation, scatter

FORMS = [np.asarray, sparse.csc_array, sparse.csr_array]


def exact_scatter(column):
    values = [Fraction(float(value)) for value in column]
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)


def exact_correlation(x, y):
    x, y = (values.astype(np.longdouble) for values in (x, y))
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / scale) if scale else 0.0


@st.composite
def columns(draw, few=1):
    """Columns of a level and a spread of any size, some of whose entries may be 0."""
    n, f = draw(st.integers(few, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    level = draw(st.sampled_from([0, 1, 1e6, -1e9]))
    spread = draw(st.sampled_from([0, 1e-3, 1, 1e6]))
    dense = draw(st.sampled_from([0.1, 0.9, 1]))
    return (level + spread * rng.normal(size=(n, f))) * (rng.random((n, f)) < dense)


@pytest.mark.parametrize("form", FORMS)
@given(x=columns())
@settings(max_examples=40, deadline=None)
def test_scatter_is_exact(form, x):
    expected = np.array([float(exact_scatter(column)) for column in x.T])
    np.testing.assert_allclose(scatter(form(x)), expected, rtol=1e-9)


@given(x=columns(few=2), share=st.sampled_from([0.0, 0.3, 1.0]), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_correlation_with_labels_is_pearsons(x, share, seed):
    labels = np.random.default_rng(seed).random((len(x), 2)) < share
    expected = [[exact_correlation(column, label) for label in labels.T] for column in x.T]
    for form in FORMS:
        np.testing.assert_allclose(with_labels(form(x), labels), expected, atol=1e-6)
    if share in (0, 1):
        assert not with_labels(x, labels).any()


@pytest.mark.parametrize(("rows", "seed"), [(5, 7), (5, 138), (9, 29)])
def test_a_full_column_on_a_high_level_does_not_multiply_the_rounding_of_sums(rows, seed):
    x = -1e9 + 1e-3 * np.random.default_rng(seed).normal(size=(rows, 1))
    labels = np.random.default_rng(seed).random((rows, 2)) < 0.3
    expected = [[exact_correlation(column, label) for label in labels.T] for column in x.T]
    np.testing.assert_allclose(with_labels(x, labels), expected, atol=1e-12)


def test_correlation_keeps_its_digits_on_a_high_level():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(500, 3))
    labels = noise[:, :1] + rng.normal(size=(500, 2)) > 0
    level = 1e6 * 2.0**20  # E[x²] − E[x]² has no digit left here
    x = level + np.round(noise * 2**10) / 2**10  # so that the level loses nothing of it
    plain = correlation(Levelled.of(x - level), Levelled.of(labels))
    for form in FORMS:
        np.testing.assert_allclose(with_labels(form(x), labels), plain, atol=1e-12)
        columns = Levelled.of(form(x))
        np.testing.assert_allclose(correlation(columns, columns), np.corrcoef((x - level).T), atol=1e-12)


def test_features_that_are_on_at_all_steps_go_together_by_what_varies():
    x = 1e6 + np.array([[0.0, 0, 1], [1, 1, 0], [2, 2, 0], [3, 3, 1]])
    found = coactive_features(sparse.csc_array(x), count=1)
    assert found[["feature", "neighbour"]].to_numpy().tolist() == [[0, 1], [1, 0]]
    np.testing.assert_allclose(found["similarity"], 1, atol=1e-12)


def test_effect_sizes_do_not_depend_on_the_level():
    rng = np.random.default_rng(1)
    one, other = np.round(rng.normal(size=(40, 2)) * 64) / 64, np.round(rng.normal(1, 1, (50, 2)) * 64) / 64
    plain, high = (cohens_d(*(sparse.csr_array(x + level) for x in (one, other))) for level in (0, 2.0**40))
    np.testing.assert_allclose(high[["d", "std"]], plain[["d", "std"]], rtol=1e-12)


@given(x=columns(), batch=st.integers(1, 15))
@settings(max_examples=40, deadline=None)
def test_batches_add_up(x, batch):
    running = RunningScatter(x.shape[1])
    for start in range(0, len(x), batch):
        running.add(x[start : start + batch])
    expected = np.array([float(exact_scatter(column)) for column in x.T])
    np.testing.assert_allclose(running.scatter, expected, rtol=1e-9)
    assert running.rows == len(x)


@pytest.mark.parametrize("batch", [1, 7, 10**6])
@given(x=columns(few=2), share=st.sampled_from([0.0, 0.3, 1.0]), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_correlation_in_batches_is_that_of_all_rows(batch, x, share, seed):
    labels = np.random.default_rng(seed).random((len(x), 2)) < share
    running = RunningCorrelation(x.shape[1], 2)
    for start in range(0, len(x), batch):
        running.add(x[start : start + batch], labels[start : start + batch])
    np.testing.assert_allclose(running.correlation(), with_labels(x, labels), atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.1, -3e8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_rows_have_no_scatter(value, dtype):
    x = np.full((1003, 2), value, dtype)
    assert [scatter(form(x)).tolist() for form in FORMS] == [[0, 0]] * 3
    running = RunningScatter(2)
    for part in np.array_split(x, 7):
        running.add(part)
    assert running.scatter.tolist() == [0, 0]


# A dimension that is constant, rebuilt up to a shift and not; nearly constant, rebuilt well and badly; an ordinary one.
ORIGINAL = np.column_stack(
    [np.full(64, 0.5), np.full(64, 0.5), *[0.5 + 2.0**-30 * np.arange(64)] * 2, np.arange(64.0) % 7]
)
REBUILT = ORIGINAL + np.column_stack(
    [np.full(64, 0.25), *[np.arange(64) % 3] * 1, 2.0**-34 * (np.arange(64) % 3), *[np.arange(64) % 3] * 2]
)


@pytest.mark.parametrize("rows", [64, 2, 1])
def test_explained_variance_is_scikit_learns(rows):
    x, again = ORIGINAL[:rows], REBUILT[:rows]
    parts = [RunningScatter(5), RunningScatter(5)]
    for start in range(0, rows, 10):
        batch = slice(start, start + 10)
        parts[0].add(x[batch])
        parts[1].add(x[batch] - again[batch])
    found = explained_variance(parts[0].scatter, parts[1].scatter)
    np.testing.assert_allclose(found, explained_variance_score(x, again, multioutput="raw_values"), rtol=1e-9)
    assert (found <= 1).all()
