"""The fuzz suite: every test is marked, and `make fuzz` ends with a table of what all inputs led to."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from filelock import FileLock
from ledger import COUNTS, SURFACES, failure_lines, summary

from interp.activations.collecting import collect
from interp.activations.training import train
from interp.config import StudyConfig
from interp.model.envoys import RecommenderEnvoy
from interp.pipeline.run import run
from interp.sae_config import SAEConfig
from interp.steering.parsing import Meanings
from interp.study.study import Study, open
from recmodels.config import TrainingConfig
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.splits import paper_split
from recmodels.training import fit

torch.set_num_threads(1)
HERE = Path(__file__).parent
TINY = TrainingConfig(max_history=8, hidden_size=8, num_hidden_layers=1, windows="all", max_epochs=1)
SAE = SAEConfig(n_features=16, steps=40, batch_size=64, warmup_steps=5, sparsity_warmup_steps=5)


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.fuzz)


def pytest_terminal_summary(terminalreporter):
    if COUNTS and SURFACES:
        terminalreporter.section("what odd inputs led to")
        for line in summary():
            terminalreporter.write_line(line)
        for surface in SURFACES:
            for line in failure_lines(surface):
                terminalreporter.write_line(f"{surface}: {line}")


@pytest.fixture(scope="session")
def tiny_world():
    """120 users, each of whom meets about ten of 40 items."""
    return load(PlantedConfig(users=120, items=40, concepts=4, mean_length=10))


@pytest.fixture(scope="session")
def tiny_rec(tiny_world, tmp_path_factory):
    """A recommender of 40 items with a dictionary of 16 features, whose units and one concept have a meaning."""
    folder = tmp_path_factory.mktemp("tiny")
    split = paper_split(tiny_world.interactions)
    rec = RecommenderEnvoy(fit(split.recommender, split.validation, TINY, folder / "recommender"))
    store = collect(rec, split.sae, folder / "activations")
    units = {name: {feature: 1.0 + feature for feature in range(16)} for name in ("std", "p99")}
    return rec.attach(
        train(store, {"tiny": SAE}, folder / "dictionaries")["tiny"], Meanings({"Horror": (3, 5)}, pd.DataFrame(units))
    )


@pytest.fixture(scope="session")
def tiny_study(tiny_world, tmp_path_factory, worker_id) -> Study:
    """A finished study of seconds, made once even if several processes ask for it."""
    config = StudyConfig(dataset="tiny", training=TINY, sae=replace(SAE), min_support=2, values=(-1.0, 1.0))
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    with FileLock(shared / "fuzz-study.lock"):
        run(replace(config, out=shared / "fuzz-study"), tiny_world)
    return open(shared / "fuzz-study")
