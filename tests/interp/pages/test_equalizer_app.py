"""The equalizer's server by real HTTP and in a browser, and the command."""

import json
import socket
import threading
from http.client import HTTPConnection

import pytest
from browsers import AXE, RUN, requests, text, until
from pages import HOSTILE

import interp
from interp.pages.equalizer_app import BODY, HOST, app
from interp.pages.equalizer_server import server_of
from interp.study.equalizer import equalize
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def hostile(study):
    """The small study, whose first titles are hostile."""
    other = interp.Study(study.folder, study.record)
    titles = [*HOSTILE.values(), *study.items["title"].iloc[len(HOSTILE) :]]
    other.__dict__.update(items=study.items.assign(title=titles), recommender=study.recommender)
    return other


@pytest.fixture(scope="module")
def port(hostile):
    server = server_of(hostile)
    threading.Thread(target=server.run, daemon=True).start()
    yield server.effective_port
    server.close()  # its thread ends with the tests


@pytest.fixture
def sent(port):
    """Send a request; its status, headers and body."""

    def send(method, path, body=None, headers=None):
        line = HTTPConnection(HOST, port, timeout=60)
        try:
            line.request(method, path, body, {"Content-Type": "application/json"} | (headers or {}))
            response = line.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            line.close()

    return send


def message(method, *args):
    return json.dumps({"method": method, "args": args})


# ---- HTTP ----


def test_the_page_asks_for_nothing_and_lets_only_its_own_script_run(sent):
    status, headers, page = sent("GET", "/")
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert "src=" not in page.split("<script>")[0]
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert all(policy[f"{kind}-src"].startswith("'sha256-") for kind in ("script", "style"))
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert sent("HEAD", "/")[0::2] == (200, "")


def test_a_message_is_answered_as_python_answers_it(sent, hostile):
    status, headers, body = sent("POST", "/ask", message("user", 1))
    history = json.loads(body)["result"]["history"]
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert history == hostile.users()[1].tolist()
    settings = [{"kind": "concept", "index": 2, "value": 1.5}]
    status, _, body = sent("POST", "/ask", message("run", {"history": history, "settings": settings, "boosts": None}))
    about = json.loads(sent("POST", "/ask", message("about"))[2])["result"]
    result = equalize(hostile, hostile.users().select([1]), {about["concepts"][2]["name"]: 1.5})
    rows = json.loads(body)["result"]["after"]
    assert [about["items"]["id"][row["item"]] for row in rows] == result.after["item"].tolist()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {"Host": "evil.example"}, 400),
        ("POST", "/ask", {"Host": "evil.example:80"}, 400),
        ("POST", "/ask", {"Content-Type": "text/plain"}, 415),  # what a form of another site may send
        ("POST", "/ask", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "/", {}, 405),
        ("GET", "/ask", {}, 405),
        ("OPTIONS", "/ask", {"Origin": "http://evil.example"}, 405),
        *(("GET", path, {}, 404) for path in ("/x", "/../../etc/passwd", "/%00", "/ask/", "/" + "x" * 9000)),
    ],
)
def test_other_requests_are_refused_in_one_line(sent, method, path, headers, status):
    answer = sent(method, path, message("about") if method == "POST" else None, headers)
    assert answer[0] == status
    assert answer[2].count("\n") == 1
    assert "Access-Control-Allow-Origin" not in answer[1]


@pytest.mark.parametrize(
    "body", ["", "{", "null", "7", "[" * 100_000, '{"a":' * 50_000, "1" * 5000, "\udc80", '{"method": "run"}']
)
def test_what_is_no_message_is_answered_in_one_line(sent, body):
    status, _, said = sent("POST", "/ask", body.encode("utf-8", "surrogateescape"))
    assert status == 400
    assert "\n" not in json.loads(said)["error"]


def test_a_body_without_end_is_not_read(port):
    """Only the head is sent: the answer comes before any of the body."""
    for length in (BODY + 1, 10**12):
        with socket.create_connection((HOST, port), 10) as line:
            line.sendall(f"POST /ask HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n".encode())
            assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_idle_connections_cost_no_threads(port):
    before = threading.active_count()
    idle = [socket.create_connection((HOST, port), 10) for _ in range(200)]
    try:
        with socket.create_connection((HOST, port), 10) as line:
            line.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert line.recv(100).startswith(b"HTTP/1.1 200")
        assert threading.active_count() <= before
    finally:
        for line in idle:
            line.close()


def test_only_this_machine_is_answered(hostile):
    server = server_of(hostile)
    assert server.socket.getsockname()[0] == HOST == "127.0.0.1"
    server.close()


def test_what_is_no_list_length_is_refused_at_once(study):
    with pytest.raises(InputError, match="k is 0: ask for at least one item"):
        app(study, 0)


# ---- in a browser ----


@pytest.fixture(scope="module")
def browser(chromium, port):
    chromium.get(f"http://{HOST}:{port}/")
    until(chromium, "document.querySelectorAll('.column li').length", 20, 60)
    yield chromium
    assert [entry["message"] for entry in chromium.get_log("browser")] == []
    assert {asked.removeprefix(f"http://{HOST}:{port}") for asked in requests(chromium)} == {"/", "/ask"}


def titles(column):
    return f"[...document.querySelectorAll('.column:nth-child({column}) .pick')].map((one) => one.textContent)"


def test_it_starts_with_a_user_and_a_number_that_is_typed_changes_the_list(browser, hostile):
    from selenium.webdriver.common.keys import Keys

    history = hostile.users().select([0])
    expected = equalize(hostile, history, {}).after["title"].tolist()
    assert browser.execute_script(f"return {titles(1)}") == browser.execute_script(f"return {titles(2)}") == expected
    field = browser.find_elements("css selector", ".slider input[type=number]")[2]
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("1.5", Keys.ENTER)
    name = sorted(hostile.table("concepts")["concept"])[2]
    until(browser, titles(2), equalize(hostile, history, {name: 1.5}).after["title"].tolist())
    assert browser.execute_script(f"return {titles(1)}") == expected


def test_a_receipt_is_measured_and_the_code_is_there(browser, hostile):
    browser.execute_script(
        "[...document.querySelectorAll('button')].find((one) => one.textContent.startsWith('Receipt')).click()"
    )
    until(browser, "document.querySelectorAll('.receipt tr').length > 3", True, 60)
    assert f"interp.open({str(hostile.folder)!r})" in text(browser, "pre")


def test_hostile_titles_are_only_text(browser, hostile):
    from selenium.webdriver.common.keys import Keys

    scripts = browser.execute_script("return document.querySelectorAll('script').length")
    browser.find_element("css selector", ".sources input:not([role=combobox])").send_keys(
        ", ".join(map(str, hostile.items.index[: len(HOSTILE)])), Keys.ENTER
    )
    strip = "[...document.querySelectorAll('.strip b')].map((one) => one.textContent)"
    until(browser, f"{strip}.length", len(HOSTILE))
    assert browser.execute_script(f"return {strip}")[0] == HOSTILE["script"]
    until(browser, "document.querySelectorAll('.working').length", 0)
    assert browser.execute_script("return document.querySelectorAll('script').length") == scripts
    assert browser.execute_script("return document.querySelectorAll('main img').length") == 0
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_nothing_bars_anyone_from_using_it(browser):
    if not AXE.is_file():
        pytest.skip("needs axe-core: npm install --no-save axe-core@4.14.1 at the root of the repository")
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    violations = browser.execute_async_script(RUN)
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:4]]) for one in violations] == []


# ---- the command ----


def test_the_command_says_mistakes_in_one_line(study, arguments, tmp_path, capsys):
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        for words, says in (
            ((tmp_path,), "holds no finished study"),
            ((study.folder, "--port", port, "--no-browser"), f"cannot serve on port {port}"),
            ((study.folder, "--port", 99999, "--no-browser"), "cannot serve on port 99999"),
        ):
            with pytest.raises(SystemExit) as end:
                arguments("equalizer", *words)
            assert end.value.code == 2
            said = capsys.readouterr().err
            assert says in said
            assert said.count("\n") == 1
