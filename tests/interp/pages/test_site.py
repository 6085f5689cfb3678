"""The static site: what is in its pages, and what a browser does with it below an address of a server."""

import io
import json
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urldefrag, urljoin

import pytest
from browsers import Reader, requests, text, until
from markupsafe import escape
from pages import CONCEPTS, DEAD, HOSTILE, N, handmade_study

from interp.features.grades import GRADES
from interp.pages.dashboard import write_dashboard
from interp.pages.export import export
from interp.pages.glossary import GLOSSARY
from interp.pages.report import write_report
from interp.pages.site_features import BRIGHT, DARK
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = handmade_study(tmp_path_factory.mktemp("study"))
    write_dashboard(study)
    write_report(study)
    return study


@pytest.fixture(scope="module")
def site(study, tmp_path_factory):
    (folder,) = export(study, tmp_path_factory.mktemp("out") / "below", site=True)
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Every page that the export makes, by its address in the site."""
    own = [site / "index.html", site / "404.html", *(site / "feature").iterdir()]
    return {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in own}


class Words(Reader):
    """What is read without scripts, in order."""

    def __init__(self, page):
        self.words = []
        super().__init__(page)

    def handle_data(self, data):
        super().handle_data(data)
        if not {"script", "style", "title"} & set(self.unclosed):
            self.words.append(data)


def read(page):
    return " ".join("".join(Words(page).words).split())


# ---- the files ----


def test_every_page_is_whole_and_every_link_leads_somewhere(site, pages):
    assert set(pages) == {"index.html", "404.html", *(f"feature/{feature}.html" for feature in range(N))}
    for name, page in pages.items():
        reader = Reader(page)
        assert not reader.unclosed
        assert reader.opened.count("h1") == 1
        assert "default-src 'none'" in page
        for address in reader.addresses:
            if address == "data:,":
                continue
            assert not address.startswith(("/", "http", "file"))
            path, fragment = urldefrag(urljoin(f"base/{name}", address))
            assert (site / path.removeprefix("base/")).is_file(), (name, address)
            if fragment and not path.endswith("dashboard.html") and path.removeprefix("base/") in pages:
                assert f'id="{fragment}"' in pages[path.removeprefix("base/")]


def test_what_pages_share_is_there_once(site, pages, study):
    assert (site / ".nojekyll").read_bytes() == b""
    assert (site / "dashboard.html").read_bytes() == (study.folder / "dashboard.html").read_bytes()
    assert (site / "report.html").read_bytes() == (study.folder / "report.html").read_bytes()
    for name, page in pages.items():
        if name != "404.html":
            assert [word for word in Reader(page).scripts if not word.startswith("{")] == []
            assert len(page) < 60_000


def test_a_feature_is_told_without_scripts(pages, study):
    words = read(pages["feature/20.html"])
    assert f"Feature 20 ≈ {CONCEPTS[0]} correlated only" in words
    row = study.table("features").set_index("feature").loc[20]
    assert f"{row['correlation']:.3f} AUC".split()[0] in words
    assert "1. User <i>user 1</i> , from step 5" in words.replace("</i>,", "</i> ,")
    assert "Film 20 <b>Noir</b>" not in words  # item 20 has no concepts
    assert "Film 21" in words
    assert "+0.500" in words
    assert "−0.250" in words
    assert "maximum" in words
    assert "21.000" in words
    for name in CONCEPTS:
        assert name in words
    assert 'href="19.html"' in pages["feature/20.html"]
    assert 'href="21.html"' in pages["feature/20.html"]  # next, and the neighbour that is on with it


def test_terms_names_and_heads_tell_their_meaning(pages):
    index, feature = pages["index.html"], pages["feature/7.html"]
    assert re.findall(r'<th scope="col" class="\w*">', index) == []  # none without a tip
    for tip in (GLOSSARY["density"][1], GLOSSARY["effect"][1], GRADES["tested"][1]):
        assert f'data-tip="{escape(tip)}"' in feature


def test_a_label_comes_with_its_evidence(pages):
    words = read(pages["feature/7.html"])
    assert "Feature 7 <b>Noir</b>" in words
    assert "At 80% of the steps that it predicts, the feature is above its median activation, 8.0 times" in words
    assert "it predicts 60% of all such steps. Among hard negatives its precision is 90%" in words
    assert f"Right{HOSTILE['quotes']}; Film 9" in words
    assert "No label predicts it well enough" in read(pages["feature/20.html"])


def test_items_that_change_lists_come_with_their_shares(pages):
    words = read(pages["feature/7.html"])
    assert "2 → 6 of 8 users" in words
    assert "+4" in words
    assert "Items that leave the lists" in words
    assert "Items that enter the lists" not in read(pages["feature/20.html"])  # it moves none


def test_every_feature_has_curves_with_bands(pages):
    page = pages["feature/20.html"]
    figures = json.loads(page.split('id="data">')[1].split("</script>")[0])
    band, curve = figures["plot-turned-share"]["data"]
    assert curve["x"] == pytest.approx([-0.9, 0, 0.9, 1.8])
    assert curve["y"] == [0.05, 0.1, 0.3, 0.6]
    assert band["y"] == pytest.approx([0.09, 0.14, 0.34, 0.64, 0.56, 0.26, 0.06, 0.01])
    assert figures["plot-turned-ndcg"]["layout"]["shapes"][0]["x1"] == 21
    words = read(page)
    assert f"{CONCEPTS[1]}, by 47 users; the concept was chosen on others" in words
    assert "re-ranking to that share changes it by −0.020" in words  # the sentence


def test_shades_are_shares_of_the_largest_activation(pages):
    page = pages["feature/20.html"]
    # Feature 20 reaches 21; its second history 0, 0.05, 10.5 and 0.1.
    assert '<li class="item peak dark bright" style="--a:1.00">' in page
    assert '<li class="item peak" style="--a:.50">' in page
    assert page.count('<li class="item">') == 3  # the first step of each of the three histories


def test_a_dead_feature_has_no_activations(pages):
    page = pages[f"feature/{DEAD}.html"]
    assert "never active on the test part" in read(page)
    assert 'class="plot"' not in page
    assert "Items whose scores it raises" in page


def test_the_list_has_every_feature_best_first(pages, study):
    rows = [line for line in pages["index.html"].splitlines() if line.startswith("<tr><td>")]
    features = study.table("features").sort_values("correlation", ascending=False, kind="stable")
    assert [int(row.split('href="feature/')[1].split(".")[0]) for row in rows] == features["feature"].tolist()
    assert f"<td>{features['correlation'].iloc[0]:.3f}</td>" in rows[0]


def test_a_missing_dashboard_is_said_with_the_command_that_writes_it(tmp_path):
    study = handmade_study(tmp_path / "study")
    with pytest.raises(InputError, match=r"dashboard.html is missing: run `interp dashboard .*study` first"):
        export(study, tmp_path / "out", site=True)


# ---- in a browser ----


class Quiet(SimpleHTTPRequestHandler):
    """Serves the folder above the site's, as a host of many projects does, with its 404.html for what is missing."""

    def log_message(self, *_):
        pass

    def send_error(self, code, message=None, explain=None):
        body = self.missing.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def address(site):
    handler = type("Handler", (Quiet,), {"missing": site / "404.html"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=site.parent.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/below/site/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def browser(chromium):
    yield chromium
    messages = [entry["message"] for entry in chromium.get_log("browser")]
    assert [message for message in messages if "404 (" not in message] == []


def visible(browser):
    return browser.execute_script(
        "return [...document.querySelectorAll('#table tbody tr')].filter((row) => !row.hidden)"
        ".map((row) => Number(row.cells[0].textContent))"
    )


def test_nothing_else_is_asked_for_and_figures_are_drawn(browser, address):
    browser.get(address + "feature/7.html")
    for plot in ("histogram", "bars", "turned-share", "turned-ndcg"):
        browser.execute_script("document.getElementById(arguments[0]).scrollIntoView()", f"plot-{plot}")
        until(browser, f"!!document.querySelector('#plot-{plot} .main-svg')")
    heights = "return [...document.querySelectorAll('#plot-histogram .point')].map((bar) => bar.getBBox().height)"
    drawn = [height for height in browser.execute_script(heights) if height]
    assert len(drawn) == 4  # present 1 and 7, absent 5 and 2
    assert max(drawn) / min(drawn) == pytest.approx(7, rel=0.03)  # of whole pixels
    asked = {one.removeprefix(address) for one in requests(browser)}
    assert asked == {"feature/7.html", "style.css", "site.js", "plotly.min.js"}


def test_it_opens_from_a_folder_as_well(browser, site):
    browser.get((site / "feature" / "7.html").as_uri())
    browser.execute_script("document.getElementById('plot-bars').scrollIntoView()")
    until(browser, "!!document.querySelector('#plot-bars .main-svg')")
    assert requests(browser) == []


def test_hostile_titles_are_only_text(browser, address):
    for feature in (2, 6, 8):  # which show items 0 to 9
        browser.get(f"{address}feature/{feature}.html")
        until(browser, "!!window.Plotly")
        count = "return document.querySelectorAll(arguments[0]).length"
        assert browser.execute_script(count, "script") == 3
        assert browser.execute_script(count, "main img, main i:not(.scale i), main section > b") == 0
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        if feature == 2:
            assert HOSTILE["script"] in text(browser, ".history")
            assert HOSTILE["end"] in text(browser, ".history")
            assert HOSTILE["comment"] in text(browser, ".promoted")
        if feature == 6:  # peaks at the long title
            assert len(text(browser, ".history .peak b")) < 200
    assert HOSTILE["script"] in text(browser, "h1")


def test_a_step_tells_where_it_is_and_what_came_next(browser, address):
    browser.get(address + "feature/20.html")
    until(browser, "!!document.querySelector('.peak').dataset.tip")
    tip = browser.execute_script("return document.querySelector('.peak').dataset.tip")
    assert tip == "Film 20\nstep 7, activation 21\ntook next: Film 21"
    last = browser.execute_script("return document.querySelector('.items').lastElementChild.dataset.tip")
    assert last == "Film 21\nstep 8, activation 0.2\ntook next: Film 22"


def test_shades_are_those_of_the_dashboard(browser, address):
    """One style sheet has the colours; the text on each shade is easy to read, on a light page and on a dark one."""
    image = pytest.importorskip("PIL.Image")
    for scheme, turn in (("light", DARK), ("dark", BRIGHT)):
        feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        browser.get(address + "feature/20.html")
        until(browser, "!!document.querySelector('.peak').dataset.tip")
        for share in (0.02, 0.3, turn - 0.01, turn + 0.01, 1):
            browser.execute_script("shade(document.querySelector('.peak'), arguments[0])", share)
            element = browser.find_element("css selector", ".peak")
            shot = image.open(io.BytesIO(element.screenshot_as_png)).convert("RGB")
            ink = browser.execute_script("return getComputedStyle(document.querySelector('.peak')).color")
            ink = [int(part) for part in ink.removeprefix("rgb(").removesuffix(")").split(",")]
            light, dark = sorted((luminance(shot.getpixel((shot.width - 12, shot.height - 14))), luminance(ink)))[::-1]
            assert (light + 0.05) / (dark + 0.05) >= 4.4, (scheme, share)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def luminance(rgb):
    """As WCAG 2 defines it."""
    linear = [value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_list_is_searched_and_sorted(browser, address):
    browser.get(address + "index.html")
    until(browser, "document.getElementById('tools').hidden", False)
    field = "document.getElementById('search')"
    type_ = f"{field}.value = arguments[0]; {field}.dispatchEvent(new Event('input'))"
    browser.execute_script(type_, "amelie")  # the accent does not matter: item 5 is the peak of feature 5
    assert visible(browser) == [5]
    assert text(browser, "#count") == f"1 of {N} features"
    browser.execute_script(type_, "#44")
    assert visible(browser) == [44]
    browser.execute_script(type_, "")
    click = "document.querySelectorAll('#table th button')[arguments[0]].click()"
    browser.execute_script(click, 0)
    assert visible(browser) == list(range(N))
    browser.execute_script(click, 6)  # the largest activation is the number + 1, and 0 of the dead one
    assert visible(browser) == [*range(N - 1, DEAD, -1), *range(DEAD - 1, -1, -1), DEAD]
    browser.execute_script(click, 6)
    assert visible(browser)[:3] == [DEAD, 0, 1]


def test_keys_and_clicks_lead_on(browser, address):
    browser.get(address + "feature/20.html")
    until(browser, "!!window.Plotly")
    browser.execute_script(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}))"
    )
    until(browser, "location.pathname", "/below/site/feature/21.html")
    browser.execute_script("document.querySelector('.neighbours a').click()")
    until(browser, "location.pathname", "/below/site/feature/22.html")


def test_a_missing_page_leads_home(browser, address):
    for missing in ("feature/9999.html", "nothing.html"):
        browser.get(address + missing)
        assert text(browser, "h1") == "There is no such page"
        browser.execute_script("document.getElementById('home').click()")
        until(browser, "location.pathname", "/below/site/index.html")


def test_a_phone_needs_no_sideways_scrolling(browser, address):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for page in ("index.html", "feature/7.html", "feature/6.html", "404.html"):
            browser.get(address + page)
            assert browser.execute_script("return document.documentElement.scrollWidth") == 390, page
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
