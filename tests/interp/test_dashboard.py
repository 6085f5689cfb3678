"""The offline page: what is in the file, and what a browser does with it."""

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from pages import (
    CONCEPTS,
    DEAD,
    HOSTILE,
    RECORD,
    N,
    Reader,
    chromium_session,
    embedded,
    handmade_study,
    requests,
    text,
    until,
)
from plotly.offline import get_plotlyjs

import interp
from interp.concepts.alignment import UNALIGNED
from interp.dashboard import page_data, write_dashboard
from interp.page import PAGE
from recmodels import artifacts
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return handmade_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    yield from chromium_session(tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="module")
def path(study):
    return write_dashboard(study)


@pytest.fixture(scope="module")
def page(path):
    return path.read_text(encoding="utf-8")


# ---- the file ----


def test_the_page_is_whole_html(page):
    reader = Reader(page)
    assert not reader.unclosed
    assert reader.opened.count("script") == 3
    assert reader.opened.count("h1") == 1
    assert reader.title == "<tiny & odd>: features of a recommender"


def test_nothing_is_asked_of_the_network(page):
    assert all(address.startswith(("#", "data:")) for address in Reader(page).addresses)
    assert "default-src 'none'" in page
    own = page.replace(get_plotlyjs(), "")
    assert not re.search(r"https?:|//#|@import|url\(", own)


def test_plotly_is_embedded_once(page):
    assert page.count(get_plotlyjs()) == 1


def test_data_survives_the_page(page, study):
    assert json.loads(embedded(page)) == page_data(study)


def test_hostile_titles_are_only_in_the_data_and_escaped(page, study):
    assert page_data(study)["items"]["titles"][: len(HOSTILE)] == list(HOSTILE.values())
    assert "<" not in embedded(page)
    assert "alert(" not in page.replace(embedded(page), "").replace(get_plotlyjs(), "")


def test_text_never_becomes_markup():
    script = "".join((PAGE / name).read_text() for name in ("base.js", "dashboard.js", "report.js"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", script)


def test_columns_are_the_tables(study):
    data = page_data(study)
    features = study.table("features")
    np.testing.assert_allclose(data["features"]["max"], features["max"], rtol=1e-3)
    assert [data["concepts"][place] for place in data["features"]["concept"]] == features["concept"].tolist()
    band, rank, user, first, items, activations, following = data["histories"][20][1]
    assert (band, rank, user, first, items) == ("strongest", 2, "<i>user 2</i>", 5, [18, 19, 20, 21])
    assert following == 22
    np.testing.assert_allclose(activations, [0, 0.05, 10.5, 0.1], rtol=1e-3)
    assert data["effects"]["suppressed"]["item"][20] == [21, 22]
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
    with pytest.raises(InputError, match="no table 'features'"):
        write_dashboard(interp.open(tmp_path))
    assert not (tmp_path / "dashboard.html").exists()


# ---- in a browser ----

RESET = """
    history.replaceState(null, "", location.pathname);
    document.getElementById("search").value = "";
    Object.assign(state, { sort: "correlation", ascending: false, stepping: false });
    for (const id of ["concept", "kind"]) document.getElementById(id).value = "";
    document.getElementById("map-colour").value = "concept";
    choose(null);
    show(state.order[0]);
    scrollTo(0, 0);
"""


@pytest.fixture
def browser(chromium, path):
    """The page as it is when it is opened without a feature in its address."""
    if chromium.current_url.startswith(path.as_uri()):
        chromium.execute_script(RESET)
    else:
        chromium.get(path.as_uri())
    yield chromium
    assert [entry["message"] for entry in chromium.get_log("browser")] == []


def column(browser, place):
    """One column of the table's shown rows."""
    cells = "document.querySelectorAll(`#table tbody td:nth-child(${arguments[0]})`)"
    return browser.execute_script(f"return [...{cells}].map((cell) => cell.textContent)", place)


def type_search(browser, query):
    field = "document.getElementById('search')"
    browser.execute_script(f"{field}.value = arguments[0]; {field}.dispatchEvent(new Event('input'))", query)


def press(browser, key, where="document.body"):
    event = f"new KeyboardEvent('keydown', {{key: '{key}', bubbles: true, cancelable: true}})"
    browser.execute_script(f"{where}.dispatchEvent({event})")


def test_opens_offline_on_the_best_aligned_feature(browser):
    assert "Feature 7 <b>Noir</b>" in text(browser, "#feature-title")
    for plot in ("neurons", "heatmap", "densities", "shares", "histogram", "bars", "feature-quality"):
        browser.execute_script("document.getElementById(arguments[0]).scrollIntoView()", f"plot-{plot}")
        until(browser, f"!!document.querySelector('#plot-{plot} .main-svg')")
    assert requests(browser) == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_hostile_titles_are_only_text(browser):
    for feature in range(12):
        browser.execute_script("location.hash = arguments[0]", feature)
        until(browser, "document.getElementById('feature').dataset.feature", str(feature))
    count = "return document.querySelectorAll(arguments[0]).length"
    assert browser.execute_script(count, "script") == 3
    assert browser.execute_script(count, "main img, main i:not(.scale i), main section > b") == 0
    browser.execute_script("location.hash = 0")
    until(browser, "document.getElementById('feature').dataset.feature", "0")
    assert HOSTILE["script"] in text(browser, "#histories")
    assert HOSTILE["end"] in text(browser, "#promoted")
    assert "<i>user 1</i>" in text(browser, "#histories")
    browser.execute_script("location.hash = 6")  # peaks at the long title
    until(browser, "document.getElementById('feature').dataset.feature", "6")
    assert len(text(browser, "#histories .peak b")) < 200
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_search_by_item_concept_and_number(browser):
    assert text(browser, "#count") == f"{N} features"
    assert len(column(browser, 1)) == 20
    type_search(browser, "amelie")  # item 5, with an accent: peak of feature 5, promoted by 3 and 4
    assert sorted(column(browser, 1)) == ["3", "4", "5"]
    assert set(column(browser, 10)) == {HOSTILE["emoji"]}
    assert text(browser, "#count") == f"3 of {N} features"
    type_search(browser, "#44")
    assert column(browser, 1) == ["44"]
    type_search(browser, "44")  # also part of a title
    assert len(column(browser, 1)) > 1
    type_search(browser, "sci-fi")
    assert set(column(browser, 2)) == {"Sci-Fi"}
    type_search(browser, "nothing of the kind")
    assert column(browser, 1) == []
    assert text(browser, "#page-at") == "No feature fits this search"


def test_every_column_sorts_both_ways(browser):
    for place in range(1, 11):
        header = f"#table th:nth-child({place})"
        found = []
        for _ in range(2):
            browser.execute_script("document.querySelector(arguments[0]).click()", f"{header} button")
            order = browser.execute_script("return document.querySelector(arguments[0]).ariaSort", header)
            shown = column(browser, place)
            if place not in (2, 10):
                values = [float(value.rstrip("%").replace("−", "-")) for value in shown if value != "–"]
                assert values == sorted(values, reverse=order == "descending")
            found.append(order)
        assert sorted(found) == ["ascending", "descending"]
    script = "return [...document.querySelectorAll('#table th')].filter(h => h.ariaSort !== 'none').length"
    assert browser.execute_script(script) == 1


def test_pages_of_the_table(browser):
    browser.execute_script("document.getElementById('page-on').click()")
    assert text(browser, "#page-at") == "Rows 21 to 40"
    browser.execute_script("document.getElementById('page-on').click()")
    assert len(column(browser, 1)) == N - 40
    assert browser.execute_script("return document.getElementById('page-on').disabled")


def test_deep_links_and_back(browser, path):
    browser.get("about:blank")
    browser.get(f"{path.as_uri()}#42")
    assert text(browser, "#feature-title").startswith("Feature 42")
    browser.execute_script("document.querySelector('#top-features a').click()")
    until(browser, "location.hash", "#7")
    until(browser, "document.getElementById('feature').dataset.feature", "7")
    browser.back()
    until(browser, "document.getElementById('feature').dataset.feature", "42")
    browser.execute_script("location.hash = '#999'")  # no such feature: the shown one stays
    until(browser, "location.hash", "#999")
    assert text(browser, "#feature-title").startswith("Feature 42")


def test_arrow_keys_and_buttons_follow_the_table(browser):
    order = column(browser, 1)
    shown = "document.getElementById('feature').dataset.feature"
    press(browser, "ArrowRight")
    until(browser, shown, order[1])
    browser.execute_script("document.getElementById('next').click()")
    until(browser, shown, order[2])
    press(browser, "ArrowLeft")
    until(browser, shown, order[1])
    press(browser, "ArrowRight", "document.getElementById('search')")  # typing does not turn the page
    time.sleep(0.1)
    assert browser.execute_script(f"return {shown}") == order[1]
    assert text(browser, "#table tr[aria-current] td") == order[1]
    press(browser, "Escape")  # back to the table
    assert browser.execute_script("return document.activeElement.textContent") == order[1]


def test_a_clicked_bar_opens_its_feature(browser):
    until(browser, "!!document.querySelector('#plot-neurons .main-svg')")
    point = "{points: [{data: {meta: '%s'}, customdata: %d}]}"
    click = f"document.getElementById('plot-neurons').emit('plotly_click', {point})"
    browser.execute_script(click % ("feature", 21))
    until(browser, "document.getElementById('feature').dataset.feature", "21")
    browser.execute_script(click % ("neuron", 3))
    time.sleep(0.1)
    assert browser.execute_script("return location.hash") == "#21"


def test_a_dead_feature_says_so(browser):
    browser.execute_script("location.hash = arguments[0]", DEAD)
    until(browser, "document.getElementById('dead').hidden", False)
    assert "never active" in text(browser, "#dead")
    assert browser.execute_script("return [...document.querySelectorAll('.alive')].every(part => part.hidden)")
    assert "unaligned" in text(browser, "#feature-title")
    assert text(browser, "#promoted li").startswith("+0.5")


def test_panel_shows_the_tables(browser):
    browser.execute_script("location.hash = 8")  # also scrolls to the panel
    until(browser, "document.getElementById('feature').dataset.feature", "8")
    assert "unaligned" in text(browser, "#feature-title")
    assert browser.execute_script("return document.getElementById('steering').hidden")
    traces = "document.getElementById('plot-histogram').data.map((t) => [t.name, t.x.length, t.y.at(-1)])"
    name = "Drama &amp; 'co'"
    until(browser, traces, [[name, 2, 8], [f"not {name}", 2, 2]])
    bars = "Array.from(document.getElementById('plot-bars').data[0].x)"
    assert browser.execute_script(f"return {bars}") == [0.15, 0.12, 0.1]
    cards = "return [...document.querySelectorAll('.history')].map(h => h.querySelectorAll('.item').length)"
    assert browser.execute_script(cards) == [4, 4, 4]
    bands = "return [...document.querySelectorAll('.band')].map(band => band.firstChild.textContent.trim())"
    assert browser.execute_script(bands) == ["Strongest", "Weak"]
    assert [text(browser, f"#{kind} a") for kind in ("together", "alike")] == ["#9", "#10"]


def test_causes_stand_beside_correlations(browser):
    browser.execute_script("location.hash = 20")
    until(browser, "document.getElementById('feature').dataset.feature", "20")
    until(browser, "!!document.querySelector('#plot-effects .main-svg')")
    bars = "['bars', 'effects'].map((name) => document.getElementById(`plot-${name}`).data[0])"
    assert browser.execute_script(f"return new Set({bars}.map((bar) => bar.y.join())).size") == 1  # in the same order
    assert browser.execute_script(f"return Array.from({bars}[1].x)") == [0.2] * 3
    assert browser.execute_script(f"return Array.from({bars}[1].error_x.array)") == [0.01] * 3
    facts = "[...document.querySelectorAll('#feature-facts div')].map((fact) => fact.textContent)"
    assert "causal effect+20.0%" in browser.execute_script(f"return {facts}")


def test_a_history_says_what_came_next(browser):
    """By pointer and by keyboard alike; the last shown item's successor is not shown itself."""
    browser.execute_script("location.hash = 20")
    until(browser, "document.getElementById('feature').dataset.feature", "20")
    browser.execute_script("document.querySelectorAll('.item')[3].focus()")
    until(browser, "document.getElementById('tip').hidden", False)
    assert text(browser, "#tip") == "Film 21\nstep 8, activation 0.2\ntook next: Film 22"
    browser.execute_script("document.activeElement.blur()")
    until(browser, "document.getElementById('tip').hidden", True)
    over = "new PointerEvent('pointerover', {bubbles: true})"
    browser.execute_script(f"document.querySelectorAll('.item')[0].dispatchEvent({over})")
    assert text(browser, "#tip") == "Film 18\nstep 5, activation 0\ntook next: Film 19"


def shown_features(browser):
    return {int(number) for number in browser.execute_script("return state.order.map(String)")}


def test_filters(browser, study):
    features = study.table("features")
    aligned = features[features["correlation"] >= UNALIGNED]
    choose = (
        "const select = document.getElementById('%s'); select.value = '%s'; select.dispatchEvent(new Event('input'))"
    )
    browser.execute_script(choose % ("kind", "aligned"))
    assert shown_features(browser) == set(aligned["feature"])
    options = browser.execute_script("return [...document.querySelectorAll('#concept option')].map((one) => one.text)")
    assert options == ["any", *sorted(CONCEPTS)]
    place = browser.execute_script("return concepts.indexOf('Sci-Fi')")
    browser.execute_script(choose % ("concept", place))
    assert shown_features(browser) == set(aligned.loc[aligned["concept"] == "Sci-Fi", "feature"])
    browser.execute_script(choose % ("concept", ""))
    browser.execute_script(choose % ("kind", "dead"))
    assert shown_features(browser) == {DEAD}
    browser.execute_script(choose % ("kind", "unaligned"))
    assert shown_features(browser) == set(features["feature"]) - set(aligned["feature"]) - {DEAD}


def test_the_map_opens_what_is_clicked_and_keeps_what_is_drawn_around(browser, study):
    """With the mouse itself: a box around the right half, then a click on a point."""
    from selenium.webdriver import ActionChains

    browser.execute_script("document.getElementById('map-drag').value = 'select'; drawMap()")
    browser.execute_script("document.getElementById('plot-map').scrollIntoView({block: 'center'})")
    until(browser, "!!document.querySelector('#plot-map .main-svg')")
    until(browser, "document.getElementById('plot-map').layout.dragmode", "select")
    area = browser.find_element("css selector", "#plot-map .nsewdrag")
    width, height = area.size["width"], area.size["height"]
    mouse = ActionChains(browser, duration=0).move_to_element_with_offset(area, 6, -height // 2 + 3)
    mouse.click_and_hold().move_by_offset(width // 4, height // 2).move_by_offset(width // 4 - 3, height // 2 - 6)
    mouse.release().perform()
    places = study.table("map")
    right = set(places.loc[places["x"] > 0.005, "feature"])
    until(browser, "state.chosen?.size", len(right))
    assert shown_features(browser) == right
    assert text(browser, ".unchoose").startswith(f"{len(right)} chosen")
    kept = "document.getElementById('plot-map').data.reduce((sum, trace) => sum + trace.selectedpoints.length, 0)"
    browser.execute_script("document.getElementById('map-colour').value = 'density'; drawMap()")
    until(browser, kept, len(right))  # also in other colours
    browser.execute_script("document.querySelector('.unchoose').click()")
    assert text(browser, "#count") == f"{N} features"
    until(browser, "document.querySelectorAll('#plot-map .selectionlayer path').length", 0)
    until(browser, "stale.has(document.getElementById('plot-map'))", False)
    at = "const plot = document.getElementById('plot-map'), [x, y] = arguments;"
    pixels = "return [plot._fullLayout.xaxis.l2p(x), plot._fullLayout.yaxis.l2p(y)]"
    x, y = browser.execute_script(at + pixels, *places.loc[44, ["x", "y"]])
    width, height = area.size["width"], area.size["height"]  # a colour bar takes some
    ActionChains(browser, duration=0).move_to_element_with_offset(area, x - width / 2, y - height / 2).perform()
    # A click counts for what plotly has seen the mouse over, which it looks at a little later.
    until(browser, "document.getElementById('plot-map')._hoverdata?.[0]?.customdata", 44)
    ActionChains(browser, duration=0).click().perform()
    until(browser, "location.hash", "#44")


def test_every_colour_of_the_map_shows_every_feature_by_name(browser):
    browser.execute_script("document.getElementById('plot-map').scrollIntoView({block: 'center'})")
    for colour in ("correlation", "density", "concept"):
        script = "const colour = document.getElementById('map-colour'); colour.value = arguments[0]; "
        browser.execute_script(script + "colour.dispatchEvent(new Event('input'))", colour)
        until(browser, "document.getElementById('plot-map').data?.flatMap((trace) => trace.customdata).length", N)
        texts = "document.getElementById('plot-map').data.flatMap((trace) => trace.text)"
        assert len({found.split("<br>")[0] for found in browser.execute_script(f"return {texts}")}) == N
    named = browser.execute_script(f"return {texts}.find((one) => one.includes('Feature 7<'))")
    assert "&lt;b&gt;Noir&lt;/b&gt;" in named  # of a hostile concept
    assert any(
        "Feature 20<" in one and one.endswith("<br>Film 20") for one in browser.execute_script(f"return {texts}")
    )
    assert "<script" not in "".join(browser.execute_script(f"return {texts}"))


@pytest.mark.study
def test_switching_features_is_quick(browser):
    """A promise about an idle machine, so not one of the tests that must pass on any."""
    script = """
        const done = arguments[0], taken = [];
        const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
        (async () => {
          for (const feature of [1, 2, 3, 4, 5, 9, 10, 11, 12, 14]) {
            const start = performance.now();
            location.hash = feature;
            while (document.getElementById("feature").dataset.feature !== String(feature)) await frame();
            await frame();
            taken.push(performance.now() - start);
          }
          done(taken);
        })();
    """
    assert min(browser.execute_async_script(script)) < 150


def test_a_phone_needs_no_sideways_scrolling(browser):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.refresh()
        until(browser, "!!document.querySelector('#plot-neurons .main-svg')")
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390
        width = "document.querySelector('#plot-neurons .main-svg').clientWidth"
        narrow = browser.execute_script(f"return {width}")
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "width": 844, "height": 390})
        until(browser, f"{width} > {narrow}")  # turned on its side
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_prints(browser):
    assert browser.execute_cdp_cmd("Page.printToPDF", {})["data"].startswith("JVBERi")  # "%PDF-" in base64
    until(browser, "document.documentElement.classList.contains('printing')", False)
    drawn = "[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('.main-svg'))"
    assert browser.execute_script(f"return {drawn}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_anyone_from_reading(browser, scheme):
    """By axe-core, which `npm install --no-save axe-core` puts where this looks for it."""
    axe = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("needs axe-core: npm install --no-save axe-core")
    setting = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", setting)
    browser.execute_script("location.hash = 20")
    until(browser, "document.getElementById('feature').dataset.feature", "20")
    browser.execute_script(axe.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => arguments[0](violations))"
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
