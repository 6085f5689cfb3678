"""Figures draw what their tables say, and nothing of a name's markup."""

import json

import numpy as np
import pandas as pd
import pytest

from interp import figures

HOSTILE = "<b>Noir</b> & 'co'"


@pytest.fixture
def concepts():
    return pd.DataFrame(
        {
            "concept": [HOSTILE, "Drama"],
            "feature": [7, 3],
            "correlation": [0.6, 0.4],
            "neuron": [1, 0],
            "neuron_correlation": [0.2, 0.3],
        }
    )


@pytest.fixture
def alignment():
    return pd.DataFrame(
        {
            "feature": [3, 3, 7, 7],
            "concept": ["Drama", HOSTILE, "Drama", HOSTILE],
            "correlation": [0.4, -0.1, 0.05, 0.6],
            "auc": [0.7, 0.5, 0.5, 0.8],
            "sensitivity": [0.3, 0.2, 0.1, 0.9],
        }
    )


@pytest.fixture
def steering():
    """Two targets; the unsteered model has the value NaN."""
    values = [np.nan, 2.0, -2.0]
    return pd.DataFrame(
        {
            "target": [HOSTILE] * 3 + ["Drama"] * 3,
            "feature": [7] * 3 + [3] * 3,
            "value": values * 2,
            "share": [0.2, 0.5, 0.1, 0.4, 0.6, 0.3],
            "ndcg@10": [0.11, 0.10, 0.09, 0.11, 0.08, 0.07],
        }
    )


def test_neurons_and_features_stand_side_by_side(concepts):
    neurons, features = figures.features_beside_neurons(concepts).data
    assert list(features.y) == [0.6, 0.4]
    assert list(features.customdata) == [7, 3]
    assert (neurons.meta, features.meta) == ("neuron", "feature")
    assert list(neurons.y) == [0.2, 0.3]


def test_names_are_plain_text_to_plotly(concepts, alignment, steering):
    drawn = "".join(
        json.dumps(json.loads(figure.to_json()))
        for figure in (
            figures.features_beside_neurons(concepts),
            figures.concept_heatmap(alignment, concepts),
            figures.concept_bars(alignment),
            figures.share_curves(steering),
        )
    )
    assert "<b>" not in drawn
    assert "&lt;b&gt;Noir&lt;/b&gt; &amp; 'co'" in drawn


def test_densities_count_every_active_feature_once():
    density = np.array([0, 0, *np.linspace(0.001, 0.5, 50)])
    figure = figures.densities(pd.DataFrame({"density": density}))
    assert figure.data[0].y.sum() == 50
    assert "2 never active" in figure.layout.xaxis.title.text


@pytest.mark.parametrize("density", [[0.0, 0.0], [0.25, 0.25, 0.0]])
def test_densities_of_few_values(density):
    figure = figures.densities(pd.DataFrame({"density": density}))
    assert figure.data[0].y.sum() == np.count_nonzero(density)


def test_best_correlations_say_how_many_are_named():
    features = pd.DataFrame({"correlation": [0.1, 0.19, 0.2, 0.5, np.nan]})
    figure = figures.best_correlations(features, named=0.2)
    assert figure.data[0].y.sum() == 4
    assert figure.layout.annotations[0].text == "2 of 5 from 0.2 on"


def test_heatmap_rows_are_the_top_features_in_the_order_of_the_concepts(alignment, concepts):
    (heatmap,) = figures.concept_heatmap(alignment, concepts).data
    np.testing.assert_array_equal(heatmap.z, [[0.6, 0.05], [-0.1, 0.4]])
    np.testing.assert_array_equal(heatmap.customdata, [[7, 7], [3, 3]])


def test_histogram_is_stacked_by_presence_of_the_concept():
    rows = pd.DataFrame({"left": [0.0, 0.5], "right": [0.5, 1.0], "present": [1, 4], "absent": [9, 2]})
    present, absent = figures.activation_histogram(rows, "Drama").data
    assert (present.meta, absent.meta) == ("present", "absent")
    assert list(present.y) == [1, 4]
    assert list(absent.y) == [9, 2]
    assert list(present.x) == [0.25, 0.75]
    assert list(present.width) == [0.5, 0.5]


def test_steering_curves_are_sorted_and_show_the_level_without_steering(steering):
    noir, noir_level, drama, drama_level = figures.share_curves(steering).data
    assert list(noir.x) == [-2, 2]
    assert list(noir.y) == [0.1, 0.5]
    assert list(drama.y) == [0.3, 0.6]
    assert list(noir_level.y) == [0.2, 0.2]
    assert list(drama_level.y) == [0.4, 0.4]
    assert noir_level.line.dash == drama_level.line.dash == "dash"


def test_one_dashed_line_where_all_targets_share_the_level(steering):
    *curves, level = figures.quality_curves(steering).data
    assert [curve.line.dash for curve in curves] == [None, None]
    assert (level.line.dash, list(level.y)) == ("dash", [0.11, 0.11])
