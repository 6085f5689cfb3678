"""A whole study on a device whose tensors do not mix with the CPU's: what runs on a GPU is not left to chance."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from other_device import DEVICE, OtherDevice
from small_study import CONFIG

import interp
from recmodels import devices

SAME = 0.999  # of the numbers of a table: where scores tie to rounding, lists may differ


@pytest.mark.study
def test_every_analysis_gives_the_same_numbers(study, planted, tmp_path, monkeypatch):
    folder = tmp_path / "study"
    shutil.copytree(study.folder, folder)
    for name in ("tables", "features", "evaluations"):
        shutil.rmtree(folder / name)
    monkeypatch.setattr(devices, "usual_device", lambda: str(DEVICE))
    with OtherDevice():
        there = interp.run(replace(CONFIG, dataset="ml-1m", out=folder), planted)
        assert there.recommender.device == DEVICE
        for name in study.tables:
            here, elsewhere = (some.table(name).select_dtypes("number").to_numpy(float) for some in (study, there))
            same = np.isclose(elsewhere, here, rtol=1e-3, atol=1e-4, equal_nan=True)
            assert same.mean() >= SAME, name
