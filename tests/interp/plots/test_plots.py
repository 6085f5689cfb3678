"""Figures draw what their tables say, and nothing of a name's markup."""

import json
from types import SimpleNamespace as Row

import numpy as np
import pandas as pd
import pytest

from interp import plots
from interp.plots.maps import COLOURS

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
    neurons, features = plots.features_beside_neurons(concepts).data
    assert list(features.y) == [0.6, 0.4]
    assert list(features.customdata) == [7, 3]
    assert (neurons.meta, features.meta) == ("neuron", "feature")
    assert list(neurons.y) == [0.2, 0.3]


def test_names_are_plain_text_to_plotly(concepts, alignment, steering):
    drawn = "".join(
        json.dumps(json.loads(figure.to_json()))
        for figure in (
            plots.features_beside_neurons(concepts),
            plots.concept_heatmap(alignment, concepts),
            plots.concept_bars(alignment.assign(effect=0.1, effect_se=0.01)),
            plots.share_curves(steering),
        )
    )
    assert "<b>" not in drawn
    assert "&lt;b&gt;Noir&lt;/b&gt; &amp; 'co'" in drawn


def test_densities_count_every_active_feature_once():
    density = np.array([0, 0, *np.linspace(0.001, 0.5, 50)])
    figure = plots.densities(pd.DataFrame({"density": density}))
    assert figure.data[0].y.sum() == 50
    assert "2 never active" in figure.layout.xaxis.title.text


@pytest.mark.parametrize("density", [[0.0, 0.0], [0.25, 0.25, 0.0]])
def test_densities_of_few_values(density):
    figure = plots.densities(pd.DataFrame({"density": density}))
    assert figure.data[0].y.sum() == np.count_nonzero(density)


def test_best_correlations_say_how_many_are_named():
    features = pd.DataFrame({"correlation": [0.1, 0.19, 0.2, 0.5, np.nan]})
    figure = plots.best_correlations(features, threshold=0.2)
    assert figure.data[0].y.sum() == 4
    assert figure.layout.annotations[0].text == "2 of 5 from 0.2 on"


def test_heatmap_rows_are_the_top_features_in_the_order_of_the_concepts(alignment, concepts):
    (heatmap,) = plots.concept_heatmap(alignment, concepts).data
    np.testing.assert_array_equal(heatmap.z, [[0.6, 0.05], [-0.1, 0.4]])
    np.testing.assert_array_equal(heatmap.customdata, [[7, 7], [3, 3]])


def test_histogram_is_stacked_by_presence_of_the_concept():
    rows = pd.DataFrame({"left": [0.0, 0.5], "right": [0.5, 1.0], "present": [1, 4], "absent": [9, 2]})
    present, absent = plots.activation_histogram(rows, "Drama").data
    assert (present.meta, absent.meta) == ("present", "absent")
    assert list(present.y) == [1, 4]
    assert list(absent.y) == [9, 2]
    assert list(present.x) == [0.25, 0.75]
    assert list(present.width) == [0.5, 0.5]


def test_steering_curves_are_sorted_and_show_the_level_without_steering(steering):
    noir, noir_level, drama, drama_level = plots.share_curves(steering).data
    assert list(noir.x) == [-2, 2]
    assert list(noir.y) == [0.1, 0.5]
    assert list(drama.y) == [0.3, 0.6]
    assert list(noir_level.y) == [0.2, 0.2]
    assert list(drama_level.y) == [0.4, 0.4]
    assert noir_level.line.dash == drama_level.line.dash == "dash"


def test_one_dashed_line_where_all_targets_share_the_level(steering):
    *curves, level = plots.quality_curves(steering).data
    assert [curve.line.dash for curve in curves] == [None, None]
    assert (level.line.dash, list(level.y)) == ("dash", [0.11, 0.11])


def test_the_concepts_that_change_most_are_drawn_after_the_target():
    shares = pd.concat(
        pd.DataFrame({"value": [np.nan, 2.0, -2.0], "concept": name, "share": share})
        for name, share in {
            HOSTILE: [0.5, 0.2, 0.1],
            "A": [0, 0.9, 0.0],
            "B": [0, 0.0, 0.3],
            "C": [0, 0.1, 0.1],
        }.items()
    )
    target, first, second = plots.changed_concepts(shares, HOSTILE, count=3).data
    assert (first.name, second.name) == ("A", "B")
    assert (list(target.x), list(target.y)) == ([-2, 2], [0.1, 0.2])
    assert target.line.width > first.line.width
    assert "<b>" not in target.name


def test_directions_are_solid_and_probes_dashed():
    rows = pd.DataFrame(
        {
            "method": ["add"] * 3 + ["probe"] * 3,
            "target": "Drama",
            "value": [np.nan, 1.0, -1.0] * 2,
            "share": [0.3, 0.5, 0.1, 0.3, 0.4, 0.2],
        }
    )
    sae, probe = plots.direction_curves(rows).data
    assert (sae.line.dash, probe.line.dash) == ("solid", "dash")
    assert (list(sae.x), list(sae.y)) == ([-1, 1], [0.1, 0.5])
    assert list(probe.y) == [0.2, 0.4]
    assert sae.line.color == probe.line.color


def test_costs_are_drawn_share_by_quality_in_order_of_the_dose():
    rows = pd.DataFrame(
        {
            "method": ["set"] * 3 + ["boost"] * 3,
            "target": HOSTILE,
            "value": [np.nan, 2.0, -2.0] * 2,
            "share": [0.3, 0.5, 0.1, 0.3, 1.0, 0.0],
            "ndcg@10": [0.12, 0.10, 0.09, 0.12, 0.05, 0.11],
        }
    )
    figure = plots.cost_curves(rows)
    drawn = {trace.meta: trace for trace in figure.data}
    assert (list(drawn["set"].x), list(drawn["set"].y)) == ([0.1, 0.5], [0.09, 0.10])
    assert (list(drawn["boost"].x), list(drawn["boost"].y)) == ([0.0, 1.0], [0.11, 0.05])
    assert (list(drawn[None].x), list(drawn[None].y)) == ([0.3], [0.12])  # once, not steered
    looks = {(trace.line.color, trace.line.dash) for trace in figure.data}
    assert len(looks) == len(figure.data)
    assert figure.layout.xaxis.range == pytest.approx((0, 0.525))  # as far as methods other than boosts go


def test_effects_stand_beside_correlations(alignment):
    rows = alignment[alignment["feature"] == 7].assign(effect=[-0.1, 0.2], effect_se=[0.01, 0.02])
    follows, moves = plots.concept_bars(rows).data
    assert list(follows.x) == rows["correlation"].tolist()
    assert list(moves.x) == [-0.1, 0.2]
    assert list(moves.error_x.array) == [0.01, 0.02]
    assert follows.y == moves.y  # in one order, on one axis
    assert (follows.xaxis, moves.xaxis) == (None, "x2")


@pytest.mark.parametrize(("measure", "form"), [("share", ".0%"), ("ndcg", None)])
def test_a_curve_has_its_band_and_its_natural_range(measure, form):
    names = [measure, f"{measure}_low", f"{measure}_high"]
    rows = [
        Row(value=x, **dict(zip(names, y, strict=True))) for x, y in ((-2, (3, 2, 4)), (0, (5, 5, 5)), (2, (7, 6, 9)))
    ]
    figure = plots.turned_curve(rows, measure, 1.5)
    band, curve = figure.data
    assert (list(curve.x), list(curve.y)) == ([-2, 0, 2], [3, 5, 7])
    assert (list(band.x), list(band.y)) == ([-2, 0, 2, 2, 0, -2], [4, 5, 9, 6, 5, 2])
    (natural,) = figure.layout.shapes
    assert (natural.x0, natural.x1) == (0, 1.5)
    assert figure.layout.yaxis.tickformat == form


def test_curves_of_several_features_have_whiskers():
    rows = pd.DataFrame({"feature": 3, "concept": "War & peace", "amount": [0.0, 1.0], "share": [0.1, 0.3]})
    rows = rows.assign(share_low=[0.1, 0.2], share_high=[0.1, 0.5])
    (curve,) = plots.share_curves_with_bands(rows).data
    assert curve.name == "War &amp; peace (3)"
    assert list(curve.error_y.array) == pytest.approx([0, 0.2])
    assert list(curve.error_y.arrayminus) == pytest.approx([0, 0.1])


@pytest.mark.parametrize("colour", list(COLOURS))
def test_the_map_has_every_feature_once(colour):
    """Eight concepts, of which the map has colours for six; two features that nothing names, one of them dead."""
    n = 40
    features = pd.DataFrame(
        {
            "feature": range(n),
            "concept": [f"<i>{number % 8}" for number in range(n)],
            "correlation": [0.1, 0.1, *[0.5] * (n - 2)],
            "density": [0.0, *[0.2] * (n - 1)],
        }
    )
    places = pd.DataFrame({"feature": range(n)[::-1], "x": np.linspace(1, -1, n), "y": 0.0})
    places = places.assign(family=places["feature"], head=places["feature"], cluster=-1, name="n")
    places["grade"] = ["tested"] * 5 + ["correlated"] * 10 + ["none"] * 25
    none = pd.DataFrame({"cluster": [], "name": []})
    drawn = plots.dictionary_map(places, none, features, 0.2, colour).data
    at = {feature: x for trace in drawn for feature, x in zip(trace.customdata, trace.x, strict=True)}
    assert sum(len(trace.customdata) for trace in drawn) == n
    assert [at[feature] for feature in range(n)] == pytest.approx(np.linspace(-1, 1, n), abs=1e-6)
    assert list(drawn[-1].customdata) == [0]
    assert drawn[-1].name == "never active"
    if colour == "concept":
        assert [trace.name for trace in drawn[:2]] == ["correlation below 0.2", "other concepts"]
        assert list(drawn[0].customdata) == [1]
        assert {trace.name[:7] for trace in drawn[2:-1]} == {"&lt;i&g"}
        assert len({(trace.marker.symbol, trace.marker.color) for trace in drawn}) == len(drawn)
    elif colour == "correlation":
        assert drawn[0].marker.color == pytest.approx([0.1, *[0.5] * (n - 2)])
    elif colour == "grade":
        counts = {trace.name: len(trace.x) for trace in drawn}
        assert counts == {
            "unlabelled": 24,
            "correlated only": 10,
            "tested, one item": 0,
            "tested": 5,
            "never active": 1,
        }
    else:
        assert drawn[0].marker.color == pytest.approx([np.log10(0.2)] * (n - 1))


def test_the_map_draws_a_family_as_one_point_and_names_clusters():
    """Features 0 and 1 are near-duplicates, at the middle between them; a cluster of four points in a square."""
    features = pd.DataFrame({"feature": range(6), "concept": "c", "correlation": 0.5, "density": 0.2})
    places = pd.DataFrame({"feature": range(6), "x": [-1, 0, 0, 1, 0, 1], "y": [-1, 0, 0, 0, 1, 1]}).astype(float)
    places = places.assign(head=[1, 1, 2, 3, 4, 5], cluster=[-1, -1, 0, 0, 0, 0], name="n", grade="tested")
    clusters = pd.DataFrame({"cluster": [0, 1], "members": [4, 9], "name": ["<Horror>", ""], "count": [3, 0]})
    figure = plots.dictionary_map(places, clusters, features, 0.2, "grade")
    (trace,) = (trace for trace in figure.data if trace.name == "tested")
    assert dict(zip(trace.customdata, zip(trace.x, trace.y, strict=True), strict=True))[1] == (-0.5, -0.5)
    assert 0 not in trace.customdata
    sizes = dict(zip(trace.customdata, trace.marker.size, strict=True))
    assert sizes[1] > sizes[2] == sizes[3]
    (name,) = figure.layout.annotations
    assert name.text == "<b>&lt;Horror&gt;</b> 3 of 4"
    assert len(figure.layout.shapes) == 1
    points = [tuple(map(float, point.split(","))) for point in figure.layout.shapes[0].path[1:-1].split("L")]
    assert sorted(points) == [(-0.06, -0.06), (-0.06, 1.06), (1.06, -0.06), (1.06, 1.06)]  # a little around them
