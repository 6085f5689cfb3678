"""The offline page: what is in the file."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from browsers import Reader, embedded, packed_block
from pages import CONCEPTS, DEAD, HOSTILE, RECORD, N, handmade_study
from plotly.offline import get_plotlyjs

import interp
from interp.pages.dashboard import page_data, write_dashboard
from interp.pages.rendering import ASSETS, OPENING, SCRIPTS
from interp.pages.search_columns import effects
from recmodels import artifacts
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return handmade_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def path(study):
    return write_dashboard(study)


@pytest.fixture(scope="module")
def page(path):
    return path.read_text(encoding="utf-8")


def test_the_page_is_whole_html(page):
    reader = Reader(page)
    assert not reader.unclosed
    assert reader.opened.count("script") == 5
    assert reader.opened.count("h1") == 1
    assert reader.title == "GPTRec on <tiny & odd>: features of a recommender"


def test_nothing_is_asked_of_the_network(page):
    assert all(address.startswith(("#", "data:")) for address in Reader(page).addresses)
    assert "default-src 'none'" in page
    names = page.replace("http://www.w3.org/2000/svg", "")  # the name of a namespace, not an address
    assert not re.search(r"https?:|//#|@import|url\(", names)


def test_plotly_is_embedded_once(page):
    assert embedded(page, "plotly") == get_plotlyjs()
    assert page.count(packed_block(page, "plotly")) == 1


def test_data_survives_the_page(page, study):
    assert json.loads(embedded(page)) == page_data(study)


def test_hostile_titles_are_only_in_the_data_and_escaped(page, study):
    assert page_data(study)["items"]["titles"][: len(HOSTILE)] == list(HOSTILE.values())
    assert not set(packed_block(page)) & set("<&")
    assert "alert(" not in page


def test_text_never_becomes_markup():
    parts = {part for parts in SCRIPTS.values() for part in parts}
    others = {path.stem for path in ASSETS.glob("*.js") if not path.stem.startswith("equalizer_")}
    assert others == {*OPENING, *parts}
    script = "".join(path.read_text() for path in ASSETS.glob("*.js"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", script)


def test_columns_are_the_tables(study):
    data = page_data(study)
    features = study.table("features")
    np.testing.assert_allclose(data["features"]["max"], features["max"], rtol=1e-3)
    assert [data["concepts"][place] for place in data["features"]["concept"]] == features["concept"].tolist()
    band, rank, user, first, items, activations, following = data["histories"][20][1]
    assert (band, rank, user, first, items) == ("strongest", 2, "<i>user 2</i>", 5, [18, 19, 20, 21])
    assert following == 22
    assert activations == [0, 0.05, 10, 0.1]  # to two significant digits: 10.5 is even at 10
    assert data["moves"]["layers"]["suppressed"]["item"][20] == [21, 22]
    assert data["moves"]["direct"]["promoted"]["item"][20] == [31, 32]
    lists = data["moves"]["lists"]["promoted"]
    assert [lists[name][7] for name in ("item", "effect", "up", "down", "users")] == [
        [4, 30],
        [0.5, 0.125],
        [6, 4],
        [2, 3],
        [8, 8],
    ]
    assert lists["item"][8] == data["moves"]["lists"]["suppressed"]["item"][7] == []
    labels = data["labels"]
    assert [labels[name][7] for name in ("name", "kind", "labelled", "precision", "hard_precision", "support")] == [
        CONCEPTS[0],
        "Concept",
        True,
        0.8,
        0.9,
        30,
    ]
    assert labels["labelled"].count(True) == 2
    assert (labels["items"]["hit"][7], labels["items"]["false alarm"][8], labels["items"]["missed"][7]) == (
        [2, 9],
        [1],
        [],
    )
    curves, costs = data["curves"], data["costs"]
    assert curves["value"][20] == pytest.approx([-0.9, 0, 0.9, 1.8])
    assert curves["share"][20] == [0.05, 0.1, 0.3, 0.6]
    assert curves["ndcg_high"][20] == pytest.approx([0.12, 0.14, 0.13, 0.04])
    assert curves["value"][DEAD] == []
    assert [costs[name][7] for name in ("concept", "chosen_by", "users", "ndcg", "boost_low")] == [
        0,
        "correlation",
        95,
        -0.01,
        -0.05,
    ]
    assert costs["ndcg"][DEAD] is None
    assert data["receipts"]["moved"][20] == [[0, 0.1, 0.2, 0.15, 0.25], [2, 0.1, -0.1, -0.15, -0.05]]
    assert data["features"]["grade"][7:9] == ["tested", "tested-item"]
    assert data["features"]["p_top100"][20] is None  # 99 histories light it
    assert data["features"]["p_top100"][7] == 0.3
    assert data["about"]["ndcg"] == "0.120 ± 0.020"
    assert data["about"]["ndcg_reconstructed"] == "0.110, change −0.010 [−0.030, +0.012]"
    assert len(data["glossary"]) >= 28
    assert data["histograms"]["present"][20] == [1, 20]
    assert data["histories"][DEAD] == data["histograms"]["present"][DEAD] == data["causal"]["effect"][DEAD] == []
    assert data["causal"]["effect"][20] == [0.2] * 3
    assert data["neighbours"]["together"]["neighbour"][20] == [21]
    assert data["neighbours"]["alike"]["neighbour"][20] == [22]
    assert data["neighbours"]["alike"]["neighbour"][DEAD] == []


def test_scores_that_are_not_numbers_are_null(study, monkeypatch):
    table = study.table
    holed = table("features").assign(auc=np.nan)
    monkeypatch.setattr(type(study), "table", lambda self, name: holed if name == "features" else table(name))
    assert page_data(study)["features"]["auc"] == [None] * N


def test_a_missing_table_is_named(tmp_path):
    artifacts.write_json(tmp_path / "config.json", RECORD | {"config": {"dataset": "none"}})
    with pytest.raises(InputError, match=r"the table '\w+' is not under .*: run "):
        write_dashboard(interp.open(tmp_path))
    assert not (tmp_path / "dashboard.html").exists()


def test_effects_are_measures_and_concepts_beyond_their_interval():
    """The overlap of any steer is below 1, and is none; neither is a change whose interval holds 0."""
    rows = pd.DataFrame(
        [
            ("", "overlap", -0.5, -0.6, -0.4),
            ("", "coverage@10", -0.25, -0.3, -0.2),
            ("", "ndcg@10", 0.01, -0.01, 0.03),
            ("Noir", "share", 0.5, 0.4, 0.6),
        ],
        columns=["concept", "measure", "change", "change_low", "change_high"],
    )
    view = SimpleNamespace(receipt=[*rows.itertuples(index=False)])
    assert effects([view]) == (["lowers Coverage@10", "raises Noir"], [[[0, -0.25], [1, 0.5]]])
