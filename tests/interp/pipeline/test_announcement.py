"""What a study says before it trains."""

import shutil
import time
from dataclasses import replace

import pytest
from small_study import CONFIG

from interp.config import GridConfig, SAEConfig
from interp.pipeline.announcement import announcement, duration, training_seconds
from interp.presets import PRESETS, presets
from interp.sae_registry import _KINDS, register_sae
from recmodels.datasets import _LOADERS, register_dataset
from recmodels.datasets.planted import load


def width(site):
    return 32


def test_it_counts_the_dictionaries_and_their_sites(tmp_path):
    text = announcement(replace(CONFIG, out=tmp_path), width)
    # 0.1 (the dictionary of sae itself) and 0.3 with 64 features, and 32 features, each of 2 seeds; top_k; another site
    assert text.startswith(
        "The study has 8 dictionaries at 2 sites (blocks.0, blocks.1.mlp), and 2 dictionaries as baselines. "
        "Training takes about "
    )
    alone = announcement(replace(CONFIG, grid=GridConfig(), baselines="quick", out=tmp_path), width)
    assert alone.startswith("The study has 1 dictionary at 1 site (blocks.0). Training takes about ")


def test_what_is_trained_already_is_not_counted_again(study, tmp_path):
    config = replace(CONFIG, out=study.folder)
    assert announcement(config, width).endswith("; all are trained already.")
    folder = tmp_path / "study"
    shutil.copytree(study.folder / "dictionaries", folder / "dictionaries")
    assert " 8 of them are trained already. " in announcement(replace(config, out=folder), width)
    others = replace(config, out=folder, sae=replace(CONFIG.sae, steps=401))
    assert "already" not in announcement(others, width)


def test_the_time_is_that_of_the_steps(request):
    """A trainer that takes 10 ms a step, 500 steps, twice; what a library does at a first step alone does not count."""

    @register_sae("slow", dictionary=lambda config, width: None, sparsity="k")
    class Slow:
        def __init__(self, config, width, device):
            pass

        def update(self, step, activations):
            assert activations.shape == (64, 32)
            time.sleep(0.3 if step == 0 else 0.01)

    request.addfinalizer(lambda: _KINDS.pop("slow"))
    sae = SAEConfig(trainer="slow", n_features=8, k=2, steps=500, batch_size=64, warmup_steps=1)
    assert training_seconds([(32, sae), (32, replace(sae, k=3))]) == pytest.approx(10, rel=0.2)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 second"), (89, "89 seconds"), (100, "2 minutes"), (5000, "83 minutes"), (6000, "2 hours")],
)
def test_a_duration_is_told_in_a_unit_that_suits_it(seconds, text):
    assert duration(seconds) == text


def test_your_own_data_train_one_dictionary_unless_you_ask_for_more(request):
    register_dataset("mine", lambda name, folder, cache: load())
    request.addfinalizer(lambda: _LOADERS.pop("mine"))
    for preset in (PRESETS["own"], PRESETS["recbole"], PRESETS["mind"], presets()["mine"]):
        grid = preset[1].dictionaries()
        assert [len(configs) for configs in grid.values()] == [1]
