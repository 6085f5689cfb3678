"""The dashboard in a browser: what addresses lead to, pages of items among them."""

import base64
import re

from browsers import open_page, text, until
from dashboard_page import open_feature, type_search, unfold
from pages import CONCEPTS, DEAD, N


def test_an_items_page(browser):
    """Item 20: 21 steps, in 20 of 40 lists, lit by 20 and 21, raised by 19, lowered by 18, near 21 and 22."""
    browser.execute_script("location.hash = 'item-id-20'")
    until(browser, "document.getElementById('item').dataset.item", "20")
    assert text(browser, "#item-title") == "Film 20"
    assert text(browser, "#item-sentence") == (
        "In the lists of 20 of the 40 test users who can get it, at place 2.5 on average. Of 50 items, 29 are in more "
        "lists, and 0 are more popular (it has 1 training interaction)."
    )
    assert "at its 21 steps" in text(browser, "#item-steps")
    rows = "return [...document.querySelectorAll(arguments[0])].map((row) => row.textContent)"
    lit = browser.execute_script(rows, "#item-lit li")
    assert [row.split(" ")[0] for row in lit] == ["0.75#20", "0.50#21"]
    assert browser.execute_script(rows, "#item-promoted li")[0].startswith("+0.30#19")
    assert browser.execute_script(rows, "#item-suppressed li")[0].startswith("−0.20#18")
    assert browser.execute_script(rows, "#item-near li") == ["0.90Film 21", "0.50Film 22"]
    assert not browser.find_element("id", "feature").is_displayed()
    browser.execute_script("document.querySelector('#item-near a').click()")
    until(browser, "document.getElementById('item').dataset.item", "21")
    browser.execute_script("document.querySelector('#item-lit a').click()")
    until(browser, "document.getElementById('feature').dataset.feature", "21")
    assert not browser.find_element("id", "item").is_displayed()
    browser.execute_script("history.back()")
    until(browser, "document.getElementById('item').hidden", False)
    browser.execute_script("location.hash = 'item-id-4'")  # moved in lists by feature 7
    until(browser, "document.getElementById('item').dataset.item", "4")
    browser.execute_script("items.promoted.feature[4] = [7]; showItem(4)")
    assert "turned down → up: in 2 → 6 of 8 lists" in text(browser, "#item-promoted li")
    browser.execute_script("items.promoted.feature[4] = [3]; location.hash = 'item-id-7'")  # has no title
    until(browser, "document.getElementById('item').dataset.item", "7")
    assert text(browser, "#item-title") == "item id-7"
    browser.execute_script("location.hash = 'item-id-49'")  # without a step
    until(browser, "document.getElementById('item').dataset.item", "49")
    assert text(browser, "#item-steps") == "no step of these users has it"
    browser.execute_script("location.hash = 'item-id-99'")
    until(browser, "document.getElementById('missing').hidden", False)
    assert text(browser, "#missing") == "There is no page of item id-99: search for its title"


def test_an_items_address_is_its_id_whatever_is_in_it(browser):
    rename = "const id = '50% #1 & a/b'; itemById.set(id, 20); items.ids[20] = id; location.hash = itemAddress(20)"
    browser.execute_script(rename)
    until(browser, "document.getElementById('item').dataset.item", "20")
    assert browser.execute_script("return mainPart()") == "#item-50%25%20%231%20%26%20a%2Fb"
    assert text(browser, "#item-self") == "#item-50% #1 & a/b"
    browser.execute_script("itemById.delete(items.ids[20]); items.ids[20] = 'id-20'")


def test_an_address_with_a_broken_escape_opens_the_page_and_says_so(browser, path):
    for address in ("%E0%A4%A", "item-%E0%A4%A"):
        browser.get("about:blank")
        open_page(browser, f"{path.as_uri()}#{address}")
        until(browser, "document.getElementById('missing').hidden", False)
        assert "%E0%A4%A" in text(browser, "#missing")
        assert browser.execute_script("return document.querySelectorAll('.warning:not([hidden])').length") == 0


def test_titles_everywhere_lead_to_their_pages(browser):
    open_feature(browser, 20)
    unfold(browser)
    for part, item in (
        ("#feature [data-part=lit]", 20),
        ("#feature [data-part=promoted]", 21),
        ("#feature [data-part=suppressed]", 21),
        ("#promoted", 21),
        ("#histories .peak", 20),
    ):
        link = f"document.querySelector('{part} a.to-item')"
        assert browser.execute_script(f"return {link}.getAttribute('href')") == f"#item-id-{item}", part
    open_feature(browser, 7)
    link = "return document.querySelector('#label-items a').getAttribute('href')"
    assert browser.execute_script(link) == "#item-id-2"


def test_the_state_is_in_the_address_and_survives_reload_and_back(browser):
    open_feature(browser, 20)
    browser.execute_script("sortBy('density')")
    type_search(browser, "noir")
    colour = "const select = document.getElementById('map-colour'); select.value = 'density';"
    browser.execute_script(colour + "select.dispatchEvent(new Event('input'))")
    until(browser, "location.hash", "#20&search=noir&sort=-density&map=density")
    state = "[state.sort, state.ascending, document.getElementById('search').value, "
    state += "document.getElementById('map-colour').value, state.found.size]"
    before = browser.execute_script(f"return {state}")
    shown = "document.getElementById('feature').dataset.feature"
    browser.execute_script("location.reload()")
    until(browser, shown, "20")
    until(browser, state, before)
    browser.execute_script("document.querySelector('#together a').click()")  # a link names a feature only
    until(browser, "location.hash", "#21&search=noir&sort=-density&map=density")
    browser.execute_script("sortBy('density')")
    type_search(browser, "")
    until(browser, "location.hash", "#21&sort=density&map=density")
    browser.execute_script("history.back()")
    until(browser, shown, "20")
    until(browser, state, before)
    browser.execute_script("history.forward()")
    until(browser, shown, "21")
    until(browser, "location.hash", "#21&sort=density&map=density")
    assert browser.execute_script(f"return {state}")[:3] == ["density", True, ""]


def test_a_link_to_a_feature_prints_as_one_page(browser):
    """All else is left out; without a feature in the address the whole page is printed."""
    pages = {}
    for part in ("", "7"):
        browser.execute_script("location.hash = arguments[0]", part)
        paper = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
        pages[part] = max(int(count) for count in re.findall(rb"/Count (\d+)", paper))
    assert pages["7"] == 1 < pages[""]


def test_a_link_to_no_feature_says_so(browser, path):
    """When the page is opened by it and when it is followed; links to parts of the page are links."""
    shown = "document.getElementById('feature').dataset.feature"
    note = "document.getElementById('missing')"
    place = f"{note}.getBoundingClientRect()"
    browser.get("about:blank")
    open_page(browser, f"{path.as_uri()}#99999")
    assert text(browser, "#missing") == f"There is no feature 99999: this dictionary has 0 to {N - 1}"
    until(browser, f"!{note}.hidden && {place}.top > 0 && {place}.bottom < innerHeight")
    assert browser.execute_script(f"return {shown}") == "7"
    open_feature(browser, 20)
    until(browser, f"{note}.hidden")
    for name in ("41abc", "-1", str(N)):
        browser.execute_script("location.hash = arguments[0]", name)
        until(browser, f"{note}.textContent", f"There is no feature {name}: this dictionary has 0 to {N - 1}")
        until(browser, f"{note}.hidden", False)
        assert browser.execute_script(f"return {shown}") == "20"
    for part in ("overview", "all", "about", "feature", ""):
        browser.execute_script("location.hash = arguments[0]", part)
        until(browser, f"{note}.hidden")


def test_the_title_names_the_feature(browser):
    open_feature(browser, 7)
    assert browser.title == f"#7 {CONCEPTS[0]} · GPTRec on <tiny & odd>: features of a recommender"
    open_feature(browser, DEAD)
    assert browser.title == f"#{DEAD} unlabelled · GPTRec on <tiny & odd>: features of a recommender"


def test_deep_links_and_back(browser, path):
    browser.get("about:blank")
    open_page(browser, f"{path.as_uri()}#42")
    assert text(browser, "#feature-title").startswith("Feature 42")
    browser.execute_script("document.querySelector('#top-features a').click()")
    until(browser, "location.hash", "#7")
    until(browser, "document.getElementById('feature').dataset.feature", "7")
    browser.back()
    until(browser, "document.getElementById('feature').dataset.feature", "42")
    browser.execute_script("location.hash = '#999'")  # no such feature: the shown one stays
    until(browser, "location.hash", "#999")
    assert text(browser, "#feature-title").startswith("Feature 42")


def test_a_panel_stays_in_view_while_parts_above_it_grow(browser):
    """As Try it does when it is first near; whoever acts then moves the page freely."""
    top = "Math.abs(document.getElementById('feature').getBoundingClientRect().top) < innerHeight / 4"
    grow = "document.getElementById('overview').style.paddingTop = arguments[0]"
    open_feature(browser, 20)
    try:
        browser.execute_script(grow, "900px")
        until(browser, top)
        browser.execute_script(
            "document.body.dispatchEvent(new WheelEvent('wheel', { bubbles: true })); scrollTo(0, 0)"
        )
        browser.execute_script(grow, "500px")
        browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        assert browser.execute_script("return scrollY") == 0
    finally:
        browser.execute_script(grow, "")
