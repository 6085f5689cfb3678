"""The dashboard in a browser: its search."""

from browsers import text, until
from dashboard_page import aligned_features, column, press, shown_features, type_search
from pages import CONCEPTS, DEAD, HOSTILE, N


def test_search_by_item_concept_and_number(browser):
    assert text(browser, "#count") == f"{N} features"
    assert len(column(browser, 1)) == 20
    type_search(browser, "amelie")  # item 5, with an accent: peak of feature 5, promoted by 3 and 4
    assert sorted(column(browser, 1)) == ["3", "4", "5"]
    assert set(column(browser, 11)) == {HOSTILE["emoji"]}
    assert text(browser, "#count") == f"3 of {N} features"
    type_search(browser, "#44")
    assert column(browser, 1) == ["44"]
    type_search(browser, "44")  # also part of a title
    assert len(column(browser, 1)) > 1
    type_search(browser, "sci-fi")
    assert set(column(browser, 3)) == {"Sci-Fi"}
    by_name = shown_features(browser)
    for same in ("sci fi", "SCIFI", " fi, sci! "):
        type_search(browser, same)
        assert shown_features(browser) == by_name
    type_search(browser, "alert(1)")  # the label of feature 8, and a title
    assert "8" in column(browser, 1)
    type_search(browser, "nothing of the kind")
    assert column(browser, 1) == []
    assert text(browser, "#page-at") == "No feature fits this search"


def test_search_says_what_the_table_shows(browser, study):
    """All words in one name or one title; a best concept also where it is not aligned; the grade of a name."""
    features = study.table("features")
    each, low = set(features["feature"]), set(features["feature"]) - aligned_features(study)
    assert {8, DEAD} <= low
    type_search(browser, "UNLABELLED")
    assert shown_features(browser) == low - {7, 8}
    assert all("unlabelled" in row for row in next(iter(results(browser).values())))
    type_search(browser, "correlated only")
    assert shown_features(browser) == each - low - {7, 8}
    type_search(browser, "tested")
    assert shown_features(browser) == {7, 8}
    assert [row.split("<")[0] for row in results(browser)["Features"]] == ["#7", "#8"]
    type_search(browser, "noir unlabelled")
    noir = features[features["concept"] == CONCEPTS[0]]
    assert shown_features(browser) == set(noir["feature"]) & low - {7, 8}
    type_search(browser, "script drama")  # the label and the best concept of 8, which is not aligned
    best = features.set_index("feature").loc[8, "concept"]
    assert (best, shown_features(browser)) == (CONCEPTS[1], {8})
    type_search(browser, "amelie noir")  # a title and a concept: not in one name
    assert shown_features(browser) == set()


def test_search_by_what_a_feature_does(browser):
    """All active features raise the first concept and lower the last beyond their intervals; no measure moves."""
    alive = set(range(N)) - {DEAD}
    type_search(browser, "raises noir")
    assert shown_features(browser) == alive
    type_search(browser, "Lowers Sci-Fi")
    assert shown_features(browser) == alive
    type_search(browser, "lower")
    assert shown_features(browser) == alive
    for nothing in ("lowers noir", "raises drama", "raises popularity"):
        type_search(browser, nothing)
        assert shown_features(browser) == set()


def results(browser):
    """The search's groups, each with the texts of its results."""
    script = """
        return [...document.querySelectorAll("#results [role=group]")].map((group) => [
            group.querySelector("p").textContent,
            [...group.querySelectorAll(".option")].map((option) => option.textContent),
        ]);
    """
    return dict(browser.execute_script(script))


def test_a_slash_goes_to_the_search_and_keys_choose_a_result(browser):
    """By the keyboard alone: "/", words, down, enter; escape closes the results, and then leaves the box."""
    from selenium.webdriver import Keys

    press(browser, "/")
    assert browser.execute_script("return document.activeElement.id") == "search"
    box = browser.find_element("id", "search")
    box.send_keys("film 2")
    marked = "document.querySelector('#results [aria-selected=true]')"
    active = "document.getElementById('search').getAttribute('aria-activedescendant')"
    until(browser, f"{marked}?.textContent", "Film 20in 20 lists")
    box.send_keys(Keys.DOWN)
    until(browser, f"{marked}.textContent", "Film 21in 21 lists")
    assert browser.execute_script(f"return {active} === {marked}.id")
    box.send_keys(Keys.ESCAPE)
    until(browser, "document.getElementById('results').hidden", True)
    assert browser.execute_script(f"return {active}") is None
    box.send_keys(Keys.UP)
    until(browser, "document.getElementById('results').hidden", False)
    box.send_keys(Keys.DOWN, Keys.ENTER)
    until(browser, "location.hash.split('&')[0]", "#item-id-21")
    until(browser, "document.activeElement.id", "item-title")
    assert text(browser, "#item-title") == "Film 21"


def test_results_are_ranked_and_grouped(browser):
    """The whole title, its beginning, words, parts of words; names by grade; what turning a feature does."""
    type_search(browser, "Film 4")
    assert list(results(browser)) == ["Items (6 of 13)"]  # ten begin so, and three have a 4 in the middle of a word
    type_search(browser, "film 41")
    assert results(browser)["Items"] == ["Film 41in 40 lists"]
    type_search(browser, "noir")
    groups = results(browser)
    assert groups["Concepts"][0].startswith("<b>Noir</b>best of ")
    features = next(rows for name, rows in groups.items() if name.startswith("Features"))
    assert features[0].startswith("#7<b>Noir</b>")  # tested, before those that only correlate
    assert all("≈ <b>Noir</b>" in row for row in features[1:])
    assert "Effects" not in groups  # which begin with their verb, in the box as in the table
    type_search(browser, "raises noir")
    assert results(browser)["Effects"] == [f"raises <b>Noir</b>{N - 1} features, most: #0"]
    type_search(browser, "lowers")
    assert [row.partition(f"{N - 1} features")[0] for row in results(browser)["Effects"]] == ["lowers Sci-Fi"]
    type_search(browser, "44")
    assert next(iter(results(browser))) == "Features"
    assert results(browser)["Features"][0].startswith("#44")
    fits = "return [arguments[0].map(([name, query]) => fitOf(name, query))]"
    pairs = [("alien 1979", "alien"), ("aliens 1986", "alien"), ("my alien", "alien"), ("the alienist", "lien")]
    assert browser.execute_script(fits, [*pairs, ("horror", "alien")])[0] == [0, 1, 2, 3, None]
    type_search(browser, "nothing of the kind")
    assert text(browser, "#results") == "Nothing fits “nothing of the kind”."
    type_search(browser, "#999")
    assert text(browser, "#results") == "Nothing fits “#999”."
    browser.execute_script("scrollTo(0, 0); onSearchKey(new KeyboardEvent('keydown', { key: 'Enter' }))")
    browser.execute_script("onSearchKey(new KeyboardEvent('keydown', { key: 'ArrowDown' }))")
    assert browser.execute_script("return [scrollY, byId('search').value]") == [0, "#999"]
