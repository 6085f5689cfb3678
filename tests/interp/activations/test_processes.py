import multiprocessing
import os
import time
from dataclasses import replace

import pytest
import torch

from interp.activations.training import Training, train, train_all
from interp.activations.training_times import training_times
from interp.activations.worker_pool import in_processes
from interp.config import SAEConfig
from recmodels.errors import InputError

QUICK = SAEConfig(n_features=64, k=4, steps=60, batch_size=128, warmup_steps=5, sparsity_warmup_steps=10)
KINDS = {trainer: replace(QUICK, trainer=trainer) for trainer in ("top_k", "unsquared", "multi_scale")}


def test_two_processes_write_the_bytes_of_one(stores, tmp_path):
    """Of two stores at once; one dictionary is there already."""
    more = {"seed": replace(QUICK, seed=1)}
    alone = {**train(stores["sae"], KINDS, tmp_path / "one"), **train(stores["test"], more, tmp_path / "one")}
    places = tmp_path / "two" / "sae", tmp_path / "two" / "test"
    train(stores["sae"], {"top_k": KINDS["top_k"]}, places[0])
    before = (places[0] / "top_k" / "manifest.json").stat().st_mtime_ns
    trainings = [Training(stores["sae"], KINDS, places[0]), Training(stores["test"], more, places[1])]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        first, second = train_all(trainings, "cpu", processes=2)
    finally:
        torch.set_num_threads(threads)
    assert list(first) == list(KINDS)
    for name, sae in {**first, **second}.items():
        assert sae.fingerprint == alone[name].fingerprint
    for name, folder in {**dict.fromkeys(KINDS, places[0]), "seed": places[1]}.items():
        one = tmp_path / "one" / name
        assert all((folder / name / file.name).read_bytes() == file.read_bytes() for file in one.iterdir())
    assert (places[0] / "top_k" / "manifest.json").stat().st_mtime_ns == before
    assert set(training_times(places[0])) == set(KINDS)
    assert not (places[0] / "checkpoints").exists()


def test_a_process_that_is_killed_is_an_error_of_one_line():
    with pytest.raises(InputError, match="a process was killed") as error:
        list(in_processes(os._exit, [(1,), (1,)], 2))
    assert "\n" not in str(error.value)
    assert list(in_processes(os._exit, [], 2)) == []


def test_the_first_error_ends_the_other_processes():
    start = time.monotonic()
    with pytest.raises(ValueError, match="non-negative"):
        list(in_processes(time.sleep, [(-1,), (600,)], 2))
    assert time.monotonic() - start < 300
    assert multiprocessing.active_children() == []
