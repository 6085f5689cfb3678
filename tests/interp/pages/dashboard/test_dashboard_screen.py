"""The dashboard in a browser: as it opens, on a phone, on a dark screen and on paper."""

from browsers import requests, text, until
from dashboard_page import open_feature, scroll_to, unfold
from pages import HOSTILE


def test_opens_offline_on_the_best_aligned_feature(browser):
    assert "Feature 7 <b>Noir</b>" in text(browser, "#feature-title")
    unfold(browser)
    for plot in ("neurons", "heatmap", "densities", "shares", "histogram", "bars", "turned-share", "turned-ndcg"):
        scroll_to(browser, f"plot-{plot}")
        until(browser, f"!!document.querySelector('#plot-{plot} .main-svg')")
    assert requests(browser) == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_hostile_titles_are_only_text(browser):
    for feature in range(12):
        browser.execute_script("location.hash = arguments[0]", feature)
        until(browser, "document.getElementById('feature').dataset.feature", str(feature))
    count = "return document.querySelectorAll(arguments[0]).length"
    assert browser.execute_script(count, "script") == 5
    assert browser.execute_script(count, "main img, main i:not(.scale i), main section > b") == 0
    open_feature(browser, 0)
    assert HOSTILE["script"] in text(browser, "#histories")
    assert HOSTILE["end"] in text(browser, "#promoted")
    assert "<i>user 1</i>" in text(browser, "#histories")
    open_feature(browser, 6)  # peaks at the long title
    assert len(text(browser, "#histories .peak b")) < 200
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_the_most_popular_items_stand_beside_the_recommender(browser):
    facts = text(browser, "#facts")
    assert "0.120 ± 0.020" in facts
    assert "0.050 ± 0.010" in facts
    assert "0.110, change −0.010 [−0.030, +0.012]" in facts
    assert not browser.find_element("id", "warning").is_displayed()
    browser.execute_script("warn('It is no better.')")
    assert browser.find_element("id", "warning").is_displayed()
    assert text(browser, "#warning") == "It is no better."
    browser.execute_script("warn('')")


def test_figures_have_a_text_alternative(browser):
    scroll_to(browser, "plot-densities")
    until(browser, "document.getElementById('plot-densities').getAttribute('role')", "img")
    label = browser.execute_script("return document.getElementById('plot-densities').ariaLabel")
    assert label.startswith("How often are features active?")
    assert " values, from " in label


def test_the_strongest_shade_stands_out_on_a_dark_page_too(browser):
    script = """
        const probe = document.createElement("li");
        probe.className = "item";
        document.body.append(probe);
        const seen = arguments[0].map((share) => {
            shade(probe, share);
            const { color, backgroundImage } = getComputedStyle(probe);
            return [color, backgroundImage];
        });
        probe.remove();
        return seen;
    """
    for scheme, inks, ramp in (
        ("light", ["0, 0, 0", "0, 0, 0", "255, 255, 255"], "244, 236, 250"),
        ("dark", ["255, 255, 255", "0, 0, 0", "0, 0, 0"], "43, 26, 58"),
    ):
        feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        seen = browser.execute_script(script, [0.1, 0.6, 0.95])
        assert [ink.removeprefix("rgb(").rstrip(")") for ink, _ in seen] == inks
        assert all(f"rgb({ramp})" in image.partition("%")[0] for _, image in seen)  # the faintest colour of the ramp
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_phone_needs_no_sideways_scrolling(browser):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.refresh()
        until(browser, "!!window.Plotly")
        scroll_to(browser, "plot-neurons")
        until(browser, "!!document.querySelector('#plot-neurons .main-svg')")
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390
        width = "document.querySelector('#plot-neurons .main-svg').clientWidth"
        narrow = browser.execute_script(f"return {width}")
        unfold(browser, "concepts")
        scroll_to(browser, "plot-bars")
        until(browser, "!!document.querySelector('#plot-bars .main-svg')")
        pan = "const pan = document.getElementById('plot-bars').parentElement; return pan.scrollWidth - pan.clientWidth"
        assert browser.execute_script(pan) == 0  # both halves of it
        scroll_to(browser, "plot-neurons")
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "width": 844, "height": 390})
        until(browser, f"{width} > {narrow}")  # turned on its side
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_prints(browser):
    assert browser.execute_cdp_cmd("Page.printToPDF", {})["data"].startswith("JVBERi")  # "%PDF-" in base64
    until(browser, "document.documentElement.classList.contains('printing')", False)
    plots = "[...document.querySelectorAll('.plot')].filter((plot) => plot.checkVisibility())"
    assert browser.execute_script(f"return {plots}.every((plot) => plot.querySelector('.main-svg'))")
    assert browser.execute_script("return document.querySelectorAll('#histories .history').length") == 3


def test_paper_has_the_whole_table_and_its_colours(browser):
    """Neither a box that scrolls, which would be cut, nor colours that need background graphics to be on."""
    open_feature(browser, 20)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        browser.execute_script("setPrinting(true)")
        box = "getComputedStyle(document.querySelector('#all .scroll'))"
        assert browser.execute_script(f"return [{box}.overflowX, {box}.contentVisibility]") == ["visible", "visible"]
        edges = "[...document.querySelectorAll('#table :is(th, td)')].map((cell) => cell.getBoundingClientRect().right)"
        paper = browser.execute_script("return document.body.getBoundingClientRect().right")
        assert browser.execute_script(f"return Math.max(...{edges})") <= paper == 720
        style = "return getComputedStyle(document.querySelector(arguments[0]), arguments[1]).printColorAdjust"
        for selector, part in (("#present", "::before"), ("#absent", "::before"), (".scale i", None), (".item", None)):
            assert browser.execute_script(style, selector, part) == "exact"
    finally:
        browser.execute_script("setPrinting(false)")
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
