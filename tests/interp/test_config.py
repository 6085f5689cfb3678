"""What a study's configuration may be."""

import time
from dataclasses import asdict, fields

import numpy as np
import pytest

from interp.config import GridConfig, StudyConfig
from interp.presets import PRESETS
from interp.sae_config import SAEConfig
from recmodels.config import Columns, SplitConfig, TrainingConfig
from recmodels.errors import InputError

PARTS = {"split": SplitConfig, "training": TrainingConfig, "columns": Columns, "sae": SAEConfig, "grid": GridConfig}


@pytest.mark.parametrize(
    "changes",
    [
        *({name: value} for name in ("repeats", "sae_windows") for value in ("x", None, 1)),
        *({"dataset": name} for name in ("", "../../x", "a/b", "a\\b", ".", "line\nbreak", None)),
        *({"values": values} for values in ((1,), (1, 1), (0, 1, np.nan), (0, "1"), (0, True), "01")),
        *({"steered": names} for names in ("Horror", ("Horror", "Horror"), ("",), (5,), None)),
        {"other_attributes": "decade"},
        {"out": ""},
        {"max_l0": np.inf},
        {"grid": GridConfig(sites=("final", "final"))},
        {"grid": GridConfig(seeds=10**9)},
        {"grid": GridConfig(n_features=(10**12,))},
        {"grid": GridConfig(trade_off=("top_k:1e30",))},
        {"sae": SAEConfig(n_features=2**20), "training": TrainingConfig(hidden_size=8192, num_hidden_layers=1)},
        {"sae": None},
    ],
)
def test_what_cannot_work_is_refused_at_once(changes):
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        StudyConfig(**changes).check()
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("value", [None, True, "x", float("nan"), -5, 10**40, [], object()])
def test_no_number_of_any_part_takes_anything_else(value):
    for name, part in PARTS.items():
        for field in fields(part):
            if isinstance(field.default, int | float):
                with pytest.raises(InputError, match=rf"^{name}\.{field.name} is"):
                    StudyConfig(**{name: part(**{field.name: value})}).check()


@pytest.mark.parametrize("name", PRESETS)
def test_ready_made_configurations_are_as_they_were_written(name):
    _, config = PRESETS[name]
    config.check()
    assert asdict(StudyConfig(**{field.name: getattr(config, field.name) for field in fields(config)})) == asdict(
        config
    )
    for sae in config.dictionaries()[config.site]:
        assert all(type(value) in (int, float, str) or value == () for value in asdict(sae).values())
