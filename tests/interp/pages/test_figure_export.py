"""Figures for a paper: which there are, how large they are, and what kaleido makes of them."""

import base64
import json
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from pages import CONCEPTS, handmade_study

from interp import plots
from interp.pages import figure_export as exported
from interp.pages.figure_export import figures_of, write_figures
from interp.pages.print_style import COLUMN, INCH, PAGE, for_paper
from interp.pages.report import sections
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return handmade_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def found(source):
    return list(figures_of(source))


@pytest.fixture
def two(found, monkeypatch):
    """Only two figures, the heatmap first: a browser takes a second for each."""
    place = [one.name for one in found].index("figure-2-top-features-against-all-concepts")
    monkeypatch.setattr(exported, "figures_of", lambda source: found[place : place + 2])
    return found[place : place + 2]


def blocks(source):
    every = (block for part in sections(source) for exhibit in part["exhibits"] for block in exhibit["blocks"])
    return [block for block in every if block["kind"] == "figure"]


def numbers_of(data):
    """Values of a trace, which plotly may have packed."""
    if not isinstance(data, dict):
        return np.array(data)
    shape = [int(size) for size in str(data.get("shape", "-1")).split(",")]
    return np.frombuffer(base64.b64decode(data["bdata"]), data["dtype"]).reshape(shape)


def sizes(value):
    """Every size of type in a figure."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith("font") and "size" in inner:
                yield inner["size"]
            yield from sizes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from sizes(inner)


def test_every_figure_of_the_report_and_the_overview_is_there(source, found):
    drawn = blocks(source)
    names = [one.name for one in found]
    assert len(set(names)) == len(names) == len(drawn) + 6
    assert names[-6:] == [
        "how-often-features-are-active",
        "how-many-features-follow-a-concept",
        "map-of-the-dictionary-by-grade",
        "map-of-the-dictionary-by-concept",
        "map-of-the-dictionary-by-correlation",
        "map-of-the-dictionary-by-density",
    ]
    assert {"figure-2-top-features-against-all-concepts", "figure-9b-ndcg-10"} <= set(names)
    for one, block in zip(found, drawn, strict=False):
        traces = zip(one.figure.data, go.Figure(block["figure"]).data, strict=True)
        for trace, original in traces:
            for axis in "xyz":
                if original.to_plotly_json().get(axis) is not None:
                    np.testing.assert_array_equal(numbers_of(trace[axis]), numbers_of(original[axis]))


def test_type_is_legible_and_nothing_is_see_through(found):
    for one in found:
        layout = one.figure.layout
        assert layout.width in (round(COLUMN * INCH), round(PAGE * INCH))
        assert 1.5 * INCH < layout.height < 9 * INCH
        assert (layout.paper_bgcolor, layout.plot_bgcolor) == ("#fff", "#fff")
        assert layout.title.text is None
        assert min(sizes(one.figure.to_plotly_json())) > 6.99 / 72 * INCH
        assert layout.font.size == pytest.approx(8 / 72 * INCH)


def test_a_figure_is_as_large_as_what_is_in_it():
    def bars(count):
        concepts = pd.DataFrame({"concept": [f"c{place}" for place in range(count)], "correlation": 0.5})
        concepts = concepts.assign(
            neuron_correlation=0.4, neuron=1, feature=2, auc=0.5, sensitivity=0.5, effect=0.1, effect_se=0
        )
        return plots.features_beside_neurons(concepts), plots.concept_bars(concepts)

    (few, low), (many, high) = bars(18), bars(40)
    assert for_paper(few).layout.width == round(3.4 * 96)
    assert for_paper(many).layout.width == 7 * 96
    assert for_paper(high).layout.height > 1.8 * for_paper(low).layout.height
    assert few.layout.width is None  # the original is as it was
    assert few.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_years_are_names_and_not_numbers():
    years = pd.DataFrame({"concept": ["1997", "1940"], "correlation": 0.5, "neuron_correlation": 0.4})
    figure = plots.features_beside_neurons(years.assign(neuron=1, feature=2))
    assert figure.layout.xaxis.type == "category"
    assert list(figure.data[0].x) == ["1997", "1940"]


def test_json_needs_no_browser_and_captions_say_what_is_what(source, found, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    write_figures(source, tmp_path)
    captions = pd.read_csv(tmp_path / "captions.csv", keep_default_na=False)
    assert captions["file"].tolist() == [one.name for one in found]
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == sorted(captions["file"])
    row = captions.set_index("file").loc["figure-4-features-beside-neurons"]
    assert (row["number"], row["title"]) == ("Figure 4", "Features beside neurons")
    read = json.loads((tmp_path / f"{row.name}.json").read_text())
    assert numbers_of(read["data"][1]["y"]).tolist() == source.table("concepts")["correlation"].tolist()


def test_images_have_the_size_of_a_column(source, two, tmp_path):
    pytest.importorskip("kaleido")
    try:
        write_figures(source, tmp_path, ("svg", "pdf", "png"))
    except InputError as error:
        pytest.skip(str(error))
    for one in two:
        width, height = one.figure.layout.width, one.figure.layout.height
        drawing = (tmp_path / f"{one.name}.svg").read_text()
        assert re.search(rf'<svg[^>]* width="{width}" height="{height}"', drawing)
        assert (tmp_path / f"{one.name}.pdf").read_bytes().startswith(b"%PDF-")
        image = (tmp_path / f"{one.name}.png").read_bytes()
        assert image.startswith(b"\x89PNG")
        assert [int.from_bytes(image[start : start + 4]) for start in (16, 20)] == [4 * width, 4 * height]
    heatmap = ElementTree.parse(tmp_path / f"{two[0].name}.svg").getroot()
    names = {element.text for element in heatmap.iter("{http://www.w3.org/2000/svg}text")}
    assert set(CONCEPTS) <= names  # as text, not as markup


def test_what_is_missing_for_images_is_said_in_a_line(source, two, tmp_path, monkeypatch):
    pytest.importorskip("kaleido")
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    with pytest.raises(InputError, match="need Chrome or Chromium: install one, or run kaleido_get_chrome"):
        write_figures(source, tmp_path, ("svg",))
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(InputError, match="kaleido is not installed: pip install kaleido"):
        write_figures(source, tmp_path, ("svg",))
