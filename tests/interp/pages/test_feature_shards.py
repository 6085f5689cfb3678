"""A dictionary too large for one file: the same pages from files beside the page, from the disk and from a server."""

import json
import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browsers import Reader, embedded, open_page, requests, text, until
from pages import DEAD, TWINS, N, handmade_study

import interp
from interp.pages import feature_shards
from interp.pages.dashboard import page_data, write_dashboard
from interp.pages.export import export
from interp.pages.report import write_report
from interp.study.page_files import folder_of
from recmodels.errors import InputError

SIZE = 8
FILES = -(-N // SIZE)
PANELS = """
    const done = arguments[arguments.length - 1];
    (async () => {
      const told = {};
      const waited = async (test) => { while (!test()) await new Promise((next) => setTimeout(next, 5)); };
      const tell = (panel) => {  // what is not hidden, which may be left from the feature before
        const seen = byId(panel).cloneNode(true);
        for (const node of seen.querySelectorAll("[hidden], #try-feature")) node.remove();
        const figures = [...wanted].filter(([target]) => seen.querySelector(`#${target.id}`) && !isLate(target));
        const drawn = figures.map(([target, content]) => `${target.id} ${JSON.stringify(content)}`);
        return [seen.textContent, ...drawn.sort()];
      };
      for (const feature of arguments[0]) {
        location.hash = feature;
        await waited(() => byId("feature").dataset.feature === String(feature));
        [...stale].filter(isLate).forEach(put);
        told[feature] = tell("feature");
      }
      for (const item of arguments[1]) {
        location.hash = itemAddress(item);
        await waited(() => byId("item").dataset.item === String(item));
        told[itemAddress(item)] = tell("item");
      }
      for (const words of ["amelie", "noir", "raises", "lowers pop", "film 12", "untested", "#7"])
        told[words] = [[...search(words)], findAll(words).map(({ name, found }) => [name, found])];
      done(JSON.stringify(told));
    })();
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return handmade_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def one_file(study, tmp_path_factory):
    """The page of the same study in one file."""
    page = write_dashboard(study)
    assert not folder_of(page).exists()
    return shutil.copy(page, tmp_path_factory.mktemp("one") / "dashboard.html")


@pytest.fixture(scope="module")
def page(study, one_file):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_shards, "MOST", N - 1)
        patch.setattr(feature_shards, "SIZE", SIZE)
        yield write_dashboard(study)


@pytest.fixture
def browser(chromium):
    chromium.set_script_timeout(120)
    yield chromium
    assert [entry["message"] for entry in chromium.get_log("browser")] == []


@pytest.fixture(scope="module")
def server(page):
    handler = partial(SimpleHTTPRequestHandler, directory=page.parent)
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def merged(columns, rows):
    """Columns of details with the rows of a file at their end."""
    for name, below in rows.items():
        columns[name] = columns[name] + below if isinstance(below, list) else merged(columns[name], below)
    return columns


def test_page_and_files_hold_what_one_file_holds(page, study):
    data = json.loads(embedded(page.read_text(encoding="utf-8")))
    assert data.pop("shards") == {"size": SIZE}
    assert data["histories"] == data["moves"]["lists"]["promoted"]["item"] == data["labels"]["items"]["hit"] == []
    for number in range(FILES):
        script = (folder_of(page) / f"features-{number}.js").read_text(encoding="utf-8")
        name, stamp, block = re.fullmatch(r'addBlock\("([\w-]+)", "(\w+)", "([\w+/=]+)"\);\n', script).groups()
        assert name == f"features-{number}"
        assert f'data-folder="dashboard-data" data-stamp="{stamp}"' in page.read_text(encoding="utf-8")
        merged(data, json.loads(embedded(f'<script type="text/plain" id="data">{block}</script>')))
    assert data == json.loads(json.dumps(page_data(study)))


@pytest.mark.parametrize("place", ["disk", "server"])
def test_every_panel_is_the_same_as_in_one_file(browser, one_file, page, server, place):
    open_page(browser, one_file.as_uri())
    some = [0, 7, SIZE - 1, SIZE, DEAD, *TWINS, N - 1], [0, 5, 20]
    expected = json.loads(browser.execute_async_script(PANELS, *some))
    open_page(browser, page.as_uri() if place == "disk" else f"{server}/dashboard.html")
    assert json.loads(browser.execute_async_script(PANELS, *some)) == expected
    panels = list(expected.values())[: sum(map(len, some))]  # before the searches, of which two may find the same
    assert len({json.dumps(panel) for panel in panels}) == len(panels) == sum(map(len, some))
    assert [address for address in requests(browser) if not address.startswith(server)] == []


def test_a_file_is_loaded_when_it_is_needed(browser, page):
    scripts = "[...document.querySelectorAll('script[src]')].map((script) => script.getAttribute('src')).sort()"
    open_page(browser, f"{page.as_uri()}#20")
    until(browser, "byId('feature').dataset.feature", "20")
    assert "Feature 20" in text(browser, "#feature-title")
    until(browser, scripts, ["dashboard-data/features-2.js"])
    browser.execute_script("show(1); show(42);")  # the last is shown, whichever file comes first
    until(browser, "byId('feature').dataset.feature", "42")
    browser.execute_script("location.hash = 44")  # of a file that is here: at once
    until(browser, "byId('feature').dataset.feature", "44")
    until(browser, scripts, [f"dashboard-data/features-{number}.js" for number in (0, 2, 5)])


def test_no_other_script_runs(browser, page, server):
    open_page(browser, page.as_uri())
    refused = """
        const done = arguments[arguments.length - 1], script = document.createElement("script");
        document.addEventListener("securitypolicyviolation", ({ blockedURI }) => done(blockedURI), { once: true });
        arguments[0].startsWith("text:") ? (script.textContent = arguments[0].slice(5)) : (script.src = arguments[0]);
        document.body.append(script);
    """
    for source, says in {
        "data:text/javascript,alert(1)": "data",
        f"{server}/dashboard-data/features-0.js": f"{server}/dashboard-data/features-0.js",
        "https://example.com/a.js": "https://example.com/a.js",
        "text:alert(1)": "inline",
    }.items():
        assert browser.execute_async_script(refused, source) == says
    assert "violates the following Content Security Policy" in browser.get_log("browser")[0]["message"]


def test_files_that_are_missing_or_of_another_run_are_said(chromium, page, tmp_path):
    copy = shutil.copy(page, tmp_path / "dashboard.html")
    open_page(chromium, f"{copy.as_uri()}#20")
    until(chromium, "byId('missing').hidden", False)
    says = "dashboard-data/features-2.js is not beside this page: move the page with its folder dashboard-data"
    assert text(chromium, "#missing") == says
    shutil.copytree(folder_of(page), tmp_path / "dashboard-data")
    other = tmp_path / "dashboard-data" / "features-0.js"
    other.write_text(re.sub('", "[0-9a-f]+", "', '", "0123456789abcdef", "', other.read_text()))
    chromium.execute_script("location.hash = 21")  # it is there by now
    until(chromium, "byId('feature').dataset.feature", "21")
    until(chromium, "byId('missing').hidden", True)
    chromium.execute_script("location.hash = 1")
    until(chromium, "byId('missing').hidden", False)
    assert "features-0.js belongs to another page: open this page again" in text(chromium, "#missing")
    assert text(chromium, "#feature-title").startswith("Feature 21")
    chromium.get_log("browser")


def test_the_page_alone_is_small_and_strict(page, one_file):
    assert page.stat().st_size < one_file.stat().st_size
    assert sorted(path.name for path in folder_of(page).iterdir()) == sorted(
        ["manifest.json", *(f"features-{number}.js" for number in range(FILES))]
    )
    assert "'unsafe" not in re.search("script-src ([^;]*);", page.read_text())[1]
    assert "file:" not in re.search("script-src ([^;]*);", one_file.read_text())[1]
    assert not Reader(page.read_text()).unclosed


def test_the_folder_goes_with_the_page(study, page, tmp_path, monkeypatch):
    write_report(study)
    (site,) = export(study, tmp_path / "out", site=True)
    assert (site / "dashboard-data" / "features-0.js").read_bytes() == (folder_of(page) / "features-0.js").read_bytes()
    own = tmp_path / "study"
    shutil.copytree(study.folder, own)
    monkeypatch.setattr(feature_shards, "MOST", N)
    write_dashboard(interp.open(own))
    assert not (own / "dashboard-data").exists()


def test_a_folder_of_someone_else_stays(study, tmp_path, monkeypatch):
    own = tmp_path / "study"
    shutil.copytree(study.folder, own, ignore=shutil.ignore_patterns("dashboard*"))
    (own / "dashboard-data").mkdir()
    (own / "dashboard-data" / "mine.txt").write_text("mine")
    monkeypatch.setattr(feature_shards, "MOST", N)
    write_dashboard(interp.open(own))
    monkeypatch.setattr(feature_shards, "MOST", 1)
    with pytest.raises(InputError, match="dashboard-data"):
        write_dashboard(interp.open(own))
    assert (own / "dashboard-data" / "mine.txt").read_text() == "mine"
