from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.metrics import explained_variance_score, root_mean_squared_error

import interp
from interp.activations import column_merge
from interp.activations import feature_matrix as module
from interp.activations.evaluation import TopCorrelation
from interp.activations.feature_matrix import encode, feature_matrix, statistics
from interp.activations.fidelity import downstream, reconstruction
from interp.control.intervals import of_means
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError
from recmodels.metrics import user_ndcg
from recmodels.ranking import evaluate, rank


def test_encode_equals_the_dictionary_row_by_row(stores, sae):
    found = encode(stores["test"], sae, batch_size=37)
    expected = sae.encode(torch.from_numpy(np.array(stores["test"].activations)))
    np.testing.assert_allclose(found.toarray(), expected.numpy(), rtol=0, atol=1e-6)


def test_a_dictionary_of_another_site_is_refused(stores, sae):
    other = replace(sae, provenance=replace(sae.provenance, site="blocks.1"))
    with pytest.raises(InputError, match=r"reads blocks\.1"):
        encode(stores["test"], other)
    foreign = replace(sae, provenance=replace(sae.provenance, recommender="another"))
    with pytest.raises(InputError, match="trained on recommender"):
        reconstruction(stores["test"], foreign)


def mapped_from(array):
    """The file that an array's memory is mapped from, if any."""
    while array is not None and not isinstance(array, np.memmap):
        array = array.base
    return None if array is None else Path(array.filename)


@pytest.fixture
def encodings(monkeypatch):
    """The dictionaries that stores are encoded with, in order."""
    calls = []

    def counted(store, sae, *size):
        if not size:  # `encode` gives one
            calls.append(sae.fingerprint)
        return encoded(store, sae, *size)

    encoded = module._encoded
    monkeypatch.setattr(module, "_encoded", counted)
    return calls


def test_a_matrix_is_made_once_and_mapped_from_its_folder(stores, sae, tmp_path, encodings):
    folder = tmp_path / "features"
    expected = encode(stores["test"], sae)
    for _ in range(2):
        matrix = feature_matrix(stores["test"], sae, folder)
        assert (matrix.shape, matrix.dtype, matrix.format) == (expected.shape, np.float32, "csc")
        for part in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(matrix, part), getattr(expected, part))
            assert mapped_from(getattr(matrix, part)) == folder / f"{part}.npy"
        assert not matrix.data.flags.writeable
    assert encodings == [sae.fingerprint]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features"]


@pytest.mark.parametrize("rows", [1, 7, 10**9])
@pytest.mark.parametrize("entries", [1, 7, 10**9])
def test_blocks_of_any_size_give_the_matrix_of_all_rows(rows, entries, tmp_path, monkeypatch):
    """Rows that come by ones, and columns that are gathered by ones; a column and some rows without any entry."""
    monkeypatch.setattr(column_merge, "ROWS", rows)
    monkeypatch.setattr(column_merge, "ENTRIES", entries)
    rng = np.random.default_rng(0)
    values = (rng.random((53, 6)) * (rng.random((53, 6)) < 0.3)).astype(np.float32)
    values[:, 2], values[10:20] = 0, 0
    values[:, 5] = 1
    expected = sparse.csc_array(values)
    parts = (sparse.csr_array(values[start : start + 3]) for start in range(0, 53, 3))
    column_merge.merge(parts, 53, 6, tmp_path)
    for part in ("data", "indices", "indptr"):
        written = np.load(tmp_path / f"{part}.npy")
        assert written.dtype == getattr(expected, part).dtype
        np.testing.assert_array_equal(written, getattr(expected, part))
    assert len(list(tmp_path.iterdir())) == 3


def test_a_matrix_without_any_entry(tmp_path):
    column_merge.merge(iter([sparse.csr_array((4, 3), dtype=np.float32)]), 4, 3, tmp_path)
    assert np.load(tmp_path / "indptr.npy").tolist() == [0, 0, 0, 0]
    assert np.load(tmp_path / "data.npy").shape == (0,)


@pytest.mark.parametrize("batch", [1, 7, 10**6])
def test_an_evaluation_in_batches_equals_the_whole_matrix(stores, sae, planted, batch):
    """The top correlations of features and neurons, against numpy on all rows at once."""
    store, concepts = stores["test"], interp.concepts_of(planted.items, "concepts", 5)
    labels = concepts.labels(store.rows["item"]).astype(float)
    for values in (encode(store, sae).toarray(), np.array(store.activations)):
        top = TopCorrelation(store, concepts, values.shape[1])
        for start in range(0, len(store), batch):
            top.add(values[start : start + batch])
        varies = values.std(axis=0) > 0
        pairs = np.corrcoef(values[:, varies].T, labels.T)[: varies.sum(), varies.sum() :]
        assert top.mean() == pytest.approx(pairs.max(axis=0).mean(), abs=1e-9)


def test_reconstruction_gives_every_batch_to_who_observes_it(stores, sae):
    batches = []
    assert reconstruction(stores["test"], sae, batches.append) == reconstruction(stores["test"], sae)
    np.testing.assert_array_equal(np.concatenate(batches), encode(stores["test"], sae).toarray())


def test_a_matrix_of_another_dictionary_or_store_is_replaced(stores, sae, tmp_path, encodings):
    other = replace(sae, mean=sae.mean + 0.1)
    assert other.fingerprint != sae.fingerprint
    first = feature_matrix(stores["test"], sae, tmp_path / "features")
    second = feature_matrix(stores["test"], other, tmp_path / "features")
    assert second.nnz != first.nnz
    np.testing.assert_array_equal(second.toarray(), encode(stores["test"], other).toarray())
    third = feature_matrix(stores["sae_validation"], other, tmp_path / "features")
    assert third.shape[0] == len(stores["sae_validation"])
    assert encodings == [sae.fingerprint, other.fingerprint, other.fingerprint]


@pytest.mark.parametrize("name", ["data.npy", "indices.npy", "indptr.npy"])
def test_a_damaged_matrix_is_not_read_but_made_again(stores, sae, tmp_path, encodings, caplog, name):
    folder = tmp_path / "features"
    feature_matrix(stores["test"], sae, folder)
    path = folder / name
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    matrix = feature_matrix(stores["test"], sae, folder)
    assert f"{path} was cut short or altered" in caplog.text
    assert len(encodings) == 2
    np.testing.assert_array_equal(matrix.toarray(), encode(stores["test"], sae).toarray())


def test_a_folder_that_holds_something_else_is_refused(stores, sae, tmp_path):
    folder = tmp_path / "features"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="that this program wrote"):
        feature_matrix(stores["test"], sae, folder)
    assert (folder / "notes.txt").read_text() == "mine"
    with pytest.raises(InputError, match=r"reads blocks\.1"):
        feature_matrix(
            stores["test"], replace(sae, provenance=replace(sae.provenance, site="blocks.1")), tmp_path / "b"
        )
    assert not (tmp_path / "b").exists()


def test_statistics_by_hand():
    values = np.array([[0, 1.0, 0], [0, 3.0, 0], [0, 0, 2.0], [0, 2.0, 0]])
    table = statistics(sparse.csc_array(values))
    assert table["density"].tolist() == [0, 0.75, 0.25]
    assert table["mean"].tolist() == [0, 2, 2]
    assert table["max"].tolist() == [0, 3, 2]
    assert table["p99"].tolist() == [0, pytest.approx(np.percentile([1, 2, 3], 99)), 2]
    assert table["std"].tolist() == pytest.approx(values.std(axis=0).tolist())


def test_reconstruction_against_scikit_learn(stores, sae):
    store = stores["test"]
    found = reconstruction(store, sae)
    hidden = torch.from_numpy(np.array(store.activations))
    x = sae.normalise(hidden).numpy()
    x_hat = sae.normalise(sae.decode(sae.encode(hidden))).numpy()
    assert found["explained_variance"] == pytest.approx(explained_variance_score(x, x_hat), abs=1e-5)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(x.ravel(), x_hat.ravel()), rel=1e-4)
    active = sae.encode(hidden).numpy() > 0
    assert found["l0"] == pytest.approx(active.sum(axis=1).mean())
    assert found["dead"] == pytest.approx((~active.any(axis=0)).mean())


def test_a_dimension_that_never_varies_counts_as_scikit_learn_has_it(stores, sae):
    store = stores["test"]
    x = np.array(store.activations)
    x[:, 3], x[:, 5] = 0.5, 1e6
    hidden = torch.from_numpy(x)
    again = sae.normalise(sae.decode(sae.encode(hidden)))
    expected = explained_variance_score(sae.normalise(hidden).double(), again.double())
    assert reconstruction(replace(store, activations=x), sae)["explained_variance"] == pytest.approx(expected, abs=1e-9)


def test_downstream_of_a_replaced_layer(rec, recommender, histories, sae):
    table = downstream(rec, histories, "blocks.0").set_index("replaced")
    catalogue = np.arange(len(recommender.vocabulary))
    metrics = ["ndcg@10", "hit_rate@10", "coverage@10", "diversity@10"]
    assert table.loc["none", metrics].to_dict() == evaluate(recommender.score, histories, catalogue)

    def replaced(batch):
        hook = recommender.model.backbone.h[0].register_forward_hook(
            lambda module, inputs, output: sae.decode(sae.encode(output))
        )
        try:
            return recommender.score(batch)
        finally:
            hook.remove()

    assert table.loc["all", metrics].to_dict() == pytest.approx(evaluate(replaced, histories, catalogue), abs=1e-9)

    inputs, truth = histories.split_last()
    sides = [user_ndcg(rank(score, inputs), truth)[:, None] for score in (recommender.score, replaced)]
    paired = of_means(*sides, Resampling()).iloc[0]  # what receipts say of a steer
    row, same = table.loc["all"], table.loc["none"]
    assert row["ndcg@10_change"] == pytest.approx(row["ndcg@10"] - same["ndcg@10"], abs=1e-12)
    for own, of_receipts in {"": "after", "_change": "change"}.items():
        for end in ("_low", "_high"):
            assert row[f"ndcg@10{own}{end}"] == pytest.approx(paired[f"{of_receipts}{end}"], abs=1e-12)
    assert same[["ndcg@10_change", "ndcg@10_change_low", "ndcg@10_change_high"]].tolist() == [0, 0, 0]
    assert paired["change_low"] < paired["change_high"]
    known = downstream(rec, histories, "blocks.0", ("all",), plain=sides[0][:, 0])  # the fast way of many dictionaries
    assert known.set_index("replaced").loc["all"].to_dict() == row.to_dict()
    alone = downstream(rec, next(histories.batches(1)), "blocks.0", ("all",)).iloc[0]
    assert alone[["ndcg@10_low", "ndcg@10_change_high"]].isna().all()
