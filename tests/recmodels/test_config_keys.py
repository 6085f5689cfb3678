"""The key of a configuration: what it says beyond its defaults."""

from dataclasses import asdict, dataclass, field, replace

import pytest

from recmodels import artifacts
from recmodels.config import SplitConfig, TrainingConfig, config_key, description


@dataclass(frozen=True)
class Inner:
    size: int = 3
    names: tuple[str, ...] = ("a",)


@dataclass(frozen=True)
class LaterInner(Inner):
    colour: str = "red"


@dataclass(frozen=True)
class Outer:
    rate: float
    inner: Inner = field(default_factory=lambda: Inner(size=4))
    seed: int = 0


@dataclass(frozen=True)
class LaterOuter(Outer):
    inner: Inner = field(default_factory=lambda: LaterInner(size=4))
    more: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class LaterTraining(TrainingConfig):
    warmup: int = 0


def test_what_is_at_its_default_is_left_out_recursively():
    assert config_key(TrainingConfig()) == {}
    assert config_key(TrainingConfig(dropout=0.2)) == {"dropout": 0.2}
    assert config_key(Outer(rate=1.0)) == {"rate": 1.0}
    assert config_key(Outer(rate=1.0, inner=Inner(size=4, names=("b",)))) == {
        "rate": 1.0,
        "inner": {"size": 4, "names": ["b"]},
    }


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (Outer(2.0), LaterOuter(2.0)),
        (Outer(2.0, Inner(5)), LaterOuter(2.0, LaterInner(5))),
        (Outer(2.0, Inner()), LaterOuter(2.0, LaterInner())),
        (TrainingConfig(patience=3), LaterTraining(patience=3)),
    ],
)
def test_a_field_that_is_added_changes_no_key(earlier, later):
    assert config_key(later) == config_key(earlier)
    assert config_key(later, description(earlier)) == config_key(later)


@pytest.mark.parametrize(
    "other", [LaterOuter(2.0, more=(1, 3)), LaterOuter(2.0, LaterInner(4, colour="blue")), LaterOuter(2.5)]
)
def test_a_value_that_is_changed_changes_the_key(other):
    assert config_key(other) != config_key(other, description(Outer(2.0)))


def test_a_field_that_there_is_no_more_changes_the_key():
    assert config_key(TrainingConfig(), asdict(TrainingConfig()) | {"momentum": 0.9}) == {"momentum": 0.9}


def written(folder, inputs):
    with artifacts.writing(folder, "model", inputs) as partial:
        (partial / "file").write_text("content")
    return folder


def test_a_folder_stays_current_when_its_configuration_gets_a_field(tmp_path):
    config = TrainingConfig(patience=3)
    # As earlier releases wrote it, in full; and as a configuration.
    for name, stored in (("full", asdict(config)), ("record", config), ("short", config_key(config))):
        folder = written(tmp_path / name, {"training": stored, "data": "abc"})
        for now in (config, LaterTraining(patience=3)):
            assert artifacts.is_current(folder, "model", {"training": now, "data": "abc"})
        for now in (replace(config, seed=1), LaterTraining(patience=3, warmup=5), SplitConfig()):
            assert not artifacts.is_current(folder, "model", {"training": now, "data": "abc"})
        assert not artifacts.is_current(folder, "model", {"training": config, "data": "abd"})
        assert not artifacts.is_current(folder, "model", {"training": config})


def test_a_manifest_names_every_setting(tmp_path):
    """So that a folder is not taken for current when a default changes."""
    folder = written(tmp_path / "model", {"training": TrainingConfig(patience=3)})
    stored = artifacts.read_manifest(folder, "model")["inputs"]["training"]
    assert stored == asdict(TrainingConfig(patience=3))

    @dataclass(frozen=True)
    class OtherDefault(TrainingConfig):
        dropout: float = 0.5

    assert not artifacts.is_current(folder, "model", {"training": OtherDefault(patience=3)})
    assert artifacts.is_current(folder, "model", {"training": OtherDefault(patience=3, dropout=0.1)})
