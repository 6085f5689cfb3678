import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from interp import sae_training
from interp.activations import ActivationStore
from interp.config import SAEConfig
from interp.sae import SparseAutoencoder
from interp.sae_training import train
from interp.trainers import build_trainer
from recmodels.errors import InputError

QUICK = SAEConfig(n_features=16, l1=0.1, steps=60, batch_size=256, warmup_steps=5, sparsity_warmup_steps=10)


def same(one: SparseAutoencoder, other: SparseAutoencoder) -> bool:
    a, b = one.dictionary.state_dict(), other.dictionary.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(("trainer", "power"), [("standard", 2), ("unsquared", 1)])
def test_the_losses_worked_out_by_hand(trainer, power):
    built = build_trainer(replace(QUICK, trainer=trainer, l1=0.3), 4, "blocks.0", "cpu")
    x = torch.randn(5, 4)
    dictionary = built.ae
    features = torch.relu((x - dictionary.bias) @ dictionary.encoder.weight.T + dictionary.encoder.bias)
    distance = torch.linalg.vector_norm(x - features @ dictionary.decoder.weight.T - dictionary.bias, dim=1)
    for step, warmth in ((0, 0.0), (5, 0.5), (50, 1.0)):
        expected = (distance**power + 0.3 * warmth * features.sum(dim=1)).mean()
        torch.testing.assert_close(built.loss(x, step=step), expected)


def test_recovers_a_planted_dictionary(tmp_path):
    """Sparse sums of known directions: every one of them is found again."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(24, 32))
    truth /= np.linalg.norm(truth, axis=1, keepdims=True)
    strengths = rng.uniform(1, 2, size=(20_000, 24)) * (rng.random((20_000, 24)) < 0.06)
    x = (strengths @ truth).astype(np.float32)
    store = _Store(tmp_path, x, None, "blocks.0", "someone", float(x.mean()), float(x.std()))
    config = SAEConfig(
        n_features=48,
        l1=0.3,
        learning_rate=3e-3,
        steps=1000,
        batch_size=256,
        warmup_steps=100,
        sparsity_warmup_steps=300,
    )
    found = train(store, {"planted": config}, tmp_path)["planted"].directions
    found = torch.nn.functional.normalize(found, dim=1)
    best = (torch.from_numpy(truth).float() @ found.T).max(dim=1).values
    assert best.min() > 0.95


def test_several_in_one_pass_equal_each_alone(stores, tmp_path):
    configs = {"a": QUICK, "b": replace(QUICK, l1=0.5), "c": replace(QUICK, trainer="standard")}
    together = train(stores["sae"], configs, tmp_path / "together")
    for name, config in configs.items():
        assert same(together[name], train(stores["sae"], {name: config}, tmp_path / "alone")[name])


def test_an_interrupted_training_ends_in_the_same_weights(stores, tmp_path, monkeypatch):
    whole = train(stores["sae"], {"x": QUICK, "y": replace(QUICK, l1=1)}, tmp_path / "whole")
    monkeypatch.setattr(sae_training, "SAVE_EVERY", 20)
    rng, calls = np.random.default_rng, []

    def interrupted(seed):
        calls.append(seed)
        if len(calls) == 47:
            raise KeyboardInterrupt
        return rng(seed)

    monkeypatch.setattr(np.random, "default_rng", interrupted)
    configs = {"x": QUICK, "y": replace(QUICK, l1=1)}
    with pytest.raises(KeyboardInterrupt):
        train(stores["sae"], configs, tmp_path / "part")
    resumed = train(stores["sae"], configs, tmp_path / "part")
    assert calls[47] == [QUICK.seed, 40]
    assert all(same(whole[name], resumed[name]) for name in configs)
    assert not (tmp_path / "part" / "checkpoints").exists()


def test_finished_dictionaries_are_only_loaded(stores, tmp_path, monkeypatch):
    first = train(stores["sae"], {"x": QUICK}, tmp_path)["x"]
    monkeypatch.setattr(sae_training, "build_trainer", lambda *_: pytest.fail("trained again"))
    assert same(first, train(stores["sae"], {"x": QUICK}, tmp_path)["x"])


def test_encode_and_decode(sae, stores):
    hidden = torch.from_numpy(np.array(stores["test"].activations[:12])).reshape(3, 4, -1)
    features = sae.encode(hidden)
    assert features.shape == (3, 4, 64)
    torch.testing.assert_close(features[1, 2], sae.encode(hidden[1, 2][None])[0])
    assert (features >= 0).all()
    norms = sae.directions.norm(dim=1) / sae.std
    torch.testing.assert_close(norms, torch.ones_like(norms), rtol=0, atol=1e-4)
    shift = torch.zeros_like(features)
    shift[..., 9] = 0.7
    torch.testing.assert_close(sae.decode(features) + sae.write(shift), sae.decode(features + shift), rtol=0, atol=1e-5)


def test_save_and_load(sae, stores, tmp_path):
    sae.save(tmp_path / "sae")
    loaded = SparseAutoencoder.load(tmp_path / "sae")
    assert same(sae, loaded)
    assert (loaded.config, loaded.provenance, loaded.mean, loaded.std) == (
        sae.config,
        sae.provenance,
        sae.mean,
        sae.std,
    )
    (tmp_path / "sae" / "dictionary.json").write_text("{}")
    with pytest.raises(InputError, match="cut short or altered"):
        SparseAutoencoder.load(tmp_path / "sae")


@pytest.mark.parametrize(
    ("configs", "says"),
    [
        ({}, "at least one"),
        ({"a": replace(QUICK, trainer="magic")}, "unknown trainer"),
        ({"a": replace(QUICK, warmup_steps=60)}, "warm-up"),
        ({"a": QUICK, "b": replace(QUICK, steps=70)}, "share steps"),
    ],
)
def test_impossible_configurations(stores, tmp_path, configs, says):
    with pytest.raises(InputError, match=says):
        train(stores["sae"], configs, tmp_path)


def test_without_dictionary_learning_the_command_is_named():
    code = "import sys; sys.modules['dictionary_learning'] = None; import interp.trainers"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install --no-deps dictionary-learning==0.1.0" in done.stderr.splitlines()[-1]


class _Store(ActivationStore):
    """A store whose activations lie in memory."""

    fingerprint = "in memory"
