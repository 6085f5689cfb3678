"""The dashboard in a browser: the table and the map of all features."""

import time

from browsers import text, until
from dashboard_page import aligned_features, column, open_feature, press, scroll_to, shown_features
from pages import CLUSTER, CONCEPTS, DEAD, HOSTILE, TWINS, N


def test_the_map_names_clusters_and_shows_families_as_one(browser, study):
    scroll_to(browser, "plot-map", "center")
    until(browser, "!!document.querySelector('#plot-map .main-svg')")
    names = "document.getElementById('plot-map').layout.annotations.map((one) => one.text)"
    assert browser.execute_script(f"return {names}") == [f"<b>Sci-Fi</b> {CLUSTER} of {CLUSTER}"]
    points = "document.getElementById('plot-map').data.flatMap((trace) => trace.customdata)"
    shown = set(browser.execute_script(f"return {points}"))
    (hidden,) = set(TWINS) - shown
    (head,) = set(TWINS) & shown
    hover = browser.execute_script("return pointText(arguments[0])", head)
    assert f"near-duplicates: {hidden} " in hover
    browser.execute_script("chooseDrawn({range: 1, points: [{customdata: arguments[0]}]})", head)
    assert shown_features(browser) == set(TWINS)
    browser.execute_script("choose(null)")
    open_feature(browser, head)
    assert text(browser, "#feature [data-part=family]").startswith(f"Near-duplicates: #{hidden} ")
    open_feature(browser, 20)
    assert not browser.find_element("css selector", "#feature [data-part=family]").is_displayed()
    axis = "document.getElementById('plot-map').layout.xaxis.range"
    whole = browser.execute_script(f"return {axis}")
    browser.execute_script("document.getElementById('map-closer').click()")
    until(browser, f"{axis}[1].toFixed(4)", f"{whole[1] / 1.5:.4f}")
    browser.execute_script("document.getElementById('map-whole').click()")
    until(browser, axis, whole)


def test_every_column_sorts_both_ways(browser):
    named = "return state.order.filter((f) => features.grade[f].startsWith('tested')).map(nameOf)"
    for place in range(1, 12):
        header = f"#table th:nth-child({place})"
        found = []
        for _ in range(2):
            browser.execute_script("document.querySelector(arguments[0]).click()", f"{header} button")
            order = browser.execute_script("return document.querySelector(arguments[0]).ariaSort", header)
            shown = column(browser, place)
            if place == 2:  # names by their grades; those without one come last either way
                ends = shown[:2] if order == "ascending" else browser.execute_script(named)
                assert set(ends) == {CONCEPTS[0], HOSTILE["script"]}
            elif place not in (3, 11):
                numbers = [value.removesuffix(" points").rstrip("%").replace("−", "-") for value in shown]
                values = [float(value) for value in numbers if value != "–"]
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


def test_every_head_of_the_table_has_its_meaning(browser):
    tips = "return [...document.querySelectorAll('#table th button')].map((head) => head.dataset.tip?.length ?? 0)"
    assert min(browser.execute_script(tips)) > 20
    words = browser.execute_script("return [...document.querySelectorAll('#words dt')].map((word) => word.textContent)")
    assert len(words) >= 28
    assert "p_top100" in words


def test_filters(browser, study):
    features = study.table("features")
    aligned = features[features["feature"].isin(aligned_features(study))]
    choose = (
        "const select = document.getElementById('%s'); select.value = '%s'; select.dispatchEvent(new Event('input'))"
    )
    browser.execute_script(choose % ("kind", "correlated"))
    assert shown_features(browser) == set(aligned["feature"]) - {7, 8}
    options = browser.execute_script("return [...document.querySelectorAll('#concept option')].map((one) => one.text)")
    assert options == ["any", *sorted(CONCEPTS)]
    place = browser.execute_script("return concepts.indexOf('Sci-Fi')")
    browser.execute_script(choose % ("concept", place))
    assert shown_features(browser) == set(aligned.loc[aligned["concept"] == "Sci-Fi", "feature"]) - {7, 8}
    browser.execute_script(choose % ("kind", ""))
    place = browser.execute_script("return concepts.indexOf(arguments[0])", CONCEPTS[1])
    browser.execute_script(choose % ("concept", place))
    assert shown_features(browser) == set(features.loc[features["concept"] == CONCEPTS[1], "feature"])
    assert 8 in shown_features(browser)  # its best concept, although it is not aligned
    browser.execute_script(choose % ("concept", ""))
    browser.execute_script(choose % ("kind", "dead"))
    assert shown_features(browser) == {DEAD}
    browser.execute_script(choose % ("kind", "tested"))
    assert shown_features(browser) == {7, 8}
    browser.execute_script(choose % ("kind", "unlabelled"))
    assert shown_features(browser) == set(features["feature"]) - set(aligned["feature"]) - {DEAD, 7, 8}


def test_the_map_opens_what_is_clicked_and_keeps_what_is_drawn_around(browser, study):
    """With the mouse itself: a box around the right half, then a click on a point."""
    from selenium.webdriver import ActionChains

    browser.execute_script("document.getElementById('map-drag').value = 'select'; drawMap()")
    scroll_to(browser, "plot-map", "center")
    until(browser, "!!document.querySelector('#plot-map .main-svg')")
    until(browser, "document.getElementById('plot-map').layout.dragmode", "select")
    area = browser.find_element("css selector", "#plot-map .nsewdrag")
    width, height = area.size["width"], area.size["height"]
    # Below the legend, which may lie on the upper edge.
    mouse = ActionChains(browser, duration=0).move_to_element_with_offset(area, 6, -height // 2 + 40)
    mouse.click_and_hold().move_by_offset(width // 4, height // 2).move_by_offset(width // 4 - 3, height // 2 - 43)
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
    until(browser, "location.hash.split('&')[0]", "#44")


def test_every_colour_of_the_map_shows_every_feature_by_name(browser):
    scroll_to(browser, "plot-map", "center")
    for colour in ("correlation", "density", "concept", "grade"):
        script = "const colour = document.getElementById('map-colour'); colour.value = arguments[0]; "
        browser.execute_script(script + "colour.dispatchEvent(new Event('input'))", colour)
        until(browser, "document.getElementById('plot-map').data?.flatMap((trace) => trace.customdata).length", N - 1)
        texts = "document.getElementById('plot-map').data.flatMap((trace) => trace.text)"
        assert len({found.split("<br>")[0] for found in browser.execute_script(f"return {texts}")}) == N - 1
    named = browser.execute_script(f"return {texts}.find((one) => one.includes('Feature 7<'))")
    assert named.startswith("<b>Feature 7</b> · &lt;b&gt;Noir&lt;/b&gt;<br>")  # a hostile label
    assert "with &lt;b&gt;Noir&lt;/b&gt; 0.990" in named
    assert any(
        "Feature 20<" in one and one.endswith("<br>Film 20") for one in browser.execute_script(f"return {texts}")
    )
    assert "<script" not in "".join(browser.execute_script(f"return {texts}"))
