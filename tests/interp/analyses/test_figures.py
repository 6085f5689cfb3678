"""Figures of single topics show the numbers of their tables."""

import numpy as np
import pandas as pd
import pytest

from interp.analyses.comparison import figures as comparison
from interp.analyses.explanations import figures as explanations
from interp.analyses.popularity import figures as popularity

HOSTILE = "<b>Noir</b> & 'co'"


def test_settings_have_error_bars_on_a_logarithmic_axis():
    table = pd.DataFrame(
        {
            "sparsity": [np.nan, 1.0, 0.1],
            "runs": [1, 5, 1],
            "l0": [np.nan, 3.0, 30.0],
            "mean_top_correlation": [np.nan, 0.2, 0.5],
            "std_mean_top_correlation": [np.nan, 0.03, np.nan],
        }
    )
    figure = comparison.setting_curve(table, "sparsity", "λ")
    (curve,) = figure.data
    assert list(curve.x) == [0.1, 1.0]  # without the plain recommender
    assert list(curve.y) == [0.5, 0.2]
    assert list(curve.error_y.array) == [0, 0.03]  # one run has no spread
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.ticktext) == ["0.1", "1"]


def test_every_trainer_has_its_line_by_sparsity():
    table = pd.DataFrame(
        {
            "trainer": ["top_k", "top_k", HOSTILE],
            "sparsity": [32, 8, 0.1],
            "l0": [32.0, 8.0, 20.0],
            "ndcg@10": [0.11, 0.10, 0.09],
            "ndcg@10_change": [-0.01, -0.02, -0.03],
            "ndcg@10_change_low": [-0.03, -0.05, -0.06],
            "ndcg@10_change_high": [0.03, 0.01, -0.01],
            "mean_top_correlation": 0.4,
            "std_mean_top_correlation": [0.02, np.nan, 0.1],
        }
    )
    other, top_k, level = comparison.trade_off_curves(table, "ndcg@10", "NDCG@10", 0.12, "original").data
    assert (list(top_k.x), list(top_k.y)) == ([8, 32], [0.10, 0.11])
    assert "<b>" not in other.name
    assert (level.line.dash, list(level.y)) == ("dash", [0.12] * 2)
    assert level.x[0] < 8 < 32 < level.x[1]
    assert list(top_k.error_y.array) == pytest.approx([0.03, 0.04])  # from the change to its bounds
    assert list(top_k.error_y.arrayminus) == pytest.approx([0.03, 0.02])
    assert len(comparison.trade_off_curves(table, "ndcg@10", "NDCG@10").data) == 2
    spread = comparison.trade_off_curves(table, "mean_top_correlation", "correlation").data[1]
    assert list(spread.error_y.array) == [0, 0.02]  # of one run, none


def test_places_show_neurons_and_features():
    table = pd.DataFrame({"site": ["blocks.0", "final"], "neurons": [0.2, 0.1], "mean_top_correlation": [0.5, 0.4]})
    neurons, features = comparison.site_bars(table).data
    assert (list(neurons.y), list(features.y)) == ([0.2, 0.1], [0.5, 0.4])
    assert list(neurons.x) == ["blocks.0", "final"]


def test_exposure_and_quality_change_with_the_strength():
    rows = pd.DataFrame(
        {
            "strength": [2.0, -1.0, 2.0, -1.0],
            "measure": ["long_tail_share@10", "long_tail_share@10", "ndcg@10", "ndcg@10"],
            "change": [0.3, -0.1, -0.02, 0.01],
            "change_low": [0.2, -0.15, -0.05, 0.0],
            "change_high": [0.35, -0.05, 0.0, 0.03],
        }
    )
    (trace,) = popularity.exposure_trade_off(rows).data
    assert (list(trace.x), list(trace.y), list(trace.text)) == ([-0.1, 0.3], [0.01, -0.02], ["-1", "2"])
    np.testing.assert_allclose(trace.error_x.array, [0.05, 0.05])
    np.testing.assert_allclose(trace.error_x.arrayminus, [0.05, 0.1])
    np.testing.assert_allclose(trace.error_y.arrayminus, [0.01, 0.03])


def test_attributions_stand_beside_ablations():
    rows = pd.DataFrame({"feature": [4, 7], "attribution": [0.5, -0.2], "ablation": [0.6, -0.1]})
    points, line = explanations.attributions_beside_ablations(rows).data
    assert (list(points.x), list(points.y), list(points.customdata)) == ([0.5, -0.2], [0.6, -0.1], [4, 7])
    assert list(line.x) == list(line.y) == [-0.2, 0.6]
