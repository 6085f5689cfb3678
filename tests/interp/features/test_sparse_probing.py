"""Sparse probing: selection, fits and errors from sums by fold, and probes."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LinearRegression, LogisticRegression

from interp.features.fold_sums import fold_sums
from interp.features.sparse_probing import (
    features_needed,
    forward_selection,
    linear_correlation,
    probe_probabilities,
)
from interp.features.standard_blocks import Standard, correlations


@pytest.fixture(scope="module")
def data():
    """Sparse features of two parts, labels that follow some of them, and folds."""
    rng = np.random.default_rng(0)
    x = [(rng.random((n, 12)) * (rng.random((n, 12)) < 0.3)).astype(np.float32) for n in (900, 400)]
    y = [np.stack([part[:, 2] + part[:, 5] > 0.6, part[:, 1] > 0.4], axis=1) for part in x]
    folds = [rng.integers(3, size=len(part)) for part in x]
    standard = Standard.of(sparse.csc_array(x[0]))
    sums = [fold_sums(sparse.csc_array(a), b, c, 3, standard) for a, b, c in zip(x, y, folds, strict=True)]
    return x, y, folds, standard, sums


def test_sums_are_those_of_standardised_features(data):
    x, y, folds, standard, (train, _) = data
    z = (x[0] - x[0].mean(axis=0)) / x[0].std(axis=0)
    np.testing.assert_allclose(standard.std, x[0].std(axis=0), rtol=1e-5)
    for fold, part in enumerate(train):
        rows, labels = z[folds[0] == fold], y[0][folds[0] == fold]
        assert part.rows == len(rows)
        np.testing.assert_allclose(part.xx, rows.T @ rows, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(part.xy, rows.T @ labels, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(part.covariance, np.cov(rows.T, bias=True), atol=1e-4)
    both = train[0] + train[1]
    np.testing.assert_allclose((both - train[1]).xx, train[0].xx)
    total = both + train[2]
    np.testing.assert_allclose(total.correlation, np.corrcoef(x[0].T), atol=1e-4)
    np.testing.assert_allclose(correlations(sparse.csc_array(x[0]), x[0]), np.corrcoef(x[0].T), atol=1e-4)


def test_a_constant_feature_correlates_with_nothing():
    x = np.array([[1, 3], [2, 3], [4, 3]], dtype=np.float32)
    assert correlations(x, x).round(5).tolist() == [[1, 0], [0, 0]]


def test_selection_by_hand():
    """Feature 1 explains most alone; with it, its near-copy 0 adds less than the weaker but independent 2."""
    covariance = np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1.0]])
    cross = np.array([0.7, 0.75, 0.3])
    assert forward_selection(covariance, cross, 2).tolist() == [1, 2]
    assert forward_selection(covariance, -cross, 2, positive=True).tolist() == []
    assert forward_selection(covariance, np.array([0.7, 0.75, -0.3]), 3, positive=True).tolist() == [1, 0]


def test_selection_raises_the_explained_variance_most_at_every_step(data):
    x, y, *_ = data
    a, b = x[0].astype(float), y[0][:, 0].astype(float)
    covariance = np.cov(np.column_stack([a, b]).T, bias=True)
    chosen = forward_selection(covariance[:-1, :-1], covariance[:-1, -1], 4)
    assert set(chosen[:2]) == {2, 5}
    for k in range(1, 5):
        scores = [
            -np.inf
            if f in chosen[: k - 1]
            else LinearRegression().fit(a[:, [*chosen[: k - 1], f]], b).score(a[:, [*chosen[: k - 1], f]], b)
            for f in range(12)
        ]
        assert int(np.argmax(scores)) == chosen[k - 1]


def test_copies_are_chosen_once():
    x = np.random.default_rng(0).normal(size=(100, 2))
    x = np.column_stack([x, x[:, 0]])
    covariance = np.cov(np.column_stack([x, x[:, 0] + x[:, 1]]).T)
    assert sorted(forward_selection(covariance[:3, :3], covariance[:3, 3], 3)) == [0, 1]


def test_fits_from_sums_are_those_of_rows(data):
    x, y, folds, _, (train, test) = data
    total = train[0] + train[1] + train[2]
    features = [np.array([2, 5]), np.array([5]), np.array([], dtype=int)]
    expected = np.zeros(len(x[1]))
    for fold, chosen in enumerate(features):
        fit, apply = folds[0] != fold, folds[1] == fold
        expected[apply] = y[0][fit, 0].mean()
        if len(chosen):
            model = LinearRegression().fit(x[0][fit][:, chosen], y[0][fit, 0])
            expected[apply] = model.predict(x[1][apply][:, chosen])
    fits = [total - part for part in train]
    found = linear_correlation(fits, test, features, 0)
    assert found == pytest.approx(np.corrcoef(expected, y[1][:, 0])[0, 1], abs=1e-4)
    assert linear_correlation(fits, test, [features[2]] * 3, 0) == pytest.approx(0, abs=0.1)


def test_features_needed_by_hand():
    assert features_needed([0.5, 0.52, 0.6]) == 1
    assert features_needed([0.5, 0.55, 0.57, 0.9]) == 2
    assert features_needed([0.1, 0.2, 0.3]) == 3
    assert features_needed([0.4]) == 1


def test_probes_are_not_fitted_on_the_items_that_they_are_measured_on(data):
    x, y, folds, *_ = data
    features = [np.array([2, 5])] * 3
    found = probe_probabilities(
        sparse.csc_array(x[0]), y[0][:, 0], folds[0], sparse.csc_array(x[1]), folds[1], features
    )
    for fold in range(3):
        fit, apply = folds[0] != fold, folds[1] == fold
        probe = LogisticRegression(solver="lbfgs", tol=1e-9).fit(x[0][fit][:, [2, 5]].astype(float), y[0][fit, 0])
        np.testing.assert_allclose(found[apply], probe.predict_proba(x[1][apply][:, [2, 5]])[:, 1], atol=1e-4)


def test_a_probe_without_features_or_with_one_class_says_the_share(data):
    x, y, folds, *_ = data
    none = [np.array([], dtype=int)] * 3
    found = probe_probabilities(x[0], y[0][:, 0], folds[0], x[1], folds[1], none)
    assert found[folds[1] == 0] == pytest.approx(y[0][folds[0] != 0, 0].mean())
    everywhere = probe_probabilities(x[0], np.ones(900, bool), folds[0], x[1], folds[1], [np.array([1])] * 3)
    assert (everywhere == 1).all()
