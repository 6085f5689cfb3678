"""How long dictionaries trained."""

import json
from dataclasses import replace

import pytest

from interp.activations import training_loop
from interp.activations.training import train
from interp.activations.training_times import FILE, training_times
from interp.sae_config import SAEConfig

QUICK = SAEConfig(n_features=32, steps=40, batch_size=64, warmup_steps=5, sparsity_warmup_steps=5)


def test_every_training_is_recorded_beside_the_dictionaries(stores, tmp_path):
    train(stores["sae"], {"one": QUICK}, tmp_path)
    (first,) = training_times(tmp_path).values()
    assert first > 0
    train(stores["sae"], {"one": QUICK, "other": replace(QUICK, seed=1)}, tmp_path)
    times = training_times(tmp_path)
    assert times.keys() == {"one", "other"}
    assert times["one"] == first  # it was only loaded


def test_a_resumed_training_counts_the_steps_before(stores, tmp_path, monkeypatch):
    """A clock that each step of training moves by one second; the run is killed in its 31st step."""
    clock, steps = [0.0], []
    monkeypatch.setattr(training_loop, "SAVE_EVERY", 10)
    monkeypatch.setattr(training_loop.time, "perf_counter", lambda: clock[0])
    build = training_loop.build_trainer

    def timed(*arguments):
        trainer = build(*arguments)
        update = trainer.update

        def slow(step, batch):
            if len(steps) == 30 and not steps.count("killed"):
                steps.append("killed")
                raise KeyboardInterrupt
            steps.append(step)
            clock[0] += 1
            return update(step, batch)

        trainer.update = slow
        return trainer

    monkeypatch.setattr(training_loop, "build_trainer", timed)
    with pytest.raises(KeyboardInterrupt):
        train(stores["sae"], {"one": QUICK}, tmp_path)
    assert training_times(tmp_path) == {}
    train(stores["sae"], {"one": QUICK}, tmp_path)
    assert training_times(tmp_path) == {"one": 40}


@pytest.mark.parametrize("text", ["{", "[]", '{"one": "fast"}', '{"one": true}'])
def test_a_damaged_record_is_forgotten(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert training_times(tmp_path) == {}
    (tmp_path / FILE).write_text(json.dumps({"one": 2.5, "two": None}))
    assert training_times(tmp_path) == {"one": 2.5}
