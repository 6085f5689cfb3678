"""The report: what is in its data, and what a browser does with it."""

import base64
import importlib
import re

import numpy as np
import pandas as pd
import pytest
from browsers import Reader, embedded, open_page, packed_block, requests, text, until
from pages import CONCEPTS, HOSTILE, handmade_study
from plotly.offline import get_plotlyjs

from interp.analyses.doses.exhibits import answers
from interp.pages.report import report_data, write_report
from interp.pages.report_heads import HEADS, with_meanings
from interp.pages.verdicts import verdicts
from interp.paper import NAMES, paper_table
from interp.plots.blocks import Column, table
from interp.presets import L1, SIZES
from recmodels.errors import InputError
from recmodels.wording import signed


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return handmade_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def data(study):
    return report_data(study)


@pytest.fixture(scope="module")
def path(study):
    return write_report(study)


@pytest.fixture(scope="module")
def page(path):
    return path.read_text(encoding="utf-8")


def exhibits(data):
    return {exhibit["number"] or exhibit["title"]: exhibit for part in data["sections"] for exhibit in part["exhibits"]}


def numbers_of(packed):
    """The array that plotly has packed."""
    shape = [int(size) for size in packed["shape"].split(",")]
    return np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"]).reshape(shape)


def blocks(exhibit, kind):
    return [block for block in exhibit["blocks"] if block["kind"] == kind]


# ---- the paper's own numbers ----


def test_the_papers_tables_are_as_printed():
    first = paper_table("table1")
    assert first["sparsity"].isna().tolist() == [True] + [False] * 8
    row = first[first["sparsity"] == 0.1].iloc[0]
    assert row[["rmse", "explained_variance", "l0", "ndcg@10"]].tolist() == [0.178, 0.958, 102.1, 0.098]
    concepts = paper_table("concepts").set_index(["table", "concept"])
    assert concepts.loc[(2, "Horror"), ["correlation", "auc", "sensitivity"]].tolist() == [0.708, 0.919, 0.885]
    assert concepts.loc[(4, "IMAX"), "sensitivity"] == 0.767
    assert concepts.loc[(5, "k-pop"), "correlation"] == 0.883
    third = paper_table("table3").set_index(["dataset", "model"])
    assert third.loc[("ml-20m", "bert4rec")].tolist() == [0.04, 0.14, 0.22, 0.16, 0.29, 0.53]
    assert paper_table("table6").set_index("attribute").loc["Director", "sae_mean"] == 0.52
    with pytest.raises(InputError, match="table1, concepts"):
        paper_table("table2")


def test_columns_of_the_papers_concepts_average_to_their_last_rows():
    """As printed: one mean of Table 5 is a slip, which its note says."""
    for number, rows in paper_table("concepts").groupby("table"):
        means, last = rows.iloc[:-1], rows.iloc[-1]
        assert last["concept"] == "Mean"
        assert len(means) == {2: 19, 4: 19, 5: 20}[number]
        for column in ("correlation", "auc", "sensitivity", "popularity"):
            if (number, column) == (5, "correlation"):
                assert means[column].mean() == pytest.approx(0.319, abs=0.0006)
                assert "0.319" in last["note"]
            else:
                assert means[column].mean() == pytest.approx(last[column], abs=0.0011)


def test_swapped_popularities_are_noted():
    rows = paper_table("concepts")
    swapped = rows[rows["note"].str.contains("swapped")]
    assert set(zip(swapped["table"], swapped["concept"], strict=True)) == {
        (table, genre) for table in (2, 4) for genre in ("Action", "Comedy")
    }
    assert all(len(paper_table(name)) for name in NAMES)


# ---- the data ----


def test_everything_of_the_paper_is_there_in_its_order(data):
    assert list(exhibits(data)) == [
        "Features, neurons and baselines on unseen items",
        "Each concept on unseen items",
        "Other attributes on unseen items",
        "The recommender beside the most popular items",
        "Section 5",
        "Table 1",
        "Figure 2",
        "Table 2",
        "Figure 3",
        "Figure 4",
        "Table 3",
        "Figure 5",
        "Figure 6",
        "Figure 7",
        "Figure 9(a)",
        "Figure 9(b–d)",
        "Figure 10",
        "Figure 18",
        "Table 6",
        "What sparsity costs, by kind of dictionary",
        "Steering that keeps the reconstruction error",
        "What more of a concept costs, beside what one would do without a dictionary",
        "What a given share costs",
        "What features are called, and whether that is true of other users and items",
        "Do features do what their correlations say?",
        "Why this item: are attributions right?",
        "Exposure: from popular items to the long tail",
        "Receipts: what a standard steer changes",
        "Configuration",
        "Environment",
    ]


@pytest.mark.parametrize(
    ("dataset", "model", "numbers"),
    [
        ("ml-20m", "bert4rec", {"Table 4", "Figure 11", "Figure 12", "Figure 14(a)"}),
        ("music4all", "gptrec", {"Table 5", "Figure 15", "Figure 4(b)", "Figure 17(a)"}),
    ],
)
def test_the_papers_other_experiments_have_their_own_numbers(tmp_path, dataset, model, numbers):
    found = exhibits(
        report_data(handmade_study(tmp_path, dataset=dataset, training={"model": model, "max_history": 37}))
    )
    assert numbers <= set(found)


def test_the_papers_numbers_stand_beside_ours_where_data_and_model_match(tmp_path, data):
    beside = exhibits(report_data(handmade_study(tmp_path, dataset="ml-20m")))
    (ours,) = blocks(beside["Table 1"], "table")
    heads = [column["name"] for column in ours["columns"]]
    line = next(line for line in ours["rows"] if line[0] == "0.1")
    assert line[heads.index("RMSE")] == "0.300"
    assert [one["paper"] for one in ours["columns"]].count(True) == 6
    assert "0.178" in line  # the paper's
    scores, *context = blocks(beside["Table 2"], "table")
    assert not context
    sci_fi = next(line for line in scores["rows"] if line[0] == "Sci-Fi")
    assert "0.637" in sci_fi  # the paper's
    # Elsewhere they are context, folded away.
    ours, paper = blocks(exhibits(data)["Table 1"], "table")
    assert not any(column["paper"] for column in ours["columns"])
    assert paper["fold"] == "The paper’s, GPTRec on MovieLens-20M"
    assert len(blocks(exhibits(data)["Table 2"], "table")) == 4


def test_numbers_are_the_tables(study, data):
    concepts = study.table("concepts")
    scores = blocks(exhibits(data)["Table 2"], "table")[0]["rows"]
    assert [row[0] for row in scores] == [*concepts["concept"], "Mean"]
    assert [row[1] for row in scores[:-1]] == [str(feature) for feature in concepts["feature"]]
    np.testing.assert_allclose([float(row[2]) for row in scores[:-1]], concepts["correlation"], atol=5e-4)
    assert float(scores[-1][2]) == pytest.approx(concepts["correlation"].mean(), abs=5e-4)
    assert scores[-1][1] == ""
    short = blocks(exhibits(data)["Table 3"], "table")[0]["rows"][0]
    values = concepts["correlation"]
    assert short[4:] == [f"{one:.2f}" for one in (values.min(), values.mean(), values.max())]


def test_every_source_exists(study, data):
    for exhibit in exhibits(data).values():
        assert exhibit["sources"]
        for function, paths in exhibit["sources"]:
            module, name = function.rsplit(".", 1)
            assert callable(getattr(importlib.import_module(module), name))
            for path in paths:
                assert (study.folder / path).is_file()


def test_what_was_not_run_is_said_with_the_flag_that_runs_it(data):
    found = exhibits(data)
    assert [block["flag"].split()[0] for block in blocks(found["Figure 3"], "missing")] == ["--grid.n-features"]
    assert not blocks(found["Table 1"], "missing")  # two weights were
    assert "--grid.sites" in blocks(found["Section 5"], "missing")[0]["flag"]
    assert "--other-attributes" in blocks(found["Figure 18"], "missing")[0]["flag"]
    assert data["reduced"].startswith("The paper’s grids are reduced here: 6 of 8 λ are missing (0.001, 0.05, 0.3")
    assert "8 of 8 sizes" in data["reduced"]
    assert "means over 1 instead of 5 runs" in data["reduced"]


def test_every_head_of_a_table_has_its_meaning(data):
    tables = [block for part in exhibits(data).values() for block in blocks(part, "table")]
    without = {column["name"] for block in tables for column in block["columns"] if not column["tip"]}
    assert without <= {""}  # of remarks


def test_a_column_says_itself_what_its_head_means():
    columns = [Column("p", "p", meaning="Own words."), Column("q", "q"), Column("mine", "Mine")]
    part = {"exhibits": [{"blocks": [table(pd.DataFrame({"p": [1.0], "q": [1.0], "mine": [1.0]}), columns)]}]}
    (block,) = with_meanings(part)["exhibits"][0]["blocks"]
    assert [column["tip"] for column in block["columns"]] == ["Own words.", HEADS["q"], ""]


def test_full_grids_are_said_to_be_full(study, monkeypatch):
    read = type(study).table
    l1, sizes = read(study, "l1"), read(study, "sizes")
    points = l1.iloc[[0, *[1] * len(L1)]].assign(sparsity=[np.nan, *L1], runs=5)
    full = {"l1": points, "sizes": sizes.iloc[[0] * len(SIZES)].assign(n_features=SIZES, runs=5)}
    monkeypatch.setattr(type(study), "table", lambda self, name: full[name] if name in full else read(self, name))
    assert report_data(study)["reduced"] == "The grids of λ and sizes are the paper’s, with 5 runs of each point."


def test_claims_are_the_verdicts(study, data):
    claims = verdicts(study)
    assert [one["measured"] for one in data["claims"]] == [one.measured for one in claims]
    assert re.match(r"\d+ of \d+ of the paper's claims hold", data["tally"])
    anchors = {part["id"] for part in data["sections"]}
    assert {one["anchor"] for one in data["claims"]} <= anchors
    for claim in claims:
        assert claim.criterion.startswith("Holds if")
        for name in claim.tables:
            study.table(name)


def test_methods_stand_side_by_side_at_equal_share(study, data):
    exhibit = exhibits(data)["What more of a concept costs, beside what one would do without a dictionary"]
    assert len(blocks(exhibit, "figure")) == study.table("equal_share")["target"].nunique()
    costs, differences, quality, change, doses = blocks(exhibit, "table")
    assert [line[:3] for line in costs["rows"]][:2] == [
        [study.table("steering_cost")["target"][0], "boost", "−0.200"],
        [study.table("steering_cost")["target"][0], "least collateral", "−0.300"],
    ]
    assert [line[1:3] + line[6:] for line in differences["rows"]][1:5:3] == [
        ["profile", "replaced (paper)", "+0.050 [+0.010, +0.200]", "holds"],
        ["last state", "1.1 × boost", "+0.050 [−0.100, +0.200]", "cannot tell"],
    ]
    heads = [column["name"] for column in quality["columns"]]
    rows = study.table("equal_share").query("method == 'boost'")
    for shown, column in ((quality, "ndcg@10"), (change, "change"), (doses, "value")):
        assert [line[2] for line in shown["rows"]] == [signed(share, ".3f") for share in rows["share"]]
        assert [line[heads.index("Boost")] for line in shown["rows"]] == [signed(one, ".3f") for one in rows[column]]


def test_what_goes_beyond_the_paper_is_shown(study, data):
    found = exhibits(data)
    causes = found["Do features do what their correlations say?"]
    says, does = (numbers_of(block["figure"]["data"][0]["z"]) for block in blocks(causes, "figure"))
    top = study.table("concepts")
    assert does.tolist() == [[feature / 100] * 3 for feature in top["feature"]]
    assert says.diagonal().tolist() == top["correlation"].tolist()
    assert blocks(causes, "table")[0]["rows"][0][1:] == ["0.400", "0.010", "0.0010", "44", "9"]
    (why,) = blocks(found["Why this item: are attributions right?"], "table")
    assert why["rows"][0][:4] == ["All", "2", "0.500", "0.400"]
    (exposed,) = blocks(found["Exposure: from popular items to the long tail"], "table")
    assert [row[0] for row in exposed["rows"]] == ["−1", "0", "2"]
    assert exposed["rows"][2][1] == "0.400 [0.350, 0.450]"
    (receipts,) = blocks(found["Receipts: what a standard steer changes"], "table")
    assert receipts["rows"] == [
        [CONCEPTS[0], "7", "1.50", "+0.500 [+0.450, +0.550]", *["+0.200 [+0.150, +0.250]"] * 3, "0.400 [0.350, 0.450]"]
    ]


def test_exposure_is_left_out_where_it_could_not_be_told(study, monkeypatch):
    read = type(study).table
    empty = pd.DataFrame(columns=["strength", "measure", "after"])
    monkeypatch.setattr(type(study), "table", lambda self, name: empty if name == "popularity" else read(self, name))
    found = report_data(study)
    assert "Exposure: from popular items to the long tail" not in exhibits(found)
    assert "No feature separates popular from unpopular items" in found["claims"][-1]["measured"]


def test_labels_stand_with_items_that_speak_for_and_against_them(study, data):
    title = "What features are called, and whether that is true of other users and items"
    kinds, best = blocks(exhibits(data)[title], "table")
    assert [row[:4] for row in kinds["rows"]] == [
        ["All", "44", "3", "2"],
        ["Concept", "30", "2", "1"],
        ["One item", "14", "1", "1"],
    ]
    assert kinds["strong"] == [0]
    assert best["fold"] == "The labels that hold best"
    assert best["rows"] == [
        [CONCEPTS[0], "1", "7", "0.800", "0.600", "0.686", "0.900", f"{HOSTILE['quotes']}; Film 9", "–", "–"],
        [HOSTILE["script"], "1", "8", *["0.500"] * 3, "–", "–", HOSTILE["end"], "–"],
    ]


def test_doses_are_said_in_words(study):
    words, numbers = answers(study)["blocks"]
    tried, each = "NDCG@10 0.120 → 0.100 [−0.050, +0.010]", "NDCG@10 0.120 → 0.080 [−0.050, +0.010]"
    own = f"10% → 90% of users have it, {each}"
    assert words["rows"] == [
        [
            f"40% {CONCEPTS[0]}",
            "Reached with 2 features at 1.25 units, 20.0% → 41.0%",
            f"22.0% → 38.0%, {tried}",
            own,
        ],
        [
            f"40% {CONCEPTS[1]}",
            "Out of reach; closest with 1 feature at 10.00 units, 1.0% → 5.0%",
            f"1.0% → 5.0%, {tried}",
            own,
        ],
        [f"40% {CONCEPTS[2]}", "Out of reach: no amount comes closer than none", "–", own],
    ]
    assert len(numbers["rows"]) == 12
    assert numbers["rows"][2][:5] == [f"40% {CONCEPTS[0]}", "one dose for all", "30 test", "2.0", "1.25"]


def test_lists_mark_what_is_new_and_what_has_the_concept(data):
    (lists,) = blocks(exhibits(data)["Figure 7"], "lists")
    up, down = lists["users"]
    assert (up["direction"], down["direction"]) == ("up", "down")
    before, after = up["columns"]
    assert (before["name"], after["name"]) == ("as it is", "set to 2")
    assert [item["new"] for item in before["items"]] == [False] * 3
    assert [item["new"] for item in after["items"]] == [False, True, False]
    assert [item["has"] for item in after["items"]] == [False, True, False]  # of items 1, 3 and 0


def test_histories_mark_the_items_of_the_category(data):
    (cases,) = blocks(exhibits(data)["Figure 6"], "histories")
    franchise, item = cases["groups"]
    assert franchise["concept"] == HOSTILE["script"]
    assert franchise["largest"] == 6
    assert len(item["histories"]) == 2
    history = franchise["histories"][0]
    assert history["has"] == [True, False, True, False]
    assert history["first"] == 5
    assert history["titles"][0] == HOSTILE["comment"]  # item 3


def test_small_numbers_are_not_zero():
    rows = pd.DataFrame({"x": [0.00012, 0.0, 0.5, np.nan, -0.0004]})
    assert [cell for (cell,) in table(rows, [Column("x", "x")])["rows"]] == ["0.0001", "0.000", "0.500", "–", "−0.0004"]


# ---- the file ----


def test_the_page_is_whole_html_without_addresses(page):
    reader = Reader(page)
    assert not reader.unclosed
    assert reader.opened.count("script") == 4
    assert all(address.startswith(("#", "data:")) for address in reader.addresses)
    assert "default-src 'none'" in page
    assert embedded(page, "plotly") == get_plotlyjs()
    assert not re.search(r"https?:|@import|url\(", page)


def test_hostile_names_are_only_in_the_data_and_escaped(page):
    assert not set(packed_block(page)) & set("<&")
    assert "alert(" not in page


# ---- in a browser ----


@pytest.fixture
def browser(chromium, path):
    open_page(chromium, path.as_uri())
    yield chromium
    assert [entry["message"] for entry in chromium.get_log("browser")] == []


def test_all_figures_are_drawn_and_nothing_is_asked_of_the_network(browser, data):
    every = [exhibit for part in data["sections"] for exhibit in part["exhibits"]]
    figures = [block for exhibit in every for block in blocks(exhibit, "figure")]
    count = browser.execute_script("return document.querySelectorAll('.plot').length")
    assert count >= len(figures) > 10
    for place in range(count):
        browser.execute_script("document.getElementById(arguments[0]).scrollIntoView()", f"plot-{place}")
        until(browser, f"!!document.querySelector('#plot-{place} .main-svg')")
    assert requests(browser) == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_hostile_names_are_only_text(browser):
    found = "return document.querySelectorAll(arguments[0]).length"
    assert browser.execute_script(found, "script") == 4
    assert browser.execute_script(found, "main img, main i") == 0
    assert text(browser, "#heading") == "GPTRec on <tiny & odd>"
    sections = text(browser, "#sections")
    for hostile in (HOSTILE["script"], HOSTILE["end"], HOSTILE["comment"], "<i>up</i>", *CONCEPTS):
        assert hostile in sections


def test_claims_lead_to_their_sections(browser, data):
    assert text(browser, "#claims-title") == data["tally"]
    assert browser.execute_script("return document.querySelectorAll('#verdicts li').length") == len(data["claims"])
    links = "[...document.querySelectorAll('nav a, a.where')]"
    assert browser.execute_script(f"return {links}.every((link) => document.getElementById(link.hash.slice(1)))")
    browser.execute_script("document.querySelector('a.where[href=\"#s5\"]').click()")
    until(browser, "Math.abs(document.getElementById('s5').getBoundingClientRect().top) < 60")


def test_a_phone_needs_no_sideways_scrolling(browser):
    size = {"width": 400, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.refresh()
        until(browser, "!!window.Plotly")
        assert browser.execute_script("return document.documentElement.scrollWidth") == 400
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_prints_with_all_figures(browser):
    assert browser.execute_cdp_cmd("Page.printToPDF", {})["data"].startswith("JVBERi")  # "%PDF-" in base64
    drawn = "[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('.main-svg'))"
    assert browser.execute_script(f"return {drawn}")
