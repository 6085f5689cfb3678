"""What the tests of pages share: a reader of HTML, and a headless browser."""

import base64
import json
import re
import shutil
import time
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RUN = """
    const [done] = arguments, options = {resultTypes: ["violations"]};
    axe.run(document, options).then(({violations}) => done(violations));
"""


class Reader(HTMLParser):
    """Tags that were opened and left open, addresses, and the text of scripts."""

    VOID = frozenset({"meta", "link", "input", "br", "img"})

    def __init__(self, text):
        super().__init__()
        self.opened, self.unclosed, self.addresses, self.scripts, self.title = [], [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.opened.append(tag)
        if tag not in self.VOID:
            self.unclosed.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "data")]

    def handle_endtag(self, tag):
        assert self.unclosed.pop() == tag

    def handle_data(self, data):
        if self.unclosed and self.unclosed[-1] == "script":
            self.scripts.append(data)
        if self.unclosed and self.unclosed[-1] == "title":
            self.title += data


def packed_block(page, name="data"):
    """A block of a page as it stands there."""
    return re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', page, re.S)[1]


def embedded(page, name="data"):
    """The text of a packed block."""
    return zlib.decompress(base64.b64decode(packed_block(page, name))).decode()


FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1280,900 --force-prefers-reduced-motion"
)


def chromium_session(folder) -> Iterator:
    """A headless browser whose profile is in a folder; what is left of a fixture is `yield from` this."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="the browser tests need selenium")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("the browser tests need chromium: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS.split(), f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    browser.get("about:blank")
    for log in ("browser", "performance"):
        browser.get_log(log)  # forgets the browser's own start page
    yield browser
    browser.quit()


def open_page(browser, address):
    """Open an offline page and wait for its scripts, which come after what they read."""
    browser.get(address)
    until(
        browser, "document.getElementById('plotly') === null"
    )  # the block that is run last, empty where none is needed


def until(browser, expression, expected=True, seconds=20):
    """Wait for an expression of JavaScript to have a value."""
    end = time.monotonic() + seconds
    while (found := browser.execute_script(f"return {expression}")) != expected:
        assert time.monotonic() < end, f"{expression} stayed {found!r}, not {expected!r}"
        time.sleep(0.02)


def text(browser, selector):
    return browser.execute_script("return document.querySelector(arguments[0]).textContent", selector)


def requests(browser):
    """Addresses that were asked for since the last call, but for the page itself."""
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in asked if one["method"] == "Network.requestWillBeSent"]
    return [address for address in asked if not address.startswith(("file:", "data:", "about:"))]
