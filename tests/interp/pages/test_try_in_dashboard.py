"""The section "Try it" of a dashboard: the equalizer on the recommender that the page carries."""

import re

import pytest
from browsers import AXE, RUN, open_page, requests, text, until

from interp.pages.dashboard import write_dashboard
from interp.study.equalizer import equalize
from interp.study.equalizer_backend import EqualizerBackend

TITLES = (
    "return [...document.querySelectorAll(`.column:nth-child(${arguments[0]}) .pick`)].map((one) => one.textContent)"
)


@pytest.fixture(scope="module")
def path(study):
    return write_dashboard(study)


@pytest.fixture
def browser(chromium, path):
    chromium.get("about:blank")
    open_page(chromium, f"{path.as_uri()}#try")
    until(chromium, "document.querySelectorAll('.column li').length", 20)
    yield chromium
    assert [entry["message"] for entry in chromium.get_log("browser")] == []
    assert requests(chromium) == []


def test_the_page_makes_the_lists_that_python_makes(browser, study):
    users, concept = study.users(), sorted(study.table("concepts")["concept"])[0]
    history = study.recommender.recommender.vocabulary.decode(users[0]).tolist()
    result = equalize(study, history, {concept: 1.5})
    browser.execute_script(
        "const slider = document.querySelector('#equalizer input[type=range]'); slider.value = 1.5;"
        "slider.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    until(browser, "document.querySelectorAll('.enters').length", int(result.after["moved"].sum()))
    for column, rows in ((1, result.before), (2, result.after)):
        assert browser.execute_script(TITLES, column) == rows["title"].tolist()


def test_a_feature_is_tried_from_its_panel(browser):
    browser.execute_script("location.hash = state.order[1]")
    feature = browser.execute_script("return state.order[1]")
    until(browser, "document.getElementById('feature').dataset.feature", str(feature))
    browser.execute_script("document.getElementById('try-feature').click()")
    until(browser, "document.activeElement.type", "range")
    assert browser.execute_script("return document.activeElement.ariaLabel").endswith(f" {feature}")
    assert browser.execute_script("return document.activeElement.value") == "1"
    links = "return [...document.querySelectorAll('#equalizer .lit a')].map((one) => one.getAttribute('href'))"
    assert all(re.fullmatch(r"#(\d+|item-.+)", link) for link in browser.execute_script(links))


def test_a_window_shows_the_way_to_an_item(browser):
    browser.execute_script("document.querySelector('.column .pick').click()")
    until(browser, "document.querySelectorAll('.graph path').length > 3")
    assert "of its score" in text(browser, ".explained")


def test_the_page_explains_as_pythons_backend_does(browser, study):
    """Under a slider, with the parts of history items and of the sliders apart."""
    backend = EqualizerBackend(study)
    history = study.users()[0].tolist()
    request = {"history": history, "settings": [{"kind": "feature", "index": 0, "value": 2}], "item": 3}
    script = "const [request, done] = arguments; engine.explain(request).then(done)"
    page = browser.execute_async_script(script, request)
    python = backend.answer({"method": "explain", "args": [request]})["result"]
    for name in ("total", "explained"):
        assert page[name] == pytest.approx(python[name], abs=1e-3)
    for name, keys in (("features", ["feature"]), ("sliders", ["feature"]), ("links", ["feature", "step"])):
        parts = [{tuple(part[key] for key in keys): part["part"] for part in answer[name]} for answer in (page, python)]
        if name != "links":  # of equal parts, either may be the last of the longest
            assert parts[0].keys() == parts[1].keys()
        for key in parts[0].keys() & parts[1].keys():
            assert parts[0][key] == pytest.approx(parts[1][key], abs=1e-3)
    assert python["sliders"]
    assert python["links"]


def test_a_page_without_receipts_says_what_it_lacks(browser, study):
    n = len(study.users())
    assert f"the page has histories alone, of {min(n, 200)} of {n} users" in text(browser, "#equalizer")


@pytest.mark.skipif(not AXE.is_file(), reason="needs axe-core: npm install --no-save axe-core@4.14.1")
def test_nothing_bars_anyone_from_trying_on_a_phone(browser):
    view = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
    until(browser, "innerWidth", 390)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    violations = browser.execute_async_script(RUN.replace("axe.run(document", "axe.run('#try'"))
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:4]]) for one in violations] == []


def test_a_page_without_a_recommender_says_why(chromium, study, monkeypatch):
    monkeypatch.setattr("interp.pages.page_model.LARGEST", 10)
    page = write_dashboard(study)
    open_page(chromium, f"{page.as_uri()}?small#try")
    until(chromium, "document.getElementById('try-not').hidden", False)
    assert "There is nothing to try in this page: recommender and dictionary are" in text(chromium, "#try-not")
    assert not chromium.find_element("id", "try-feature").is_displayed()
