"""The page of a comparison: what is in the file, and what a browser does with it."""

import json

import pytest
from browsers import Reader, embedded, open_page, requests, text, until
from handmade_comparison import MERGED, WENT, handmade_comparison
from pages import CONCEPTS, DEAD, HOSTILE, N

from interp.pages.comparison import heading, page_data, write_comparison


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    return handmade_comparison(tmp_path_factory.mktemp("studies"))


@pytest.fixture(scope="module")
def path(comparison, tmp_path_factory):
    return write_comparison(comparison, tmp_path_factory.mktemp("page") / "comparison.html")


def test_the_page_is_whole_and_asks_no_network(path, comparison):
    page = path.read_text(encoding="utf-8")
    reader = Reader(page)
    assert not reader.unclosed
    assert reader.opened.count("h1") == 1
    assert [address for address in reader.addresses if not address.startswith(("#", "data:"))] == []
    assert json.loads(embedded(page)) == page_data(comparison)
    assert "<" not in embedded(page)
    assert "alert(" not in page.replace(embedded(page), "")
    assert "<i>user" not in embedded(page).replace("\\u003c", "<")  # histories name users, this page does not
    assert len(page) < 500_000  # without plotly.js


def test_the_page_says_what_the_table_says(comparison):
    data = page_data(comparison)
    old, new = data["matches"]["old"], data["matches"]["new"]  # q: 86 of 89 have p = 1/100
    assert [old[name][2] for name in ("change", "match", "score", "chance", "q")] == ["kept", 3, 0.9, 0.2, 0.0103]
    assert (old["change"][MERGED], old["match"][MERGED]) == ("merged", 4)
    assert (old["change"][WENT], old["change"][DEAD]) == ("went", "silent")
    assert (new["change"][4], new["match"][4], new["change"][MERGED + 1]) == ("kept", 3, "came")
    assert data["nearest"]["new"][4][:2] == [[3, 0.9, 0.2, 0.45, 0.225], [MERGED, 0.8, 0.2, 0.4, 0.2]]
    assert data["similarity"]["held"][MERGED][4] == 0.2
    side = data["sides"]["old"]
    assert [side["items"]["titles"][item] for item in side["lit"]["item"][20]] == ["Film 20", "Film 21", "Film 19"]
    assert side["lit"]["activation"][20] == [21, 0.2, 0.1]
    assert side["lit"]["item"][DEAD] == []
    assert data["concepts"][1] == {
        "name": CONCEPTS[1],
        "same": False,
        "match": 3,
        "old": [2, 0.4, 0.3, 0.5, False],
        "new": [9, 0.4, 0.3, 0.5, False],
    }
    assert data["quality"][2:4] == [["variance explained", "0.25", "0.5"], ["NDCG@10", "0.250 [0.200, 0.300]", "0.100"]]
    assert data["quality"][-1] == ["NDCG@10, reconstructed", "0.250 [0.200, 0.300]", "–"]


def test_what_is_compared_is_said(comparison):
    old, new = comparison.old, comparison.new
    assert heading(old, new) == "Two dictionaries of GPTRec on <tiny & odd>, blocks.0"
    assert heading(old, old) == "Features of GPTRec on <tiny & odd> side by side"


@pytest.fixture(scope="module")
def browser(chromium, path):
    open_page(chromium, path.as_uri())
    return chromium


def rows(browser, column):
    cells = "document.querySelectorAll(`#table tbody td:nth-child(${arguments[0]})`)"
    return browser.execute_script(f"return [...{cells}].map((cell) => cell.textContent)", column)


def fill(browser, selector, value):
    script = (
        "const [node, value] = arguments; node.value = value; node.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    browser.execute_script(script, browser.find_element("css selector", selector), value)


def test_features_that_went_or_merged_are_shown_by_a_click(browser):
    browser.execute_script("document.querySelector('#tiles .went').click()")
    assert [row.split()[0] for row in rows(browser, 1)] == [str(WENT)]
    assert rows(browser, 3) == ["–"]
    browser.execute_script("document.querySelector('#tiles .merged').click()")
    assert [row.split()[0] for row in rows(browser, 1) + rows(browser, 3)] == [str(MERGED), "4"]
    browser.execute_script("document.querySelector('#tiles .merged').click()")
    assert text(browser, "#count") == f"{N + 2} rows"  # each old feature, and two new ones that came


def test_the_table_is_sorted_and_searched(browser):
    browser.execute_script("document.querySelector('th[data-key=old] button').click()")
    assert [row.split()[0] for row in rows(browser, 1)[:3]] == ["0", "1", "2"]
    fill(browser, "#search", "#8")
    assert [row.split()[0] for row in rows(browser, 1)] == ["7", "8"]
    fill(browser, "#search", "film 30")
    assert text(browser, "#count") != f"{N + 2} rows"
    assert all(row for row in rows(browser, 1))
    fill(browser, "#search", "")


def test_two_features_stand_side_by_side(browser):
    browser.execute_script("location.hash = '3-4'")
    until(browser, "byId('pair').dataset.pair", "3-4")
    facts = "return [...document.querySelectorAll('#alike dd')].map((node) => node.textContent)"
    assert browser.execute_script(facts) == [
        "0.90",
        "0.20 (q = 0.010)",
        "0.45, more than 95% of the others",
        "0.23, more than 90% of the others",
    ]
    panes = browser.find_elements("css selector", ".pane")
    assert "Film 20" not in panes[0].text
    fill_choice = "const [node] = arguments; node.value = 7; node.dispatchEvent(new Event('change', {bubbles: true}))"
    browser.execute_script(fill_choice, panes[0].find_element("css selector", "select"))
    until(browser, "byId('pair').dataset.pair", "7-4")
    assert "✓" not in panes[0].find_element("css selector", "[data-part=chip]").text  # which CSS writes
    assert panes[0].find_element("css selector", "[data-part=chip]").text == CONCEPTS[0]
    assert panes[0].find_element("css selector", "[data-part=grade]").text == "tested"
    assert "its best match is 8" in text(browser, "#alike-note")
    browser.execute_script(f"location.hash = '{DEAD}-0'")
    until(browser, "byId('pair').dataset.pair", f"{DEAD}-0")
    dead = "return [...document.querySelectorAll('[data-part=dead]')].map((node) => node.hidden)"
    assert browser.execute_script(dead) == [False, True]
    browser.execute_script("location.hash = '99-1'")
    until(browser, "byId('missing').hidden", False)
    assert "There is no pair 99-1" in text(browser, "#missing")


def test_nothing_ran_that_is_not_the_page_s_own(browser):
    assert browser.execute_script("return document.querySelectorAll('#table img, .pane img, .pane i').length") == 0
    assert HOSTILE["script"] in browser.execute_script("return data.sides.old.items.titles")
    assert requests(browser) == []
    assert [entry["message"] for entry in browser.get_log("browser")] == []
