from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from interp.activations import checkpoints, training_loop
from interp.activations.training import train
from interp.sae.autoencoder import SparseAutoencoder
from interp.sae.multi_scale_trainer import MultiScaleTrainer
from interp.sae.trainers import build_trainer
from interp.sae_config import SAEConfig
from interp.sae_registry import sae_kinds
from recmodels.errors import InputError

QUICK = SAEConfig(
    n_features=64, k=1, steps=60, batch_size=128, learning_rate=3e-3, warmup_steps=5, sparsity_warmup_steps=10
)
QUICK_SCALES = replace(QUICK, trainer="multi_scale")
ALL = {trainer: replace(QUICK, trainer=trainer) for trainer in sae_kinds()}


def weights(sae):
    return sae.dictionary.state_dict()


def same(one, other):
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def changed(one, other):
    a, b = weights(one), weights(other)
    return any(not torch.equal(a[name], b[name]) for name in a)


def test_several_in_one_pass_equal_each_alone(combinations, tmp_path):
    together = train(combinations, ALL, tmp_path / "together")
    for name, config in ALL.items():
        assert same(together[name], train(combinations, {name: config}, tmp_path / "alone")[name])


def test_different_batches_are_different_passes(combinations, tmp_path):
    configs = {
        "a": QUICK,
        "seed": replace(QUICK, seed=1),
        "steps": replace(QUICK, steps=61),
        "size": replace(QUICK, batch_size=64),
    }
    together = train(combinations, configs, tmp_path / "together")
    for name, config in configs.items():
        assert same(together[name], train(combinations, {name: config}, tmp_path / "alone")[name])
        assert name == "a" or changed(together[name], together["a"])


def test_an_interrupted_training_ends_in_the_same_weights(combinations, tmp_path, monkeypatch, impatient):
    """Stopped at step 46 and taken up at 40, when thresholds, annealing and dead features all have a past."""
    whole = train(combinations, ALL, tmp_path / "whole")
    monkeypatch.setattr(training_loop, "SAVE_EVERY", 20)
    rng, calls = np.random.default_rng, []

    def interrupted(seed):
        calls.append(seed)
        if len(calls) == 47:
            raise KeyboardInterrupt
        return rng(seed)

    monkeypatch.setattr(np.random, "default_rng", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(combinations, ALL, tmp_path / "part")
    resumed = train(combinations, ALL, tmp_path / "part")
    assert calls[47] == [QUICK.seed, 40]
    assert [name for name in ALL if not same(whole[name], resumed[name])] == []
    assert not (tmp_path / "part" / "checkpoints").exists()


@pytest.mark.parametrize("trainer", ALL)
def test_a_checkpoint_holds_all_that_a_trainer_changes(combinations, tmp_path, trainer, impatient):
    """Whatever differs between a trainer under way and a fresh one is put back."""
    built = training_loop.build_trainer(ALL[trainer], 16)
    x = (torch.from_numpy(combinations.activations[: 40 * 128]) - combinations.mean) / combinations.std
    for step, batch in enumerate(x.split(128)):
        built.update(step, batch)
    checkpoints.save({"it": built}, tmp_path / "x.safetensors", 40)
    fresh = training_loop.build_trainer(ALL[trainer], 16)
    assert checkpoints.restore({"it": fresh}, tmp_path / "x.safetensors") == 40
    assert described(fresh) == described(built)


def described(trainer):
    """All plain values and tensors within a trainer, by path, as lists that can be compared."""
    found = {}

    def visit(path, value):
        if isinstance(value, torch.Tensor):
            found[path] = value.detach().tolist()
        elif isinstance(value, (int, float, str, type(None))):
            found[path] = value
        elif isinstance(value, (list, tuple)):
            for index, part in enumerate(value):
                visit(f"{path}.{index}", part)
        elif isinstance(value, dict):
            for key, part in value.items():
                visit(f"{path}.{key}", part)

    visit("own", vars(trainer))
    visit("ae", trainer.ae.state_dict())
    visit("optimizer", trainer.optimizer.state_dict())
    visit("scheduler", trainer.scheduler.state_dict())
    return found


def test_finished_dictionaries_are_only_loaded(combinations, tmp_path, monkeypatch):
    first = train(combinations, {"x": QUICK}, tmp_path)["x"]
    monkeypatch.setattr(training_loop, "build_trainer", lambda *_: pytest.fail("trained again"))
    assert same(first, train(combinations, {"x": QUICK}, tmp_path)["x"])


@pytest.mark.parametrize(
    ("configs", "says"),
    [
        ({}, "at least one"),
        ({"a": QUICK, "b": replace(QUICK, trainer="magic")}, "sae.trainer is .magic."),
        ({"a": replace(QUICK, warmup_steps=60)}, "warm-up"),
    ],
)
def test_impossible_configurations(combinations, tmp_path, configs, says):
    with pytest.raises(InputError, match=says):
        train(combinations, configs, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_training_that_diverged_is_not_kept(combinations, tmp_path):
    with pytest.raises(InputError, match=r"the training of x diverged: lower sae\.learning_rate"):
        train(combinations, {"x": replace(QUICK, trainer="standard", learning_rate=1e30)}, tmp_path)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("fault", ["flipped", "cut", "empty", "garbled"])
def test_a_damaged_checkpoint_is_as_if_it_were_not_there(combinations, tmp_path, monkeypatch, caplog, fault):
    configs = {"a": QUICK, "b": replace(QUICK, trainer="top_k")}
    whole = train(combinations, configs, tmp_path / "whole")
    monkeypatch.setattr(training_loop, "SAVE_EVERY", 20)
    with monkeypatch.context() as patch:
        save = checkpoints.save
        patch.setattr(checkpoints, "save", lambda *call: save(*call) or (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(combinations, configs, tmp_path / "part")
    (checkpoint,) = (tmp_path / "part" / "checkpoints").glob("*.safetensors")
    content = checkpoint.read_bytes()
    flipped = content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]
    damaged = {"flipped": flipped, "cut": content[:-100], "empty": b"", "garbled": b"x" * len(content)}
    checkpoint.write_bytes(damaged[fault])
    resumed = train(combinations, configs, tmp_path / "part")
    assert "is damaged" in caplog.text
    assert [name for name in configs if not same(whole[name], resumed[name])] == []


def test_checkpoints_of_someone_else_are_left_alone(combinations, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="did not write: move it away"):
        train(combinations, {"a": QUICK}, tmp_path)
    assert (tmp_path / "checkpoints" / "mine.txt").read_text() == "mine"


def test_activations_that_are_all_equal_teach_nothing(combinations, tmp_path):
    level = np.full_like(combinations.activations, 0.1)
    constant = replace(combinations, activations=level, mean=float(level.mean()), std=1e-17)
    with pytest.raises(InputError, match="nothing to learn from"):
        train(constant, {"a": QUICK}, tmp_path)


def test_a_folder_may_be_text(combinations, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = train(combinations, {"a": QUICK}, "dictionaries")["a"]
    made.save("copy")
    assert same(SparseAutoencoder.load("copy"), made)
    assert (tmp_path / "dictionaries" / "a" / "manifest.json").is_file()


def test_item_means_are_those_of_the_rows(stores):
    store = stores["sae"]
    trainer = build_trainer(QUICK_SCALES, store.activations.shape[1])
    means, codes = training_loop._item_means(store, {"one": trainer})
    expected = pd.DataFrame(np.asarray(store.activations)).groupby(store.rows["item"].to_numpy()).transform("mean")
    np.testing.assert_allclose(means[codes], expected, atol=1e-5)
    assert training_loop._item_means(store, {"one": build_trainer(SAEConfig(), 8)}) is None


def test_a_trainer_that_reads_item_means_has_those_of_its_batch(stores, tmp_path, monkeypatch):
    batches = []

    def update(trainer, step, x, item_means=None):
        batches.append((x, item_means))

    monkeypatch.setattr(MultiScaleTrainer, "update", update)
    train(stores["sae"], {"one": QUICK_SCALES}, tmp_path)
    store = stores["sae"]
    x = (pd.DataFrame(np.asarray(store.activations)) - store.mean) / store.std
    rows = np.sort(np.random.default_rng([0, 0]).integers(len(store), size=QUICK.batch_size))
    expected = x.groupby(store.rows["item"].to_numpy()).transform("mean").to_numpy()[rows]
    np.testing.assert_allclose(batches[0][0], x.to_numpy()[rows], atol=1e-5)
    np.testing.assert_allclose(batches[0][1], expected, atol=1e-5)
