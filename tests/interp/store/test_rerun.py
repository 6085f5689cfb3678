"""What a study of an earlier release is told: which command makes what it lacks."""

import json
import shlex
from dataclasses import asdict, replace

import pandas as pd
import pytest
import tyro

from interp.cli.words import registry
from interp.presets import PRESETS
from interp.store.rerun import advice, tables_of_this_release
from recmodels.errors import InputError

_, USUAL = PRESETS["ml-100k"]
SAE = replace(USUAL.sae, n_features=1024, l1=0.5)
OWN = replace(USUAL, sae=SAE, values=(-2.0, 0.0, 2.0), steered=("Film-Noir",), keep_seen=True)


def record(folder, config, **more):
    """A config.json as a run leaves it."""
    about = {"config": asdict(config) | {"out": str(folder)} | more, "dictionary": "blocks.0/x"}
    text = json.dumps(about | {"fingerprints": {"recommender": "r"}}, default=str)
    (folder / "config.json").write_text(text)


def test_the_command_has_the_settings_of_the_study(tmp_path):
    folder = tmp_path / "my study"
    folder.mkdir()
    record(folder, OWN)
    text = advice(folder)
    assert text.startswith(f"run interp study ml-100k --out '{folder}' ")
    words = shlex.split(text.removeprefix("run ").removesuffix(", which makes what is not there"))
    with registry:  # as the command line reads them
        read = tyro.cli(type(USUAL), args=words[3:], default=USUAL, config=(tyro.conf.FlagCreatePairsOff,))
    assert replace(read, out=None) == replace(OWN, out=None)
    record(folder, USUAL)
    assert advice(folder) == f"run interp study ml-100k --out '{folder}', which makes what is not there"


@pytest.mark.parametrize("more", [{"dataset": "my-shop"}, {"recommender": "model.py"}])
def test_a_study_of_other_data_is_told_without_its_command(tmp_path, more):
    record(tmp_path, USUAL, **more)
    assert advice(tmp_path) == "run the study again by the command that made it, which makes what is not there"


def test_a_column_that_an_earlier_release_lacks_is_told(tmp_path):
    record(tmp_path, USUAL)
    table = tmp_path / "tables" / "effects" / "recommender.csv"
    table.parent.mkdir(parents=True)
    pd.DataFrame({"replaced": ["none"], "ndcg@10": 0.1}).to_csv(table, index=False)
    expected = r"'recommender' of .* without 'diversity@10': run interp study ml-100k"
    with pytest.raises(InputError, match=expected), tables_of_this_release(tmp_path):
        pd.read_csv(table)["diversity@10"]
    whole = pd.DataFrame(columns=["replaced", "ndcg@10", "hit_rate@10", "coverage@10", "diversity@10"])
    bounds = [f"ndcg@10_{name}" for name in ("low", "high", "change", "change_low", "change_high")]
    whole.reindex(columns=[*whole, *bounds]).to_csv(table, index=False)
    with pytest.raises(KeyError), tables_of_this_release(tmp_path):  # a mistake of ours stays one
        {}["diversity@10"]
