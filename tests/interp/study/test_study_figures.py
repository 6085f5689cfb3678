"""A study's figures draw its tables."""

import plotly.graph_objects as go
import pytest

from interp.study.study_map import features_on_map
from recmodels.errors import InputError

PLAIN = (
    "features_beside_neurons",
    "correlations",
    "densities",
    "concept_heatmap",
    "causal_heatmap",
    "shares",
    "quality",
)


@pytest.mark.parametrize("name", PLAIN)
def test_every_method_is_a_figure(study, name):
    figure = getattr(study.figures, name)()
    assert isinstance(figure, go.Figure)
    assert any(len(trace.x) for trace in figure.data)


@pytest.mark.parametrize("colour", ["concept", "correlation", "density"])
def test_a_point_of_the_map_tells_its_label_and_its_strongest_items(study, colour):
    told = {
        feature: text
        for trace in study.figures.map(colour).data
        for feature, text in zip(trace.customdata, trace.text, strict=True)
    }
    families = features_on_map(study).groupby("head")["feature"].agg(list)  # one point for each
    assert sorted(told) == families.index.tolist()
    for number, members in families.items():
        feature = study.features[number]
        head, *titles = told[number].split("<br>")
        assert head == f"<b>Feature {number}</b> · {feature.name.said}"
        if len(members) > 1:
            others = [f"{other} {study.names[other].shown}" for other in members if other != number]
            assert titles.pop(0) == f"near-duplicates: {', '.join(others)}"
        # The item at which each of the strongest histories peaks, each item once.
        strongest = feature.histories.query("band == 'strongest'")
        peaks = strongest.loc[strongest.groupby("rank")["activation"].idxmax()].sort_values("rank")
        assert titles == peaks["title"].drop_duplicates().head(3).tolist()


def test_costs_are_those_of_one_concept_by_every_method(study):
    target = study.table("steering")["target"].iloc[0]
    figure = study.figures.costs(target)
    sweeps = study.table("baselines").query("target == @target and method == 'boost' and value.notna()")
    sweeps = sweeps.sort_values("value")
    boost = next(trace for trace in figure.data if trace.meta == "boost")
    assert len(sweeps)
    assert list(boost.x) == sweeps["share"].tolist()
    assert list(boost.y) == sweeps["ndcg@10"].tolist()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("map", "there is no colour 'x': choose one of grade, concept, correlation, density"),
        ("quality", "there is no measure 'x': choose one of ndcg@10, coverage@10, diversity@10"),
        ("costs", "'x' was not steered in this study: choose one of concept-"),
    ],
)
def test_what_there_is_not_is_said(study, name, message):
    with pytest.raises(InputError, match=message):
        getattr(study.figures, name)("x")
