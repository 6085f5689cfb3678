import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from interp.sae.trainers import build_dictionary, build_trainer
from interp.sae_config import SAEConfig
from interp.sae_registry import sae_kinds
from recmodels.errors import InputError

QUICK = SAEConfig(n_features=32, k=4, steps=60, batch_size=256, warmup_steps=5, sparsity_warmup_steps=10)
ALL = sae_kinds()


def by_its_steps(config, store):
    """A trainer after all of its steps, and the normalised activations that it saw."""
    x = (torch.from_numpy(store.activations) - store.mean) / store.std
    trainer = build_trainer(config, x.shape[1])
    rng = np.random.default_rng(config.seed)
    for step in range(config.steps):
        trainer.update(step, x[rng.integers(len(x), size=config.batch_size)])
    return trainer, x


@pytest.mark.parametrize(("trainer", "power"), [("standard", 2), ("unsquared", 1)])
def test_the_losses_worked_out_by_hand(trainer, power):
    built = build_trainer(replace(QUICK, trainer=trainer, l1=0.3), 4)
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    dictionary = built.ae
    features = torch.relu((x - dictionary.bias) @ dictionary.encoder.weight.T + dictionary.encoder.bias)
    distance = torch.linalg.vector_norm(x - features @ dictionary.decoder.weight.T - dictionary.bias, dim=1)
    for step, warmth in ((0, 0.0), (5, 0.5), (50, 1.0)):
        expected = (distance**power + 0.3 * warmth * features.sum(dim=1)).mean()
        torch.testing.assert_close(built.loss(x, step=step), expected)


@pytest.mark.parametrize(
    ("trainer", "sparsity", "l0"),
    [
        ("unsquared", 0.3, (2, 10)),
        ("standard", 1.0, (2, 10)),
        ("gated", 4.0, (2, 4)),
        ("p_anneal", 2.0, (2, 4)),
        ("top_k", 2, (1.9, 2)),
        ("batch_top_k", 2, (1.8, 2.2)),
        ("matryoshka", 2, (1.8, 2.2)),
        ("jump_relu", 2, (1.5, 2.5)),
    ],
)
def test_planted_directions_are_recovered(combinations, directions, trainer, sparsity, l0):
    config = SAEConfig(
        trainer=trainer,
        n_features=48,
        learning_rate=5e-3,
        steps=400,
        batch_size=256,
        warmup_steps=40,
        sparsity_warmup_steps=100,
    ).with_sparsity(sparsity)
    trained, x = by_its_steps(config, combinations)
    with torch.no_grad():
        found = trained.ae.decode(torch.eye(48)) - trained.ae.decode(torch.zeros(1, 48))
        torch.testing.assert_close(found.norm(dim=1), torch.ones(48), rtol=0, atol=1e-4)
        best = (torch.from_numpy(directions).float() @ found.T).max(dim=1).values
        assert best.mean() > 0.85
        # What is used after the training is as sparse as was asked for, the threshold of batches included.
        assert l0[0] <= (trained.ae.encode(x) > 0).sum(dim=1).float().mean() <= l0[1]


@pytest.mark.parametrize("trainer", ALL)
def test_weights_follow_from_the_seed_alone(trainer):
    config = replace(QUICK, trainer=trainer)
    torch.manual_seed(123)
    first = build_trainer(config, 8).ae.state_dict()
    after = torch.rand(1)
    torch.manual_seed(123)
    assert torch.equal(torch.rand(1), after)
    again, other = (build_trainer(replace(config, seed=seed), 8).ae.state_dict() for seed in (0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("trainer", ALL)
def test_the_shortest_training(trainer, combinations):
    """One step more than its warm-up, and a batch of two: finite, and a threshold is set where one is used."""
    config = replace(QUICK, trainer=trainer, steps=11, batch_size=2)
    trained, _ = by_its_steps(config, combinations)
    assert all(tensor.isfinite().all() for tensor in trained.ae.state_dict().values())
    if trainer in ("batch_top_k", "matryoshka"):
        assert trained.ae.threshold > 0


@pytest.mark.parametrize("trainer", ALL)
def test_a_dictionary_is_built_without_its_trainer_as_the_trainer_builds_it(trainer):
    config = replace(QUICK, n_features=70, trainer=trainer)
    trained, built = build_trainer(config, 8).ae, build_dictionary(config, 8)
    assert type(built) is type(trained)
    built.load_state_dict(trained.state_dict())
    x = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(built.encode(x), trained.encode(x))


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (SAEConfig(n_features=512), "unsquared-512-l1-0.1"),
        (SAEConfig(n_features=512, l1=1), "unsquared-512-l1-1"),
        (SAEConfig(n_features=512, l1=1.0, seed=3), "unsquared-512-l1-1-seed-3"),
        (SAEConfig(trainer="p_anneal", n_features=8, l1=1e-6), "p_anneal-8-l1-1e-06"),
        (SAEConfig(trainer="top_k", n_features=1024), "top_k-1024-k-16"),
        (SAEConfig(trainer="jump_relu", n_features=64, k=8, l1=0.5, seed=1), "jump_relu-64-k-8-seed-1"),
    ],
)
def test_names(config, name):
    assert config.name == name


def test_sparsity_is_the_setting_that_the_trainer_goes_by():
    assert SAEConfig(trainer="gated", l1=0.5).sparsity == 0.5
    assert SAEConfig(trainer="jump_relu", k=8).sparsity == 8
    assert SAEConfig(trainer="standard").with_sparsity(0.7) == SAEConfig(trainer="standard", l1=0.7)
    assert SAEConfig(trainer="top_k").with_sparsity(8.0) == SAEConfig(trainer="top_k", k=8)
    assert build_trainer(SAEConfig(trainer="top_k").with_sparsity(8.0), 4).k == 8
    with pytest.raises(InputError, match=r"sae\.k is 0\.5: top_k takes a whole number"):
        SAEConfig(trainer="top_k").with_sparsity(0.5)
    with pytest.raises(InputError, match=r"sae\.trainer is 'magic'"):
        SAEConfig(trainer="magic").with_sparsity(0.5)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trainer": "magic"}, "sae.trainer is 'magic': choose one of unsquared, standard, gated"),
        ({"n_features": 0}, "sae.n_features is 0: it must be at least 1"),
        ({"trainer": "matryoshka", "n_features": 31}, "sae.n_features is 31: it must be at least 32"),
        ({"trainer": "top_k", "k": 33}, "sae.k is 33: it must be at least 1 and below 33"),
        ({"trainer": "jump_relu", "k": 0}, "sae.k is 0: "),
        ({"l1": -1.0}, "sae.l1 is -1: it must be at least 0"),
        ({"l1": float("nan")}, "sae.l1 is nan"),
        ({"batch_size": 1}, "sae.batch_size is 1: it must be at least 2"),
        ({"learning_rate": 0.0}, "sae.learning_rate is 0"),
        ({"warmup_steps": -1}, "sae.warmup_steps is -1"),
        ({"seed": -1}, "sae.seed is -1"),
        ({"warmup_steps": 60}, "sae.steps is 60, but its warm-up alone takes 60"),
        ({"steps": 10}, "sae.steps is 10, but its warm-up alone takes 10"),
        ({"trainer": "top_k", "steps": 5}, "sae.steps is 5, but its warm-up alone takes 5"),
    ],
)
def test_settings_that_cannot_work(changes, says):
    with pytest.raises(InputError) as caught:
        build_trainer(replace(QUICK, **changes), 8)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


def test_top_k_has_no_penalty_to_warm_up():
    replace(QUICK, trainer="top_k", steps=6, sparsity_warmup_steps=100).check()


def test_without_dictionary_learning_the_command_is_named():
    code = "import sys; sys.modules['dictionary_learning'] = None; import interp.sae.kinds"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install --no-deps dictionary-learning==0.1.0" in done.stderr.splitlines()[-1]
