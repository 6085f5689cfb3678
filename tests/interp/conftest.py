"""Dictionaries on the small planted recommender and on planted directions, made once."""

import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from browsers import chromium_session
from small_study import CONFIG

from interp.activations.activation_store import ActivationStore
from interp.activations.collecting import collect
from interp.activations.training import train
from interp.cli import main
from interp.model.envoys import RecommenderEnvoy
from interp.pipeline.run import run
from interp.sae_config import SAEConfig
from interp.sae_registry import sae_kinds
from interp.study.study import open as open_study

SMALL = SAEConfig(n_features=64, l1=0.1, steps=600, batch_size=256, warmup_steps=100, sparsity_warmup_steps=200)
QUICK = replace(SMALL, k=4, steps=60, warmup_steps=5, sparsity_warmup_steps=10, learning_rate=3e-3)
TINY = SAEConfig(n_features=32, steps=150, batch_size=64, warmup_steps=5, sparsity_warmup_steps=5)


class MemoryStore(ActivationStore):
    """A store whose activations lie in memory."""

    fingerprint = "in memory"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A headless browser, which lasts for one file of tests."""
    yield from chromium_session(tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="session")
def stores(recommender, split, shared):
    rec = RecommenderEnvoy(recommender)
    with shared("activations") as folder:
        return {part: collect(rec, getattr(split, part), folder / part) for part in ("sae", "sae_validation", "test")}


@pytest.fixture(scope="session")
def sae(stores, shared):
    with shared("dictionaries") as folder:
        return train(stores["sae"], {"small": SMALL}, folder)["small"]


@pytest.fixture(scope="session")
def steerable(recommenders, split, shared):
    """Both models, by name, with a hastily trained dictionary at each of these sites."""
    envoys = {name: RecommenderEnvoy(recommender) for name, recommender in recommenders.items()}
    with shared("steerable") as folder:
        for name, envoy in envoys.items():
            for site in ("embedding", "blocks.0", "blocks.1", "final"):
                store = collect(envoy, split.sae_validation, folder / name / "activations" / site, site)
                envoy.attach(train(store, {"tiny": TINY}, folder / name / site)["tiny"])
    return envoys


@pytest.fixture(scope="session")
def every_kind(stores, shared):
    """One hastily trained dictionary by each trainer, on the same activations as `sae`."""
    configs = {trainer: replace(QUICK, trainer=trainer) for trainer in sae_kinds()}
    with shared("every-kind") as folder:
        return train(stores["sae"], configs, folder)


@pytest.fixture
def rec(recommender, sae):
    return RecommenderEnvoy(recommender, sae)


@pytest.fixture(scope="session")
def directions():
    """24 unit directions in 16 dimensions."""
    drawn = np.random.default_rng(0).normal(size=(24, 16))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture(scope="session")
def combinations(directions, tmp_path_factory):
    """A store of 20,000 sums of about two of the directions each, one to two of either."""
    rng = np.random.default_rng(1)
    strengths = rng.uniform(1, 2, size=(20_000, 24)) * (rng.random((20_000, 24)) < 2 / 24)
    x = (strengths @ directions).astype(np.float32)
    folder = tmp_path_factory.mktemp("combinations")
    return MemoryStore(folder, x, None, "blocks.0", "someone", float(x.mean()), float(x.std()))


@pytest.fixture(scope="session")
def study(planted, shared, tmp_path_factory):
    """A finished study; each process has a copy of its own, which its tests may write to."""
    copy = tmp_path_factory.mktemp("study") / "planted"
    with shared("study") as folder:
        if not (folder / "config.json").exists():
            run(replace(CONFIG, dataset="ml-1m", out=folder), planted)  # your own data give a run its name
        shutil.copytree(folder, copy)
    return open_study(copy)


@pytest.fixture
def arguments(monkeypatch):
    """Call the command line with these arguments."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["interp", *map(str, words)])
        main()

    return call
