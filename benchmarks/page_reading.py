"""What a person does on the offline page until it has answered four questions, counted in headless Chromium.

The person has never seen the page, and wants to know what a feature is, what lights it, what it promotes and what it
costs. They open the start page and go to the feature by the search, by the map or by the list. Counted are clicks, and
the pixels that they must scroll; a jump of a link counts as its click. Then they look at one answer after another:
it is read when all of it is in view.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

SIZES = {"1280 × 800": (1280, 800), "390 × 844": (390, 844)}
ANSWERS = {
    "what is it": "#feature-title",
    "all in a sentence": "#feature [data-part=sentence]",
    "what lights it": "#feature [data-part=lit]",
    "what it promotes": "#feature [data-part=promoted]",
    "what it costs": "#feature [data-part=gauge]",
}
"""Where the answers are, from the top of the page down: in a sentence, and in lists with numbers."""
HEADS = (
    "window",
    "opened by",
    "clicks",
    "px until it is open",
    *(f"px: {question}" for question in ANSWERS),
    "px in all",
)
SECONDS = 20  # of patience with the page
REST = 0.3  # seconds after which the page knows what has come near
LOOK = """
    const [node] = arguments, { top, bottom } = node.getBoundingClientRect(), before = scrollY;
    const from = document.querySelector(".bar").getBoundingClientRect().bottom, to = innerHeight;
    const by = node.closest(".bar") ? 0 : top < from ? top - from : bottom > to ? Math.min(bottom - to, top - from) : 0;
    scrollBy({ top: by, behavior: "instant" });
    return Math.abs(scrollY - before);
"""
POINT = """
    const [feature] = arguments, target = document.getElementById("plot-map"), { xaxis, yaxis } = target._fullLayout;
    const points = target.calcdata.find(([{ trace }]) => trace.customdata?.includes(feature));
    const { x, y } = points[points[0].trace.customdata.indexOf(feature)];
    const { left, top } = target.getBoundingClientRect();
    return [left + xaxis._offset + xaxis.l2p(x), top + yaxis._offset + yaxis.l2p(y)].map(Math.round);
"""


@dataclass
class Reader:
    """A person at the page, and what they have done so far."""

    browser: webdriver.Chrome
    clicks: int = 0
    pixels: float = 0

    def node(self, selector: str) -> WebElement:
        """The first such element."""
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def nodes(self, selector: str) -> list[WebElement]:
        """All such elements."""
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def sees(self, selector: str) -> bool:
        """Whether the page has such an element and shows it."""
        return any(node.is_displayed() for node in self.nodes(selector))

    def wait(self, condition: str) -> None:
        """Wait for the page.

        Raises:
            TimeoutException: what was waited for did not come.
        """
        WebDriverWait(self.browser, SECONDS).until(lambda page: page.execute_script(f"return Boolean({condition})"))

    def rest(self) -> None:
        """Wait until the figures that came near are drawn."""
        time.sleep(REST)
        self.wait("![...stale].some((target) => near.has(target))")

    def look(self, selector: str) -> float:
        """Scroll until an element is in view, or its top where it is higher than the window; the pixels of it."""
        node, scrolled = self.node(selector), 0.0
        while by := self.browser.execute_script(LOOK, node):
            scrolled += by
            self.rest()  # what is drawn now may move the element
        self.pixels += scrolled
        return scrolled

    def click(self, selector: str) -> None:
        """Scroll to an element and click it."""
        self.look(selector)
        self.node(selector).click()
        self.clicks += 1
        self.rest()

    def follow(self, part: str) -> None:
        """Follow the link to a part of the page, in the bar or at the head of the page; without one, nothing."""
        links = (f".bar a[href='#{part}']", f".jump a[href='#{part}']")
        for link in list(filter(self.sees, links))[:1]:
            self.click(link)

    def by_search(self, feature: int, name: str) -> None:
        """Type a feature's name, and choose it among the results."""
        self.click("#search")
        self.node("#search").send_keys(name)
        options = self.nodes("#results .option")
        place = next(place for place, option in enumerate(options) if f"#{feature}" in option.text.split())
        self.click(f"#result-{place}")

    def by_map(self, feature: int, name: str) -> None:
        """Click a feature's point on the map."""
        self.follow("map")
        self.look("#plot-map")
        mouse = ActionBuilder(self.browser)
        mouse.pointer_action.move_to_location(*self.browser.execute_script(POINT, feature))
        mouse.perform()  # a click counts for what plotly has seen the mouse over
        self.wait(f"document.getElementById('plot-map')._hoverdata?.[0].customdata === {feature}")
        ActionChains(self.browser, duration=0).click().perform()
        self.clicks += 1
        self.rest()

    def by_list(self, feature: int, name: str) -> None:
        """Turn the pages of the table until it has the feature, and click its number."""
        self.follow("all")
        while not self.nodes(row := f"#table tbody a[href='#{feature}']"):
            self.click("#page-on")
        self.click(row)


WAYS = {"search": Reader.by_search, "map": Reader.by_map, "list": Reader.by_list}


def reading(
    browser: webdriver.Chrome, path: Path, feature: int, name: str, answers: Mapping[str, str] = ANSWERS
) -> Iterator[list[str]]:
    """The rows of the table: for each window and way, what a person does until the answers are read.

    Args:
        browser: headless Chromium.
        path: a dashboard.
        feature: the feature that the person wants to know; no other point of the map may lie on its own.
        name: what they search for.
        answers: for each question, from the top of the page down, a selector of the element that answers it.
    """
    for window, size in SIZES.items():
        with screen(browser, *size):
            for way, go in WAYS.items():
                browser.get("about:blank")
                browser.get(path.as_uri())
                reader = Reader(browser)
                reader.wait("window.Plotly && performance.getEntriesByName('first feature').length")
                go(reader, feature, name)
                reader.wait(f"state.feature === {feature}")
                opened = reader.pixels
                looks = [reader.look(selector) if reader.sees(selector) else None for selector in answers.values()]
                cells = (opened, *looks, reader.pixels)
                yield [window, way, str(reader.clicks), *("–" if cell is None else f"{cell:,.0f}" for cell in cells)]


@contextmanager
def screen(browser: webdriver.Chrome, width: int, height: int) -> Iterator[None]:
    """The page at a size, as on a phone where that is narrow."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    yield
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
