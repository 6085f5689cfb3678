"""The figures that the project promises, measured on whole studies. Run by `make studies`, not by `make test`.

A study that is already under artifacts/ is only loaded.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from interp.config import PRESETS
from interp.run import run
from interp.steering import monotone

pytestmark = pytest.mark.study
ROOT = Path(__file__).parents[1]
DATA = ROOT / os.environ.get("INTERP_DATA", "../shared/data")


def finished(name, data=None):
    return run(replace(PRESETS[name][1], data=data, out=ROOT / "artifacts" / name))


def test_ml_100k():
    study = finished("ml-100k")
    found = study.table("dictionary").iloc[0]
    assert found["sae_mean_top_correlation"] >= 1.5 * found["neuron_mean_top_correlation"]
    assert monotone(study.table("steering")).sum() >= 4


@pytest.mark.skipif(not (DATA / "ml-1m").is_dir(), reason=f"no MovieLens-1M in {DATA}: set INTERP_DATA")
def test_ml_1m():
    study = finished("ml-1m", DATA / "ml-1m")
    found = study.table("dictionary").iloc[0]
    assert study.table("recommender").set_index("replaced").loc["none", "ndcg@10"] >= 0.14
    assert found["sae_mean_top_correlation"] >= 0.58
    assert found["l0"] <= 110


def test_planted():
    """Most of the hidden concepts have a feature that tells their items from the others."""
    best = finished("planted").table("alignment").groupby("concept")["auc"].max()
    assert (best >= 0.9).mean() >= 0.9
