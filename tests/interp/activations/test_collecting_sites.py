import numpy as np
import pytest
import torch

from interp.activations import collecting
from interp.activations.activation_store import ActivationStore
from interp.activations.collecting import collect, collect_sites
from interp.activations.growing_rows import BLOCK, RowsSoFar
from interp.model.envoys import RecommenderEnvoy
from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.files import file_sha256
from recmodels.recommender import MODELS


@pytest.fixture
def few(histories):
    return histories.select(np.arange(12))


def passes(recommender):
    """The forward passes of a recommender from now on, by their shape."""
    seen = []
    recommender.model.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape)))
    return seen


@pytest.mark.parametrize("model", MODELS)
def test_sites_in_one_pass_hold_what_each_holds_alone(recommenders, few, tmp_path, model):
    rec = RecommenderEnvoy(recommenders[model])
    sites = list(rec.recommender.model.sites)[::-1]  # in any order
    seen = passes(rec.recommender)
    together = collect_sites(rec, few, {site: tmp_path / "together" / site for site in sites}, batch_size=5)
    assert len(seen) == 3
    assert list(together) == sites
    for site in sites:
        alone = collect(rec, few, tmp_path / "alone" / site, site, batch_size=5)
        assert together[site].fingerprint == alone.fingerprint
        assert (together[site].site, together[site].mean, together[site].std) == (site, alone.mean, alone.std)
        assert together[site].rows.equals(alone.rows)
        ActivationStore.load(together[site].folder)  # its checksums are those of its files


def test_only_what_a_site_lacks_is_read(recommender, few, tmp_path, monkeypatch):
    """One site is whole, one was interrupted after 6 users, one is new; batches are of another size then."""
    rec = RecommenderEnvoy(recommender)
    folders = {site: tmp_path / site for site in ("blocks.0", "blocks.1", "final")}
    whole = collect_sites(rec, few, {site: tmp_path / "whole" / site for site in folders}, batch_size=12)
    collect(rec, few, folders["blocks.0"], "blocks.0", batch_size=12)
    read = collecting._read

    def interrupted(rec, sites, batch):
        if batch.users[0] == few.users[6]:
            raise KeyboardInterrupt
        return read(rec, sites, batch)

    with monkeypatch.context() as patch:
        patch.setattr(collecting, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            collect(rec, few, folders["blocks.1"], "blocks.1", batch_size=3)
    read_sites = []
    monkeypatch.setattr(collecting, "_read", lambda *call: read_sites.append(call[1]) or read(*call))
    stores = collect_sites(rec, few, folders, batch_size=4)
    assert read_sites == [["blocks.1", "final"]] * 3
    for site, store in stores.items():
        np.testing.assert_allclose(store.activations, whole[site].activations, rtol=0, atol=1e-5)
        assert store.rows.equals(whole[site].rows)
        assert store.mean == pytest.approx(whole[site].mean, abs=1e-6)


def test_an_unknown_site_stops_before_anything_is_written(recommender, few, tmp_path):
    folders = {site: tmp_path / site for site in ("blocks.0", "blocks.9")}
    with pytest.raises(InputError, match=r"no site 'blocks\.9'"):
        collect_sites(RecommenderEnvoy(recommender), few, folders)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_is_the_error_of_the_call(recommender, few, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(collecting.GrowingRows, "add", full)
    with pytest.raises(InputError, match="no space"):
        collect(RecommenderEnvoy(recommender), few, tmp_path / "store")


@pytest.mark.parametrize(("level", "scale"), [(0.0, 1.0), (1000.0, 1e-3), (0.1, 1e-8), (3.0, 0.0)])
def test_moments_are_those_of_all_entries_however_they_are_cut(level, scale):
    """Far from 0 too, where a sum of squares alone would lose all digits."""
    rng = np.random.default_rng(0)
    rows = (level + scale * rng.standard_normal((30, 4))).astype(np.float32)
    offsets = np.array([0, 1, 4, 9, 10, 22, 30])
    together, parts = RowsSoFar(offsets), RowsSoFar(offsets)
    together.take(rows)
    for start, end in ((0, 4), (4, 10), (10, 30)):
        parts.take(rows[start:end])
    assert parts.moments(4) == together.moments(4)
    assert parts.digest.hexdigest() == together.digest.hexdigest()
    mean, std = together.moments(4)
    assert mean == pytest.approx(rows.astype(np.float64).mean(), rel=1e-12)
    assert std == pytest.approx(rows.astype(np.float64).std(), rel=1e-9, abs=1e-300)


def test_a_file_that_was_hashed_as_it_was_written_is_not_read_for_it(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(artifacts, "file_sha256", lambda path: read.append(path.name) or file_sha256(path))
    digests = {}
    with artifacts.writing(tmp_path / "it", "model", {}, digests) as partial:
        for name in ("a", "b"):
            (partial / name).write_text(name)
        digests["a"] = file_sha256(partial / "a")
    assert read == ["b"]
    artifacts.verify(tmp_path / "it", "model")


def test_hidden_states_of_several_sites_are_those_of_each(recommender, few):
    rec = RecommenderEnvoy(recommender)
    states = rec.hidden_states(few, ["final", "embedding", "blocks.0"])
    assert set(states) == {"final", "embedding", "blocks.0"}
    for site, hidden in states.items():
        assert torch.equal(hidden, rec.hidden(few, site))


def test_hidden_states_are_those_of_a_trace(recommender, few):
    rec = RecommenderEnvoy(recommender)
    states = rec.hidden_states(few, ["blocks.0.mlp", "blocks.1"])
    with rec.trace(few):
        mlp = rec.blocks[0].mlp.output.clone().save()
        block = rec.blocks[1].output.save()
    assert torch.equal(states["blocks.0.mlp"], mlp)
    assert torch.equal(states["blocks.1"], block)


def test_hidden_states_are_read_after_the_edits_of_an_envoy(recommender, few):
    rec = RecommenderEnvoy(recommender)
    plain = rec.hidden(few, "blocks.0")
    with rec.edit(inplace=True):
        rec.blocks[0].output[:] = 1.0
    assert torch.equal(rec.hidden(few, "blocks.0"), torch.ones_like(plain))


def test_sums_of_rows_are_those_of_whole_blocks():
    rows = np.random.default_rng(0).normal(3, 0.1, (2 * BLOCK + 7, 5)).astype(np.float32)
    so_far = RowsSoFar(np.array([0, 3, BLOCK + 1, len(rows)]))
    so_far.take(rows)
    difference = rows.astype(np.float64) - float(rows[0, 0])
    by_hand = [difference.sum(axis=1), np.einsum("nd,nd->n", difference, difference)]
    assert np.array_equal(so_far.totals, np.add.reduceat(np.stack(by_hand), so_far.offsets[:-1], axis=1))
