"""The scorecard as a page."""

import numpy as np
import pandas as pd
import pytest
from browsers import Reader, open_page, requests, text, until
from handmade_scorecard import handmade_scorecard
from pages import HOSTILE

from interp.pages.scorecard_page import as_text, cell, page_data, places, write_page
from interp.plots.scorecard_columns import SCORES
from interp.plots.scorecard_plots import score_against_l0


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_page(handmade_scorecard(), tmp_path_factory.mktemp("page"))[1]


def test_places_by_hand():
    values, runs = pd.Series([1, 3, 2, 5, 5, np.nan]), pd.Series(list("aaabbb"))
    assert places(values, runs, "more")[:3].tolist() == [0, 1, 0.5]
    assert places(values, runs, "less")[:3].tolist() == [1, 0, 0.5]
    assert np.isnan(places(values, runs, "more")[3:]).all()  # all equal, or none
    assert np.isnan(places(values, runs, "")).all()


def test_cells():
    assert [cell(value, 2) for value in (0.126, -0.5, np.nan)] == ["0.13", "−0.50", "–"]


def test_every_score_is_described_and_blank_columns_are_left_out():
    data = page_data(handmade_scorecard())
    assert data["absent"] == ["Recovery"]
    assert [column["key"] for column in data["columns"]] == [s.key for s in SCORES if s.key != "recovery"]
    assert all(score.about.endswith(".") for score in SCORES)
    assert len({score.key for score in SCORES}) == len(SCORES)
    assert data["columns"][-1]["texts"][1] == "–"


def test_larger_dictionaries_have_larger_marks():
    frame = handmade_scorecard().assign(n_features=[64, 128, 512, 1024, 4096])
    figure = score_against_l0(frame, SCORES[1])
    assert [trace.name for trace in figure.data][:2] == ["top_k, one", "baseline, one"]
    sizes = {trace.name: trace.marker.size for trace in figure.data}
    assert 0 < sizes["top_k, one"][0] < sizes["baseline, one"][0] < sizes["top_k, two"][0]
    assert [trace.x[0] for trace in figure.data] == [1, 2, 3, 4, 5]


def test_text_for_a_terminal():
    lines = as_text(handmade_scorecard()).splitlines()
    assert lines[0] == "  1  one/top_k-64-k-8"
    assert lines[7].split() == ["Size:", "L0", "1.0", "2.0", "3.0", "4.0", "5.0"]
    assert not any("Recovery" in line for line in lines)


def test_the_page_is_whole_and_asks_no_network(path):
    reader = Reader(path.read_text(encoding="utf-8"))
    assert not reader.unclosed
    assert reader.title == "Scorecard of dictionaries"
    assert [address for address in reader.addresses if not address.startswith(("#", "data:"))] == []


@pytest.fixture(scope="module")
def browser(chromium, path):
    open_page(chromium, path.as_uri())
    until(chromium, "document.querySelectorAll('#plot .point').length", 5)
    return chromium


def names(browser):
    cells = "return [...document.querySelectorAll('tbody .name')].map((cell) => cell.firstChild.textContent)"
    return browser.execute_script(cells)


def test_rows_are_sorted_by_a_click_and_baselines_can_go(browser):
    assert names(browser) == ["top_k-64-k-8", "ica", HOSTILE["script"], "b", "c"]
    click = "document.querySelector(`th[data-key=${arguments[0]}] button`).click()"
    browser.execute_script(click, "unseen_items")
    assert names(browser) == ["c", "b", HOSTILE["script"], "ica", "top_k-64-k-8"]
    browser.execute_script(click, "minutes")  # less is better, and who has none comes last
    assert names(browser) == ["top_k-64-k-8", HOSTILE["script"], "b", "c", "ica"]
    assert text(browser, "th[aria-sort=ascending]") == "Minutes"
    browser.execute_script("document.querySelector('#tools input').click()")
    assert names(browser) == ["top_k-64-k-8", HOSTILE["script"], "b"]
    browser.execute_script("document.querySelector('#tools input').click()")
    browser.execute_script(click, "name")


def test_the_best_of_each_run_is_marked(browser):
    bold = """
        const rows = [...document.querySelectorAll("tbody tr")];
        const best = rows.filter(({ cells }) => cells[arguments[0]].classList.contains("best"));
        return best.map(({ cells }) => cells[0].firstChild.textContent);
    """
    place = 2 + [score.key for score in SCORES].index("unseen_items")
    assert sorted(browser.execute_script(bold, place)) == ["c", "ica"]


def test_heads_say_what_they_mean_and_scores_are_drawn(browser):
    browser.execute_script("document.querySelector('th[data-key=absorption] button').focus()")
    assert "Animation inside Children's" in text(browser, "#tip")
    assert text(browser, "#tip").endswith("Less is better.")
    browser.execute_script(
        "const box = document.getElementById('score'); box.value = 'kl_all'; box.dispatchEvent(new Event('change'))"
    )
    until(browser, "document.querySelector('#plot .ytitle').textContent", "KL, all steps")
    assert requests(browser) == []
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def test_a_phone_scrolls_the_table_and_nothing_else(browser):
    size = {"width": 390, "height": 844, "mobile": True, "deviceScaleFactor": 1}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    until(browser, "document.documentElement.scrollWidth", 390)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
