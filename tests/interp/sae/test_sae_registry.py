"""A kind of dictionary of one's own: its settings, its training, and loading it without its trainer."""

import json
from dataclasses import asdict, dataclass, replace

import pytest
import torch
from tiny_package import install
from torch import nn

from interp import sae_registry
from interp.activations import training_loop
from interp.activations.training import train
from interp.config import GridConfig, StudyConfig
from interp.sae.autoencoder import KIND, SparseAutoencoder
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae, sae_kind, sae_kinds
from recmodels import artifacts
from recmodels.errors import InputError


@dataclass(frozen=True)
class Settings:
    target: float = 8.0
    layers: int = 1
    loud: bool = False
    groups: tuple[int, ...] = (1, 2)
    name: str = "a"

    def check(self):
        if self.layers < 1:
            raise InputError("layers is below 1: give more")


@dataclass(frozen=True)
class LaterSettings(Settings):
    colour: str = "red"


class Dictionary(nn.Module):
    def __init__(self, activation_dim, dict_size):
        super().__init__()
        self.activation_dim, self.dict_size = activation_dim, dict_size
        self.encoder, self.decoder = nn.Linear(activation_dim, dict_size), nn.Linear(dict_size, activation_dim)

    def encode(self, x):
        return torch.relu(self.encoder(x))

    def decode(self, features):
        return self.decoder(features)


def dictionary(config, activation_dim):
    return Dictionary(activation_dim, config.n_features)


class Trainer:
    """Without a scheduler, and with a number that changes as it learns."""

    def __init__(self, config, activation_dim, device):
        self.target, self.penalty = config.settings.target, 0.01
        self.ae = dictionary(config, activation_dim).to(device)
        self.optimizer = torch.optim.Adam(self.ae.parameters(), lr=config.learning_rate)

    def update(self, step, x):
        features = self.ae.encode(x)
        loss = (x - self.ae.decode(features)).square().sum(dim=1).mean() + self.penalty * features.sum(dim=1).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.penalty *= 1.02 if (features > 0).sum(dim=1).float().mean() > self.target else 0.98


@pytest.fixture
def steady():
    register_sae("steady", dictionary=dictionary, sparsity="target", settings=Settings)(Trainer)
    yield
    sae_registry._KINDS.pop("steady", None)


CONFIG = SAEConfig(n_features=32, steps=40, batch_size=64, warmup_steps=0)


def test_it_is_trained_saved_and_loaded_without_its_trainer(steady, stores, tmp_path):
    config = replace(CONFIG, trainer="steady", settings=Settings(target=4.0))
    trained = train(stores["sae"], {config.name: config}, tmp_path)[config.name]
    assert config.name == "steady-32-target-4"

    def broken(*_):
        raise AssertionError("a trainer was built")

    register_sae("steady", dictionary=dictionary, sparsity="target", settings=Settings)(broken)
    loaded = SparseAutoencoder.load(tmp_path / config.name)
    assert loaded.config == config
    assert loaded.fingerprint == trained.fingerprint
    # Nor is it trained again, also where its settings have got a field since.
    assert train(stores["sae"], {config.name: config}, tmp_path)[config.name].fingerprint == trained.fingerprint
    register_sae("steady", dictionary=dictionary, sparsity="target", settings=LaterSettings)(broken)
    later = replace(CONFIG, trainer="steady", settings=LaterSettings(target=4.0))
    assert train(stores["sae"], {config.name: later}, tmp_path)[config.name].fingerprint == trained.fingerprint
    other = replace(later, settings=LaterSettings(target=4.0, colour="blue"))
    with pytest.raises(AssertionError, match="a trainer was built"):
        train(stores["sae"], {config.name: other}, tmp_path)


def test_an_interrupted_training_ends_in_the_same_weights(steady, stores, tmp_path, monkeypatch):
    monkeypatch.setattr(training_loop, "SAVE_EVERY", 15)
    config = {"steady": replace(CONFIG, trainer="steady")}
    whole = train(stores["sae"], config, tmp_path / "whole")["steady"]
    update = Trainer.update

    def stopped(self, step, x):
        if step == 20:
            raise KeyboardInterrupt
        update(self, step, x)

    monkeypatch.setattr(Trainer, "update", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(stores["sae"], config, tmp_path / "resumed")
    steps = []
    monkeypatch.setattr(Trainer, "update", lambda self, step, x: (steps.append(step), update(self, step, x)))
    resumed = train(stores["sae"], config, tmp_path / "resumed")["steady"]
    assert steps == list(range(15, 40))
    assert resumed.fingerprint == whole.fingerprint


def test_settings_from_the_command_line_and_from_files(steady):
    expected = replace(CONFIG, trainer="steady", settings=Settings(4.5, 2, True, (3,), "b"))
    texts = ("target=4.5", "layers=2", "loud=true", "name=b")
    assert replace(CONFIG, trainer="steady", settings=texts).settings == Settings(4.5, 2, True, (1, 2), "b")
    assert SAEConfig(**json.loads(json.dumps(asdict(expected)))) == expected
    assert replace(CONFIG, trainer="steady").complete().settings == Settings()
    for settings, says in (
        (("target",), "sae.settings has 'target': write NAME=VALUE"),
        (("speed=3",), "steady has no setting 'speed': choose one of target, layers, loud, groups, name"),
        (("layers=many",), "sae.settings has layers=many: give a value such as 1"),
        (("groups=3",), r"sae.settings has groups=3: give a setting such as \(1, 2\) in Python"),
        (3.0, "sae.settings is 3.0: give Settings, or texts such as NAME=VALUE"),
    ):
        with pytest.raises(InputError, match=says):
            replace(CONFIG, trainer="steady", settings=settings).check()
    with pytest.raises(InputError, match="top_k has no such settings"):
        replace(CONFIG, trainer="top_k", settings=("target=3",)).check()
    with pytest.raises(InputError, match="layers is below 1"):
        replace(CONFIG, trainer="steady", settings=Settings(layers=0)).check()


def test_its_sparsity_is_a_setting_of_its_own(steady):
    grid = GridConfig(trade_off=("steady:2,4", "top_k:8", "steady:4"))
    study = StudyConfig(sae=replace(CONFIG, trainer="steady", settings=Settings(layers=3)), grid=grid)
    names = [sae.name for sae in study.dictionaries()["blocks.0"]]
    assert names == ["steady-32-target-8", "steady-32-target-2", "steady-32-target-4", "top_k-32-k-8"]
    assert [sae.complete().settings.layers for sae in study.dictionaries()["blocks.0"][:3]] == [3, 3, 3]
    assert study.sae.with_trainer("top_k").settings == ()
    assert sae_kind("steady").symbol == "target"
    assert sae_kind("gated").symbol == "λ"


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"sparsity": "target"}, "odd has no setting 'target': its sparsity is l1, k or a field of its settings"),
        ({"sparsity": "k", "settings": dict}, "the settings of odd are <class 'dict'>: give a dataclass"),
        (
            {"sparsity": "k", "settings": dataclass(type("Needy", (), {"__annotations__": {"a": int}}))},
            "the settings of odd are .*: give a dataclass, and each field a default",
        ),
    ],
)
def test_what_cannot_be_registered(how, says):
    with pytest.raises(InputError, match=says):
        register_sae("odd", dictionary=dictionary, **how)
    assert "odd" not in sae_kinds()


def test_our_kinds_keep_their_names():
    with pytest.raises(InputError, match="'top_k' is already one of ours"):
        register_sae("top_k", dictionary=dictionary, sparsity="k")(Trainer)


def test_an_installed_package_adds_a_kind(site):
    text = (
        "from interp import register_sae\n"
        "from interp.sae.kinds.top_k import dictionary, trainer\n"
        "@register_sae('packed', dictionary=dictionary, sparsity='k')\n"
        "def packed(config, activation_dim, device):\n"
        "    return trainer(config, activation_dim, device)\n"
    )
    install(site, "packed-sae", "interp.dictionaries", "packed", "packed_sae", text)
    try:
        assert replace(CONFIG, trainer="packed", k=3).name == "packed-32-k-3"
    finally:
        sae_registry._KINDS.pop("packed", None)


def test_a_dictionary_of_an_earlier_release_stays_current(sae, tmp_path):
    """It was written with every setting that there was, and without `settings`."""
    sae.save(tmp_path / "sae")
    path = tmp_path / "sae" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["inputs"]["config"]["settings"]
    path.write_text(json.dumps(manifest))
    assert artifacts.is_current(tmp_path / "sae", KIND, SparseAutoencoder.inputs(sae.config, sae.provenance))
    other = replace(sae.config, steps=sae.config.steps + 1)
    assert not artifacts.is_current(tmp_path / "sae", KIND, SparseAutoencoder.inputs(other, sae.provenance))
