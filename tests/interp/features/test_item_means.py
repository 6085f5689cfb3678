"""Mean activations by item: by hand, and against pandas and scikit-learn."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics.pairwise import cosine_similarity

from interp.features import item_means
from interp.features.item_means import ItemMeans


def test_means_by_hand():
    """Two parts; item 2 has no step; feature 1 is large everywhere, feature 0 lights up on item 0."""
    first = sparse.csc_array(np.float32([[2, 5], [0, 5], [4, 8]]))
    second = sparse.csc_array(np.float32([[0, 6]]))
    means = ItemMeans.of([(first, np.array([0, 1, 0])), (second, np.array([1]))], 3)
    assert means.steps.tolist() == [2, 2, 0]
    assert means.mean[:, :2].tolist() == [[3, 6.5], [0, 0], [0, 0]]
    assert means.overall.tolist() == [1.5, 6]
    np.testing.assert_allclose(means.std, [np.std([2, 0, 4, 0]), np.std([5, 5, 8, 6])])
    rows = means.features()
    assert rows[["code", "rank", "feature", "activation"]].to_numpy().tolist() == [[0, 1, 0, 3], [0, 2, 1, 6.5]]
    np.testing.assert_allclose(rows["above"], [1.5 / np.std([2, 0, 4, 0]), 0.5 / np.std([5, 5, 8, 6])])
    assert means.neighbours().empty  # of too few steps


def test_blocks_give_what_the_whole_gives(monkeypatch):
    rng = np.random.default_rng(0)
    n, f, v = 600, 30, 25
    x = (rng.random((n, f)) * (rng.random((n, f)) < 0.2)).astype(np.float32)
    x[:, 3] = 0
    codes = np.concatenate([rng.integers(0, v - 2, n - 3), [v - 2] * 3])  # of two items three steps and none
    for name in ("_FEATURES", "_ITEMS", "_NEAR"):
        monkeypatch.setattr(item_means, name, 7)
    monkeypatch.setattr(item_means, "COUNT", 4)
    parts = [(sparse.csc_array(x[:250]), codes[:250]), (sparse.csc_array(x[250:]), codes[250:])]
    means = ItemMeans.of(parts, v)
    by_item = pd.DataFrame(x.astype(float)).groupby(codes).mean().reindex(range(v), fill_value=0).to_numpy()
    np.testing.assert_allclose(means.compared.toarray(), by_item[means.codes], atol=1e-12)
    z = np.nan_to_num((by_item - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), np.nan))
    rows = means.features()
    for code, group in rows.groupby("code"):
        best = np.sort(z[code])[::-1][:4]
        np.testing.assert_allclose(group["above"], best[best > 0], rtol=1e-4)
        np.testing.assert_allclose(group["activation"], by_item[code, group["feature"]])
    near = means.neighbours(3)
    enough = np.bincount(codes, minlength=v) >= item_means.MIN_STEPS
    assert set(near["code"]) == set(np.flatnonzero(enough))
    cosine = cosine_similarity(by_item)
    for code, group in near.groupby("code"):
        others = [other for other in np.flatnonzero(enough) if other != code]
        np.testing.assert_allclose(group["similarity"], np.sort(cosine[code, others])[::-1][:3])
        np.testing.assert_allclose(group["similarity"], cosine[code, group["neighbour"]])


def test_of_many_items_those_with_the_most_steps_are_compared():
    """Items 0 to 3 have 5, 9, 7 and 6 steps; 1, 2 and 3 are compared, and 3 lies along 1."""
    x = np.float32([[1, 0]] * 5 + [[2, 1]] * 9 + [[0, 1]] * 7 + [[4, 2]] * 6)
    means = ItemMeans.of([(sparse.csc_array(x), np.repeat(range(4), [5, 9, 7, 6]))], 4, most=3)
    near = means.neighbours(1)
    assert near[["code", "neighbour"]].to_numpy().tolist() == [[1, 3], [2, 1], [3, 1]]
    np.testing.assert_allclose(near["similarity"], [1, np.sqrt(0.2), 1])


def test_the_largest_are_those_of_a_stable_sort():
    """With many ties, in the order of columns, and nothing below or at 0."""
    values = np.random.default_rng(0).integers(-2, 4, (50, 20)).astype(float)
    order = np.argsort(-values, axis=1, kind="stable")[:, :6]
    rows = [(row, place + 1, column) for row, columns in enumerate(order) for place, column in enumerate(columns)]
    told = item_means._largest(values, 6, 0, "column", "value")
    assert list(told[["code", "rank", "column"]].itertuples(index=False, name=None)) == [
        (row, rank, column) for row, rank, column in rows if values[row, column] > 0
    ]
