"""A small planted world, made once per session: data, split, a fitted recommender, test users' histories."""

from dataclasses import replace

import pytest
import torch
from small import TRAINING

from recmodels.config import TrainingConfig
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.splits import paper_split
from recmodels.training import fit

# Models of this size only lose by sharing their work among threads.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def planted():
    return load(PlantedConfig(users=600, items=120, concepts=8, mean_length=24, drift=0.05))


@pytest.fixture(scope="session")
def split(planted):
    return paper_split(planted.interactions)


@pytest.fixture(scope="session")
def recommender(split, tmp_path_factory):
    """A GPTRec that is fitted well enough to know the planted concepts."""
    config = replace(TRAINING, max_epochs=10)
    return fit(split.recommender, split.validation, config, tmp_path_factory.mktemp("fit") / "recommender")


@pytest.fixture(scope="session")
def bert4rec(split, tmp_path_factory):
    """A BERT4Rec of the same data, barely trained: enough for tests of what is read and steered."""
    config = TrainingConfig(
        model="bert4rec",
        max_history=32,
        hidden_size=16,
        num_hidden_layers=2,
        learning_rate=3e-3,
        max_epochs=2,
    )
    return fit(split.recommender, split.validation, config, tmp_path_factory.mktemp("fit") / "recommender")


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
