"""Where models run."""

import pytest
import torch

from recmodels import devices
from recmodels.errors import InputError
from recmodels.recommender import Recommender


def test_a_gpu_is_used_unless_the_environment_says_cpu(monkeypatch):
    monkeypatch.delenv(devices.VARIABLE, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.usual_device() == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.usual_device() == "cuda"
    monkeypatch.setenv(devices.VARIABLE, "cpu")
    assert devices.usual_device() == "cpu"


def test_a_device_that_is_not_here_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv(devices.VARIABLE, "cuda")
    with pytest.raises(InputError, match="INTERP_DEVICE is cuda, but torch sees no GPU: leave it out, or"):
        devices.usual_device()
    monkeypatch.setenv(devices.VARIABLE, "tpu")
    with pytest.raises(InputError, match="INTERP_DEVICE is 'tpu': write cpu or cuda, or leave it out"):
        devices.usual_device()


def test_a_saved_recommender_is_loaded_onto_the_usual_device(recommender, tmp_path, monkeypatch):
    recommender.save(tmp_path / "saved")
    monkeypatch.setattr(devices, "usual_device", lambda: "meta")
    assert Recommender.load(tmp_path / "saved").model.device.type == "meta"
