"""Dictionaries of the untrained recommender and of the item embeddings."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from small_study import CONFIG

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import encode
from interp.activations.item_embeddings import SITE, item_embeddings
from interp.model.envoys import RecommenderEnvoy
from interp.pipeline.grid import PARTS
from interp.pipeline.trained_baselines import baselines, outputs, train_baselines
from interp.sae.autoencoder import SparseAutoencoder
from recmodels.training import initial

QUICK = replace(CONFIG.sae, steps=160)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return replace(CONFIG, out=tmp_path_factory.mktemp("baselines"), sae=QUICK)


@pytest.fixture
def data(split):
    """The parts of the users, for a recommender that the study trained."""
    return SimpleNamespace(split=split, recommender=None)


@pytest.fixture
def dictionary(sae):
    return replace(sae, config=QUICK)


def test_item_embeddings_have_the_rows_of_the_store(rec, stores, tmp_path):
    store = item_embeddings(rec, stores["test"], tmp_path / "store")
    assert store.rows.equals(stores["test"].rows)
    assert (store.site, store.recommender) == (SITE, stores["test"].recommender)
    recommender = rec.recommender
    for row in (0, 100, len(store) - 1):
        code = recommender.vocabulary.ids.get_loc(store.rows["item"][row])
        embedding = recommender.model.item_embeddings()[code].detach().numpy()
        assert store.activations[row].tolist() == embedding.tolist()
    assert store.std == pytest.approx(store.activations.std(), rel=1e-5)


def test_baselines_are_trained_once(config, data, rec, stores, dictionary):
    def trained():
        return train_baselines(config, data, rec, stores, dictionary)

    named = {candidates.name: candidates for candidates in trained()}
    assert list(named) == ["untrained recommender", "item embeddings"]
    before = [(folder / "manifest.json").stat().st_mtime_ns for folder in outputs(config.folder)]
    assert len(before) == 8
    for candidates in trained():
        assert abs(candidates.activations("test") - named[candidates.name].activations("test")).nnz == 0
    assert [(folder / "manifest.json").stat().st_mtime_ns for folder in outputs(config.folder)] == before

    # As if each had been made by hand.
    untrained = config.folder / "baselines" / "untrained"
    own = {part: ActivationStore.load(untrained / "activations" / part) for part in PARTS}
    assert {store.recommender for store in own.values()} == {
        initial(config.training, rec.recommender.vocabulary).fingerprint
    }
    sae = SparseAutoencoder.load(untrained / "dictionary")
    assert sae.config == QUICK.complete()
    for part in PARTS:
        assert own[part].rows.equals(stores[part].rows)
        values = named["untrained recommender"].activations(part)
        assert abs(values - encode(own[part], sae)).nnz == 0


def test_the_untrained_recommender_is_not_the_trained_one(rec, stores, histories):
    before = RecommenderEnvoy(initial(CONFIG.training, rec.recommender.vocabulary))
    some = histories.select(slice(0, 3))
    assert not torch.allclose(before.hidden(some, "blocks.0"), rec.hidden(some, "blocks.0"), atol=0.1)


def test_the_configuration_chooses_baselines(config, data, rec, stores, dictionary):
    def names(which):
        chosen = replace(config, baselines=which)
        return [candidates.name for candidates in baselines(chosen, data, rec, stores, dictionary, 5.0)]

    assert names("none") == []
    assert names("quick") == ["random directions", "random dictionary", "PCA", "ICA"]
    assert names("all") == [*names("quick"), "untrained recommender", "item embeddings"]
