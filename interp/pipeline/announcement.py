"""What a study is about to train, and about how long that takes here: said before anything is trained."""

import time
from collections.abc import Callable
from pathlib import Path

import torch

from interp.config import SAEConfig, StudyConfig
from interp.pipeline.trained_baselines import DICTIONARY, EMBEDDINGS, FOLDER, UNTRAINED
from interp.sae.autoencoder import KIND
from interp.sae.trainers import build_trainer
from recmodels import artifacts
from recmodels.config_keys import same_inputs
from recmodels.devices import usual_device
from recmodels.errors import InputError
from recmodels.wording import counted

PROBE_SECONDS = 0.2  # after which a probe takes no further step
PROBE_STEPS = 5  # at most, and 2 at least: what a library does at its first step alone can take a second


def announcement(config: StudyConfig, width: Callable[[str], int]) -> str:
    """How many dictionaries at how many sites a study trains, and about how long that takes on this machine, in a line.

    The time follows from a few steps of each kind and size that is not trained yet, on random numbers. It is that of
    training dictionaries in one process; the recommender and what is computed with the dictionaries come on top.

    Args:
        config: of the study.
        width: the hidden size at a site.
    """
    if config.dictionary is not None:
        return f"One dictionary is read, for {config.site}; none is trained."
    grid = config.dictionaries()
    places = [
        (config.folder / "dictionaries" / site / sae.name, width(site), sae)
        for site, configs in grid.items()
        for sae in configs
    ]
    text = f"{counted(len(places), 'dictionary', 'dictionaries')} at {counted(len(grid), 'site')} ({', '.join(grid)})"
    if config.baselines == "all":
        text += ", and 2 dictionaries as baselines"
        places += [
            (config.folder / FOLDER / kind / DICTIONARY, width(config.site), config.sae)
            for kind in (UNTRAINED, EMBEDDINGS)
        ]
    todo = [(size, sae) for place, size, sae in places if not _is_there(place, sae)]
    if not todo:
        return f"The study has {text}; all are trained already."
    there = f" {len(places) - len(todo)} of them are trained already." if len(todo) < len(places) else ""
    return f"The study has {text}.{there} Training takes about {duration(training_seconds(todo))} on this machine."


def training_seconds(dictionaries: list[tuple[int, SAEConfig]]) -> float:
    """About how long some dictionaries train here, one after another: each the width of what it reads, and how."""
    per_step: dict[tuple[int, str, int, int], float] = {}
    total = 0.0
    for width, sae in dictionaries:
        size = (width, sae.trainer, sae.n_features, sae.batch_size)
        if size not in per_step:
            per_step[size] = _seconds_per_step(width, sae)
        total += sae.steps * per_step[size]
    return total


def duration(seconds: float) -> str:
    """A time as text, such as "40 seconds" or "3 hours"."""
    if seconds < 90:
        return counted(max(round(seconds), 1), "second")
    return counted(round(seconds / 60), "minute") if seconds < 90 * 60 else counted(round(seconds / 3600), "hour")


def _seconds_per_step(width: int, sae: SAEConfig) -> float:
    """Of the fastest step of a few: the first one prepares much, and other processes disturb some."""
    device = usual_device()
    times: list[float] = []
    with torch.random.fork_rng(devices=[]):
        trainer = build_trainer(sae, width, device)
        batch = torch.randn(sae.batch_size, width, generator=torch.Generator().manual_seed(0)).to(device)
        inputs = (batch, batch) if getattr(trainer, "reads_item_means", False) else (batch,)
        while len(times) < 2 or (len(times) < PROBE_STEPS and sum(times) < PROBE_SECONDS):
            start = time.perf_counter()
            trainer.update(len(times), *inputs)
            if device == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
    return min(times)


def _is_there(place: Path, sae: SAEConfig) -> bool:
    """Whether a dictionary of this configuration is there, by what its manifest says."""
    try:
        inputs = artifacts.read_manifest(place, KIND)["inputs"]
    except InputError:
        return False
    # A baseline has the configuration of the dictionary that the study will choose.
    return place.name == DICTIONARY or same_inputs({"config": inputs.get("config")}, {"config": sae.complete()})
