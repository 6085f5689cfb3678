"""The equalizer in a real browser, on a backend made by hand (`equalizer_backend.js`)."""

import re

import pytest
from browsers import AXE, RUN, text, until
from equalizer_page import write_equalizer_page

from interp.study.equalizer_bundle import ASSETS

SCRIPTS = [path.read_text(encoding="utf-8") for path in ASSETS.glob("equalizer*.js")]
TITLES = (
    "return [...document.querySelectorAll(`.column:nth-child(${arguments[0]}) .pick`)].map((one) => one.textContent)"
)
BEFORE, AFTER, RERANKED = 1, 2, 3
SLIDER, FIELD = "input[type=range]", "input[type=number]"
HISTORY = "[...document.querySelectorAll('.strip b')].map((one) => one.textContent)"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_equalizer_page(tmp_path_factory.mktemp("equalizer"))


@pytest.fixture
def browser(chromium, path):
    size(chromium, 1280, 800)
    chromium.get("about:blank")
    chromium.get(path.as_uri())
    until(chromium, "!!equalizer && document.querySelectorAll('.column li').length", 8)
    yield chromium
    assert [entry["message"] for entry in chromium.get_log("browser")] == []


def size(browser, width, height):
    view = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)


def list_of(browser, column):
    return browser.execute_script(TITLES, column)


def press(browser, *keys):
    """Keys where the focus is, as a person presses them."""
    chain = pytest.importorskip("selenium.webdriver").ActionChains(browser)
    chain.send_keys(*keys).perform()


def key(name):
    return getattr(pytest.importorskip("selenium.webdriver").Keys, name)


def turn(browser, value, place=0):
    slider = "const slider = document.querySelectorAll(arguments[0])[arguments[2]]; slider.value = arguments[1];"
    script = f"{slider} slider.dispatchEvent(new Event('input', {{bubbles: true}}))"
    browser.execute_script(script, SLIDER, value, place)


def enter_number(browser, value, place=0):
    """Typed over what the field holds."""
    browser.execute_script(
        "const field = document.querySelectorAll(arguments[0])[arguments[1]]; field.focus(); field.select()",
        FIELD,
        place,
    )
    press(browser, *value)


def focused(browser):
    return browser.execute_script(
        "return document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    )


def test_no_style_of_a_page_is_meant_for_its_parts():
    """Pages style some classes wherever they are; the component gives none of those another meaning."""
    classes = {
        name for text in SCRIPTS for names in re.findall(r'className: "([^"]+)"', text) for name in names.split()
    }
    pages = [(ASSETS / f"{page}.css").read_text(encoding="utf-8") for page in ("base", "dashboard")]
    styled = {name for text in pages for name in re.findall(r"\.([a-z][\w-]*)", text)}
    assert classes & styled <= {"card", "chip", "chips", "note", "scroll", "value"}


def test_it_starts_with_the_first_user(browser):
    assert browser.execute_script(f"return {HISTORY}") == ["<script>alert(1)</script>", "Amélie (2001)"]
    assert text(browser, ".sources option:checked") == "<i>1</i> (2 items)"
    assert (
        list_of(browser, BEFORE)
        == list_of(browser, AFTER)
        == ["Alien (1979)", "Heat (1995)", "Alien 3 (1992)", "Fargo (1996)"]
    )
    markup = ".eq script, .eq i:not([aria-hidden], [aria-hidden] *)"
    assert browser.execute_script("return document.querySelectorAll(arguments[0]).length", markup) == 0


def test_a_slider_changes_the_list_with_marks_shares_and_reasons(browser):
    turn(browser, 1.2)  # + 1.2 for items 0, 3, 6, 9 of scores 1.2 - item / 10
    until(browser, "document.querySelectorAll('.enters').length", 2)
    assert list_of(browser, AFTER) == ["Heat (1995)", "Jaws (1975)", "Brazil (1985)", "Alien (1979)"]
    assert text(browser, ".column:nth-child(2) li:nth-of-type(2) .change") == "+was 5, enters the list"
    assert text(browser, ".leaves .change") == "−falls to 5, leaves the list"
    because = "because <b>Noir</b> (7) rose; it is most active at <script>alert(1)</script>"
    until(browser, "document.querySelector('.enters .because').textContent", because)  # when the slider rests
    numbers = "Change of its score, relative to the mean item: +1.20 by these features, +1.20 by all."
    assert browser.execute_script("return document.querySelector('.enters .because span').title") == numbers
    assert browser.execute_script("return document.querySelector('.enters .because a').getAttribute('href')") == "#7"
    assert text(browser, ".leaves .because") == "because others passed it"
    assert text(browser, ".summary") == "2 of 4 items enter, as many leave."
    shares = browser.execute_script("return [...document.querySelectorAll('.shares li')].map((one) => one.textContent)")
    assert shares == ["<b>Noir</b>25% → 75%", "Sci-Fi50% → 25%", "Drama & 'co'25% → 0%"]
    turn(browser, -0.3)
    until(browser, "document.querySelector('.slider input[type=number]').value", "-0.3")  # not -0.30000000000000004
    browser.execute_script(
        "[...document.querySelectorAll('.sliders button')].find((one) => one.textContent === 'All to 0').click()"
    )
    until(browser, "document.querySelectorAll('.enters, .leaves').length", 0)
    assert text(browser, ".summary").startswith("Nothing is turned")


def test_enter_applies_a_number_and_one_out_of_range_is_refused_at_once(browser):
    enter_number(browser, "1.2")
    assert list_of(browser, AFTER)[0] == "Alien (1979)"  # not applied while it is typed
    press(browser, key("ENTER"))
    until(browser, "document.querySelectorAll('.enters').length", 2)
    assert browser.execute_script("return document.querySelector('input[type=range]').value") == "1.2"
    lists = "backend.calls.filter(([name, { reasons }]) => name === 'run' && !reasons).length"  # reasons come later
    runs = browser.execute_script(f"return {lists}")
    enter_number(browser, "7")
    assert text(browser, ".sliders .refusal") == "<b>Noir</b> takes a number from −2 to 2."
    assert browser.execute_script("return document.activeElement.getAttribute('aria-invalid')") == "true"
    press(browser, key("ENTER"))
    assert browser.execute_script(f"return {lists}") == runs
    press(browser, key("TAB"))
    assert browser.execute_script("return document.querySelector('input[type=number]').value") == "1.2"  # what holds
    assert not browser.find_element("css selector", ".sliders .refusal").is_displayed()


def test_a_history_is_typed_by_keyboard_alone(browser):
    for _ in range(20):
        press(browser, key("TAB"))
        if focused(browser) == "Clear":
            break
    press(browser, key("ENTER"))
    until(browser, HISTORY, [])
    assert text(browser, ".summary").startswith("There is no history yet")
    press(browser, key("TAB"), key("TAB"))  # the test users, the titles
    press(browser, *"ALIÉN", key("ARROW_DOWN"), key("ARROW_DOWN"))
    options = browser.execute_script(
        "return [...document.querySelectorAll('.sources [role=option]')].map((one) => one.textContent)"
    )
    assert options == ["Alien (1979)", "Alien 3 (1992)", "The Alien Within"]  # those that begin so come first
    assert (
        browser.execute_script(
            "return document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).textContent"
        )
        == "Alien 3 (1992)"
    )
    press(browser, key("ENTER"))
    until(browser, HISTORY, ["Alien 3 (1992)"])
    press(browser, *"brazil", key("ENTER"))
    until(browser, HISTORY, ["Alien 3 (1992)", "Brazil (1985)"])
    until(browser, "document.querySelectorAll('.lit li').length", 2)
    press(browser, key("TAB"), key("TAB"), key("TAB"))  # ids, their button, the chosen step
    press(browser, key("ARROW_LEFT"))
    assert text(browser, ".lit p").startswith("Step 0, Alien 3 (1992), lights")
    assert "≈ Drama & 'co' 20" in text(browser, ".lit ul")
    press(browser, key("DELETE"))
    until(browser, HISTORY, ["Brazil (1985)"])
    assert "Brazil" in browser.execute_script("return document.activeElement.textContent")


def test_items_lead_to_their_pages_where_they_have_one(browser):
    links = (
        "return [...document.querySelectorAll(arguments[0])].map((one) => [one.getAttribute('href'), one.ariaLabel])"
    )
    assert browser.execute_script(links, ".column:first-child .item-page") == [
        ["#item-102", "Page of Alien (1979)"],  # Heat (1995) has no page
        ["#item-104", "Page of Alien 3 (1992)"],
        ["#item-105", "Page of Fargo (1996)"],
    ]
    assert browser.execute_script(links, ".lit p .item-page") == [["#item-101", None]]
    browser.execute_script("document.querySelector('.column .pick').click()")
    until(browser, "document.querySelectorAll('.why .graph .item-page').length > 1", True)
    browser.execute_script("document.querySelector('.why h2 .item-page').click()")
    assert browser.execute_script("return [location.hash, document.querySelector('.why').open]") == ["#item-102", False]
    browser.execute_script("history.replaceState(null, '', location.pathname)")


def test_sliders_leave_a_phone_its_lists(browser):
    """A fifth of the screen, with two sliders in view; more of it when one asks for more, or adds a feature."""
    size(browser, 390, 844)
    height = "document.querySelector('.sliders').getBoundingClientRect().height / innerHeight"
    until(browser, f"{height} <= 0.2", True)
    inside = (
        "const box = document.querySelector('.rows').getBoundingClientRect();"
        "return [...document.querySelectorAll('.slider')].map((one) => one.getBoundingClientRect())"
        ".filter((one) => one.top >= box.top - 1 && one.bottom <= box.bottom + 1).length"
    )
    assert browser.execute_script(inside) >= 2
    browser.execute_script("document.querySelector('.sliders .more').click()")
    assert browser.execute_script(f"return {height} > 0.3")
    assert browser.execute_script("return document.querySelector('.more').ariaExpanded") == "true"
    browser.execute_script("document.querySelector('.sliders .more').click()")
    assert browser.execute_script(f"return {height} <= 0.2")
    browser.execute_script("document.querySelector('.rows [role=combobox]').focus()")
    assert browser.execute_script(f"return {height} > 0.3")


def test_ids_are_pasted_and_unknown_ones_named(browser):
    browser.execute_script("document.querySelector('.field input').focus()")
    press(browser, *"['102', 999]", key("ENTER"))
    until(
        browser,
        "document.querySelector('.eq > .refusal').textContent",
        "The recommender knows no item 999: leave it out, or search by title.",
    )
    browser.execute_script("document.querySelector('.field input').value = '[102, 105]'")
    press(browser, key("ENTER"))
    until(browser, HISTORY, ["Alien (1979)", "Fargo (1996)"])
    assert text(browser, ".sources option:checked") == "own history"


def test_a_features_slider_is_found_by_name_and_added_once(browser):
    browser.execute_script("document.querySelector('.rows .combobox input').focus()")
    assert (
        browser.execute_script("return document.querySelectorAll('.rows [role=option]').length") == 4
    )  # not the dead one
    press(browser, *"sci", key("ENTER"))
    assert focused(browser) == "Sci-Fi 5"
    browser.execute_script("equalizer.addFeature(5); equalizer.addFeature(13)")
    assert browser.execute_script(
        "return [...document.querySelectorAll('input[type=range]')].map((one) => one.ariaLabel)"
    ) == ["unlabelled 13", "Sci-Fi 5", "<b>Noir</b>", "Drama & 'co', weak", "Sci-Fi"]
    press(browser, key("ARROW_LEFT"))  # on the slider of 13
    assert browser.execute_script("return document.activeElement.value") == "-0.05"
    assert browser.execute_script("return backend.calls.at(-1)[1].settings") == [
        {"kind": "feature", "index": 3, "value": -0.05}
    ]


def test_a_window_says_why_an_item_is_there(browser):
    browser.execute_script("document.querySelector('.column .pick').focus()")
    press(browser, key("ENTER"))
    until(browser, "document.querySelectorAll('.graph path').length", 3)
    assert text(browser, ".why h2") == "Why Alien (1979) is in the list without the sliders"
    assert (
        text(browser, ".explained") == "These 2 features explain 75% of its score: +1.50 of +2.00 above the mean item."
    )
    assert browser.execute_script(
        "return [...document.querySelectorAll('.graph li')].map((one) => one.textContent)"
    ) == [
        "step 0<script>alert(1)</script>+1.00",
        "step 1Amélie (2001)−0.50",
        "<b>Noir</b> 7+2.00",
        "unlabelled 13−0.50",
        "Alien (1979)+2.00",
    ]
    assert "by <b>Noir</b> 7: +1.00" in text(browser, ".why details")
    press(browser, key("ESCAPE"))
    until(browser, "document.querySelector('.why').open", False)
    assert focused(browser) == "Alien (1979)"


def test_a_window_gives_the_sliders_a_part_of_their_own(browser):
    turn(browser, 1.2)  # the handmade backend says that it is worth half
    until(browser, "document.querySelectorAll('.enters').length", 2)
    browser.execute_script("document.querySelector('.column:nth-child(2) .pick').click()")
    until(browser, "document.querySelectorAll('.graph path').length", 4)
    left = "return [...document.querySelectorAll('.graph > div:first-of-type li')].map((one) => one.textContent)"
    assert browser.execute_script(left) == [
        "step 0<script>alert(1)</script>+1.00",
        "step 1Amélie (2001)−0.50",
        "The sliders+0.60",
    ]
    assert "The sliders, by <b>Noir</b> 7: +0.60" in text(browser, ".why details")


def test_re_ranking_stands_beside_at_the_same_share(browser):
    turn(browser, 1.2)
    browser.execute_script("document.querySelector('.check input').click()")
    until(browser, "document.querySelectorAll('.column').length", 3)
    assert sorted(list_of(browser, RERANKED)) == sorted(list_of(browser, AFTER))
    assert "re-ranked 75%" in text(browser, ".shares")
    runs = browser.execute_script(
        "return backend.calls.filter(([name]) => name === 'run').map(([, {boosts}]) => boosts[0]).filter(Boolean)"
    )
    assert 0.5 < runs[-1] < 2  # items 9 and 11 are 0.8 apart, and scores have a standard deviation of 0.36


def test_a_re_ranked_list_that_is_the_one_before_has_no_moves(browser):
    """Sliders that leave the share as it is ask for no boost, whatever moves within the list."""
    script = """
        const row = { item: 0, score: 2, rank: 1, other: 2, move: null };
        const rows = [row, { item: 1, score: 1, rank: 2, other: 9, move: "leaves" }];
        const shares = { before: [0.5], after: [0.5], boosted: null };
        const result = { before: rows, after: rows, boosted: null, reasons: {}, shares };
        const request = { history: [2], settings: [{ kind: "concept", index: 0, value: 1 }], boosts: {} };
        const about = { concepts: [{ name: "Noir" }], features: [] };
        const told = ({ boosted }) => arguments[0](boosted.map(({ other, move }) => [other, move]));
        withBoosts(about, null, request, result).then(told);
    """
    boost = (ASSETS / "equalizer_boost.js").read_text(encoding="utf-8")
    assert browser.execute_async_script(boost + script) == [[1, None], [2, None]]


def test_a_receipt_reaches_the_page_as_text(browser):
    browser.execute_script(
        "[...document.querySelectorAll('button')].find((one) => one.textContent.startsWith('Receipt')).click()"
    )
    until(browser, "document.querySelector('.receipt').textContent", "Receiptshare<b> 5%")
    assert browser.execute_script("return document.querySelectorAll('.receipt script, .receipt b').length") == 0
    turn(browser, 1)
    until(browser, "document.querySelector('.receipt').textContent", "")  # of other sliders


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_lists_are_side_by_side_and_nothing_overflows(browser, width):
    size(browser, width, 844)
    turn(browser, 1.2)
    until(browser, "document.querySelectorAll('.enters').length", 2)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    tops = "[...one.querySelectorAll('li')].map((row) => row.getBoundingClientRect().top)"
    before, after = browser.execute_script(f"return [...document.querySelectorAll('.column')].map((one) => {tops})")
    assert before == after
    browser.execute_script("scrollTo(0, document.body.scrollHeight)")
    place = "document.querySelector('input[type=range]').getBoundingClientRect()"
    assert browser.execute_script(f"return {place}.top >= 0 && {place}.bottom <= innerHeight"), (
        "the sliders scroll away"
    )


@pytest.mark.skipif(not AXE.is_file(), reason="needs axe-core: npm install --no-save axe-core@4.14.1")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_nothing_bars_anyone_from_using_it(browser, scheme, width):
    setting = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", setting)
    size(browser, width, 844)
    turn(browser, 1.2)
    enter_number(browser, "9", place=1)
    browser.execute_script("document.querySelector('.check input').click()")
    until(browser, "document.querySelectorAll('.column').length", 3)
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    assert_accessible(browser)
    browser.execute_script("document.querySelector('.column .pick').click()")
    until(browser, "document.querySelectorAll('.graph path').length", 3)
    assert_accessible(browser)


def assert_accessible(browser):
    violations = browser.execute_async_script(RUN)
    assert [(one["id"], one["impact"], [node["html"][:200] for node in one["nodes"][:4]]) for one in violations] == []


def test_a_whole_title_is_found_before_longer_ones(browser):
    """As in the page's own search, which has the same rule (`fit.js`)."""
    scripts = [
        (ASSETS / f"{part}.js").read_text(encoding="utf-8") for part in ("fit", "equalizer_tools", "equalizer_search")
    ]
    titles = ["The Alien Within", "Aliens (1986)", "Inalienable", "Alien (1979)", "Alien 3 (1992)", "Heat"]
    search = f"{' '.join(scripts)}; return wordSearch(arguments[0])('alien').map((place) => arguments[0][place])"
    assert browser.execute_script(search, titles) == [
        "Alien (1979)",
        "Aliens (1986)",
        "Alien 3 (1992)",
        "The Alien Within",
        "Inalienable",
    ]


def reranked_to(browser):
    until(browser, "document.querySelectorAll('.column').length", 3)
    return text(browser, ".column:nth-child(3) small")


def test_re_ranking_matches_the_concept_that_names_a_turned_feature(browser):
    """Shares move by 25 points up and down at once, so that the largest change alone would not say which."""
    browser.execute_script("document.querySelector('.check input').click()")
    browser.execute_script("equalizer.addFeature(5, 1)")
    assert reranked_to(browser) == "to the same share of Sci-Fi, without the sliders"
    browser.execute_script("equalizer.addFeature(20, -1)")
    until(browser, "document.querySelector('.column:nth-child(3) small').textContent.includes(' and ')")
    assert reranked_to(browser) == "to the same share of Sci-Fi and Drama & 'co', without the sliders"


def test_items_that_the_model_never_reads_are_said_to_be(browser):
    browser.execute_script("document.querySelector('.field input').value = '[102, 105, 104, 111, 103]'")
    browser.execute_script("document.querySelector('.field button').click()")
    lights = "[...document.querySelectorAll('.strip .strongest')].map((one) => one.textContent)"
    until(browser, f"{lights}.every(Boolean) && {lights}.length", 5)
    assert browser.execute_script(f"return {lights}.map((one) => one === 'not read')") == [True] * 2 + [False] * 3
    browser.execute_script("document.querySelector('.strip .step').click()")
    assert text(browser, ".lit") == "Step 0, Alien (1979), is not read: the model sees the last 3 items."


def test_reasons_name_several_features_with_their_grades(browser):
    reasons = """
        const about = { items: { title: ["Heat"] }, features: backend.about().features };
        const part = (feature) => ({ feature, change: 1, items: [0] });
        const reason = (...features) => ({ total: 1, features: features.map(part) });
        const said = (features, move) => {
          const node = element("p", {}, ...reasonParts(about, {}, reason(...features), { turned: 1, move }));
          return node.textContent;
        };
        return [said([1], "enters"), said([0, 1, 3], "enters"), said([0, 3], "leaves")];
    """
    scripts = [(ASSETS / f"equalizer_{part}.js").read_text(encoding="utf-8") for part in ("tools", "why")]
    assert browser.execute_script(f"{' '.join(scripts)}; {reasons}") == [
        "because ≈ Drama & 'co' (20) rose; it is most active at Heat",
        "because <b>Noir</b> (7), ≈ Drama & 'co' (20) and unlabelled (13) rose; the first is most active at Heat",
        "because <b>Noir</b> (7) and unlabelled (13) rose",
    ]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_feature_to_try_starts_turned_up_beside_its_lists(browser, width):
    size(browser, width, 844)
    browser.execute_script("equalizer.addFeature(7, 1)")
    until(browser, "document.querySelectorAll('.enters').length > 0")
    assert browser.execute_script("return backend.calls.at(-1)[1].settings") == [
        {"kind": "feature", "index": 0, "value": 1}
    ]
    assert focused(browser) == "<b>Noir</b> 7"
    box = "const { top } = document.querySelector(arguments[0]).getBoundingClientRect();"
    seen = f"{box} return top >= 0 && top < innerHeight - 30"
    assert browser.execute_script(seen, SLIDER)
    assert browser.execute_script(seen, ".column li"), "a list is seen beside the slider"
    browser.execute_script("equalizer.addFeature(7, 1)")  # again: it stays as a person left it
    assert browser.execute_script("return document.querySelector('input[type=range]').value") == "1"
