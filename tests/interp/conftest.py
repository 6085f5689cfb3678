"""A dictionary on the small planted recommender, made once per session."""

import pytest

from interp.activations import collect
from interp.config import SAEConfig
from interp.envoys import RecommenderEnvoy
from interp.sae_training import train

SMALL = SAEConfig(n_features=64, l1=0.1, steps=600, batch_size=256, warmup_steps=100, sparsity_warmup_steps=200)


@pytest.fixture(scope="session")
def stores(recommender, split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("activations")
    rec = RecommenderEnvoy(recommender)
    return {part: collect(rec, getattr(split, part), folder / part) for part in ("sae", "sae_validation", "test")}


@pytest.fixture(scope="session")
def sae(stores, tmp_path_factory):
    return train(stores["sae"], {"small": SMALL}, tmp_path_factory.mktemp("dictionaries"))["small"]


@pytest.fixture
def rec(recommender, sae):
    return RecommenderEnvoy(recommender, sae)
