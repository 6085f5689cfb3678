"""Checkpoints that are damaged are as if they were not there; what comes out in the end is the same."""

import json
import shutil

import pytest
from test_training import TINY, Interrupted, count, data

from recmodels import trainer
from recmodels.artifacts import write_json
from recmodels.training import fit


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return fit(*data(), TINY, tmp_path_factory.mktemp("whole") / "recommender").fingerprint


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """What a run leaves that was stopped after two of three epochs."""
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.MonkeyPatch.context() as patch:
        count(patch, trainer._Progress, "on_evaluate", 3)
        with pytest.raises(Interrupted):
            fit(*data(), TINY, folder / "recommender")
    return folder


@pytest.fixture
def stopped(interrupted, tmp_path):
    """The folder of that run, to damage."""
    shutil.copytree(interrupted, tmp_path, dirs_exist_ok=True)
    return tmp_path / "recommender"


def newest(folder):
    checkpoints = folder.with_name("recommender.checkpoints").glob("checkpoint-*")
    return max(checkpoints, key=lambda path: int(path.name.split("-")[1]))


def step(path):
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | {"global_step": 2}))


FAULTS = {
    "lost": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "flipped": lambda path: path.write_bytes(path.read_bytes()[:-9] + b"!" + path.read_bytes()[-8:]),
}


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("rng_state.pth", "lost"),
        ("optimizer.pt", "lost"),
        ("scheduler.pt", "lost"),
        ("model.safetensors", "flipped"),
        ("optimizer.pt", "flipped"),
        ("rng_state.pth", "empty"),
        ("trainer_state.json", "empty"),
        ("manifest.json", "lost"),
    ],
)
def test_a_damaged_checkpoint_is_left_out_in_a_line(stopped, whole, caplog, name, fault):
    FAULTS[fault](newest(stopped) / name)
    assert fit(*data(), TINY, stopped).fingerprint == whole
    assert "goes on without this checkpoint" in caplog.text
    assert [path.name for path in stopped.parent.iterdir()] == ["recommender"]


def test_a_wrong_step_is_not_believed(stopped, whole, caplog):
    step(newest(stopped) / "trainer_state.json")
    assert fit(*data(), TINY, stopped).fingerprint == whole
    assert "goes on without" in caplog.text


def test_checkpoints_without_the_mark_of_the_same_run_are_begun_again(stopped, whole):
    mark = stopped.with_name("recommender.checkpoints") / "unfinished.json"
    write_json(mark, json.loads(mark.read_text()) | {"inputs": {}})
    assert fit(*data(), TINY, stopped).fingerprint == whole
