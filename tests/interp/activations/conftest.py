"""Trainings whose rare steps happen."""

import pytest

from interp.activations import training_loop


@pytest.fixture
def impatient(monkeypatch):
    """Features count as dead after three batches, so that the loss which revives them is in force."""
    build = training_loop.build_trainer

    def built(config, *args):
        trainer = build(config, *args)
        if hasattr(trainer, "dead_feature_threshold"):
            trainer.dead_feature_threshold = 3 * config.batch_size
        return trainer

    monkeypatch.setattr(training_loop, "build_trainer", built)
