"""Ranks that share every batch, against one rank with the whole batch."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from interp.activations import checkpoints, training_loop
from interp.activations.training import train
from interp.config import SAEConfig
from interp.sae_registry import sae_kind, sae_kinds
from recmodels import rank_tensors, ranks

QUICK = SAEConfig(
    n_features=64, k=2, steps=60, batch_size=128, learning_rate=3e-3, warmup_steps=5, sparsity_warmup_steps=10
)
KINDS = {name: replace(QUICK, trainer=name) for name in sae_kinds()}
SHARED = {name: config for name, config in KINDS.items() if sae_kind(name).shares_batches}
ROUNDING = 1e-6  # of weights that are computed in double precision and kept in single


@pytest.fixture
def doubles(combinations, impatient, monkeypatch):
    """The activations in double precision."""
    monkeypatch.setattr(training_loop, "SAVE_EVERY", 20)
    torch.set_default_dtype(torch.float64)
    yield replace(combinations, activations=combinations.activations.astype(np.float64))
    torch.set_default_dtype(torch.float32)


def differences(one, other):
    """The largest difference of a weight or threshold of each dictionary."""
    pairs = {name: (one[name].dictionary.state_dict(), other[name].dictionary.state_dict()) for name in one}
    return {name: max(float((a[key] - b[key]).abs().max()) for key in a) for name, (a, b) in pairs.items()}


@pytest.mark.parametrize(("size", "kinds"), [(2, tuple(KINDS)), (4, ("top_k", "batch_top_k"))])
def test_ranks_that_share_batches_end_in_the_weights_of_one_rank(doubles, launch, tmp_path, monkeypatch, size, kinds):
    """Whatever the kind; those whose batches cannot be shared are trained by one rank each, and are the same."""
    configs = {name: KINDS[name] for name in kinds}
    shares = []
    split = np.array_split
    monkeypatch.setattr(np, "array_split", lambda rows, parts: shares.append(len(rows) / parts) or split(rows, parts))

    def work(rank):
        train(doubles, configs, tmp_path / "shared", share_batches=True)
        return sum(shares)

    alone = train(doubles, configs, tmp_path / "alone")
    shared = [name for name in kinds if name in SHARED]
    assert launch(work, size) == [len(shared) * (QUICK.steps - 1) * QUICK.batch_size / size] * size
    together = train(doubles, configs, tmp_path / "shared")  # which only loads
    worst = differences(alone, together)
    assert all(worst[name] < ROUNDING if name in SHARED else worst[name] == 0 for name in kinds), worst
    assert not (tmp_path / "shared" / "checkpoints").exists()


def test_every_rank_ends_in_the_same_state(combinations, launch, tmp_path, monkeypatch):
    """In single precision, in which sums depend on their order."""
    ends = []
    train_steps = training_loop._train
    monkeypatch.setattr(training_loop, "_train", lambda *args: ends.append(train_steps(*args)) or ends[-1])

    def work(rank):
        train(combinations, SHARED, tmp_path / "shared", share_batches=True)
        states = [(name, checkpoints._tensors(trainer)) for end in ends for name, trainer in end[0].items()]
        return [[name, key, float(x.double().sum())] for name, state in states for key, x in state.items()]

    first, second = launch(work, 2)
    assert {row[0] for row in first} == SHARED.keys()
    assert first == second


def test_after_a_killed_rank_the_same_command_goes_on(doubles, launch, tmp_path, monkeypatch):
    config = {"batch_top_k": SHARED["batch_top_k"]}
    shared_batch = rank_tensors.shared_batch
    batches = []

    def killed_at(number):
        def work(rank):
            def counted(rows):
                batches.append(rows)
                if rank == 1 and len(batches) == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return shared_batch(rows)

            monkeypatch.setattr(rank_tensors, "shared_batch", counted)
            train(doubles, config, tmp_path / "shared", share_batches=True)
            return len(batches)

        return work

    error, killed = launch(killed_at(30), 2)
    assert killed == -signal.SIGKILL
    assert error.startswith("InputError: another rank has ended without a word: give the same command again")
    assert launch(killed_at(0), 2) == [40, 40]  # from the checkpoint of step 20
    alone = train(doubles, config, tmp_path / "alone")
    assert differences(alone, train(doubles, config, tmp_path / "shared"))["batch_top_k"] < ROUNDING


def test_batches_that_ranks_cannot_share_evenly_are_refused(combinations, launch, tmp_path):
    odd = {"odd": replace(QUICK, trainer="top_k", batch_size=127)}
    answers = launch(lambda rank: train(combinations, odd, tmp_path / "x", share_batches=True), 2)
    assert any(
        "odd has batches of 127, which 2 ranks cannot share evenly: set sae.batch_size to a multiple of 2" in answer
        for answer in answers
    )


def test_without_other_ranks_nothing_is_shared():
    rows, x = np.arange(6), torch.tensor([1.0, 2.0])
    with rank_tensors.connected("cpu"), rank_tensors.shared_batch(rows) as own:
        assert own is rows
        assert rank_tensors.sharing() == (0, 1)
        for reduce in (
            rank_tensors.total,
            rank_tensors.mean,
            rank_tensors.with_mean,
            rank_tensors.least,
            rank_tensors.joint,
        ):
            assert reduce(x) is x
    assert ranks.count() == 1
