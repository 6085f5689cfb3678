"""A small planted world, made once: data, split, a fitted recommender, test users' histories."""

import os
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import films
import pytest
import torch
from filelock import FileLock
from rank_forks import launch as launch_ranks
from small import TRAINING

from interp.pipeline.run import run
from recmodels.config import TrainingConfig
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.splits import paper_split
from recmodels.training import fit

# Models of this size only lose by sharing their work among threads.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder by name that all processes of the tests share, one at a time: the first fills it, the others read it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @contextmanager
    def folder(name):
        with FileLock(base / f"{name}.lock"):
            yield base / f"shared-{name}"

    return folder


@pytest.fixture(scope="session")
def films_study(shared):
    """The folder of a finished study of the films of `films`; copy it before you change it."""
    with shared("films") as folder:
        if not (folder / "config.json").exists():
            run(replace(films.CONFIG, out=folder), films.films())
    return folder


@pytest.fixture(scope="session")
def planted():
    return load(PlantedConfig(users=600, items=120, concepts=8, mean_length=24, drift=0.05))


@pytest.fixture(scope="session")
def split(planted):
    return paper_split(planted.interactions)


@pytest.fixture(scope="session")
def recommender(split, shared):
    """A GPTRec that is fitted well enough to know the planted concepts."""
    with shared("gptrec") as folder:
        return fit(split.recommender, split.validation, replace(TRAINING, max_epochs=10), folder)


@pytest.fixture(scope="session")
def bert4rec(split, shared):
    """A BERT4Rec of the same data, barely trained: enough for tests of what is read and steered."""
    config = TrainingConfig(
        model="bert4rec",
        max_history=32,
        hidden_size=16,
        num_hidden_layers=2,
        learning_rate=3e-3,
        max_epochs=2,
    )
    with shared("bert4rec") as folder:
        return fit(split.recommender, split.validation, config, folder)


@pytest.fixture(scope="session")
def recommenders(recommender, bert4rec):
    """One of each model, by name."""
    return {"gptrec": recommender, "bert4rec": bert4rec}


@pytest.fixture(scope="session")
def histories(split, recommender):
    """The test users' histories."""
    return recommender.histories(split.test)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the path, to install packages into."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def launch(tmp_path):
    """`rank_forks.launch`."""
    return partial(launch_ranks, tmp_path)
