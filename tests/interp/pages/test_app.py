"""The faces of the equalizer: the web app through its callbacks and in a browser, the widget, the command."""

import json
import re
import socket
import threading
from html import unescape

import pytest
from browsers import chromium_session, requests, text, until
from pages import HOSTILE

import interp
from interp.pages.app import HOST, app
from interp.pages.app_guard import BODY
from interp.pages.app_server import server_of
from interp.steering.serialization import from_json
from interp.study.equalizer import equalize, steer_of
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def hostile(study):
    """The small study, whose first titles are hostile."""
    other = interp.Study(study.folder, study.record)
    titles = [*HOSTILE.values(), *study.items["title"].iloc[len(HOSTILE) :]]
    other.__dict__.update(items=study.items.assign(title=titles), recommender=study.recommender)
    return other


@pytest.fixture(scope="module")
def concept(study):
    return study.table("concepts").sort_values("correlation")["concept"].iloc[-1]


@pytest.fixture(scope="module")
def place(study, concept):
    return sorted(study.table("concepts")["concept"]).index(concept)


# ---- callbacks ----


@pytest.fixture(scope="module")
def web(hostile):
    return app(hostile)


@pytest.fixture(scope="module")
def client(web):
    client = web.server.test_client()
    client.get("/_dash-layout")
    return client


@pytest.fixture(scope="module")
def request_of(web):
    """What a browser sends to the callback that writes an output; values of ALL are lists of (index, value)."""

    def sent(one, values):
        name = f"{one['id']}.{one['property']}"
        if not one["id"].startswith("{"):
            return {**one, "value": values.get(name)}
        kind = json.loads(one["id"])["type"]
        rows = values.get(f"{kind}.{one['property']}", [])
        return [{"id": {"type": kind, "index": i}, "property": one["property"], "value": v} for i, v in rows]

    def body(output, changed, values):
        key, about = next((k, v) for k, v in web.callback_map.items() if k.startswith(output) and _has(v, changed))
        outputs = [
            dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in key.strip(".").split("...")
        ]
        return {
            "output": key,
            "outputs": outputs,
            "inputs": [sent(one, values) for one in about["inputs"]],
            "state": [sent(one, values) for one in about["state"]],
            "changedPropIds": [changed],
        }

    return body


@pytest.fixture(scope="module")
def called(request_of, client):
    """Call the callback that writes an output, as a browser does."""

    def call(output, changed, **values):
        body = request_of(output, changed, {name.replace("__", "."): value for name, value in values.items()})
        response = client.post("/_dash-update-component", json=body)
        assert response.status_code == 200, response.text
        return response.get_json()["response"]

    return call


def _has(about, changed):
    kind = json.loads(changed.rsplit(".", 1)[0])["type"] if changed.startswith("{") else changed.rsplit(".", 1)[0]
    return any(kind in one["id"] for one in about["inputs"])


def both(study, turned):
    return list(enumerate(turned.get(name, 0) for name in sorted(study.table("concepts")["concept"])))


def test_lists_and_code_are_those_of_the_logic(called, hostile, concept):
    history = hostile.items.index[10:14].tolist()
    found = equalize(hostile, history, {concept: 1.5, 3: 1.0})
    said = called(
        "..before", "history.data",
        history__data=history, concept__value=both(hostile, {concept: 1.5}), feature__value=[(3, 1.0)],
        feature__id=[(3, {"type": "feature", "index": 3})],
    )  # fmt: skip
    assert from_json(said["json"]["children"]) == steer_of(hostile, {concept: 1.5, 3: 1.0})
    assert said["python"]["children"] == found.python
    moved = int(found.after["moved"].sum())
    assert said["changed"]["children"] == f"{moved} of 10 items enter, {moved} leave"
    shown = json.dumps(said["after"]["children"])
    for row in found.after.itertuples():
        assert json.dumps(row.fate) in shown
        assert json.dumps(found.why(row.item))[1:-1] in shown
    assert said["note"]["hidden"]


@pytest.mark.parametrize(
    ("history", "value", "says"),
    [
        (["nothing"], 0, "unknown"),
        ([47], 1e999, "give a number"),
    ],
)
def test_bad_input_is_answered_in_one_line(called, study, concept, history, value, says):
    said = called("..before", "history.data", history__data=history, concept__value=both(study, {concept: value}))
    assert says in said["note"]["children"]
    assert "\n" not in said["note"]["children"]
    assert not said["note"]["hidden"]


@pytest.mark.parametrize(
    "wrong",
    [
        *({"history.data": value} for value in (7, None, {"no": "list"}, [["nothing"]], [None], [True], [10**30])),
        *({"concept.value": value} for value in ("loud", [1], {}, True, 10**400)),
        {"feature.value": [(3, 1.0)]},
        {"feature.id": [(3, {"type": "feature", "index": 3})]},
        {"feature.value": [(3, 1.0)], "feature.id": [(3, {"type": "feature", "index": 4})]},
    ],
    ids=str,
)
def test_values_that_no_field_holds_are_answered_in_one_line(request_of, client, study, caplog, wrong):
    values = {"history.data": [47], "concept.value": 0, **wrong}
    values["concept.value"] = [(place, values["concept.value"]) for place in range(len(study.table("concepts")))]
    body = request_of("..before", "history.data", values)
    response = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert (response.status_code, response.text.count("\n")) == (400, 1)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("changed", "values"),
    [
        ("user.value", {"user.value": 10**6}),
        ("user.value", {"user.value": -1}),
        ('{"index":1000000,"type":"add"}.n_clicks', {"add.n_clicks": [(10**6, 1)]}),
        ('{"index":-1,"type":"add"}.n_clicks', {"add.n_clicks": [(-1, 1)]}),
    ],
    ids=str,
)
def test_what_the_page_does_not_offer_is_answered_in_one_line(request_of, client, caplog, changed, values):
    body = request_of("..history", changed, {"history.data": [47], **values})
    response = client.post("/_dash-update-component", json=body)
    assert (response.status_code, response.text.count("\n")) == (400, 1)
    assert caplog.messages == []


def test_an_emptied_field_is_a_slider_at_zero(called, study, concept):
    said = called("..before", "history.data", history__data=[47], concept__value=both(study, {concept: None}))
    assert from_json(said["json"]["children"]).empty


def test_a_receipt_is_the_studys(called, study, concept):
    said = called("..receipt", "measure.n_clicks", concept__value=both(study, {concept: 1.0}))
    assert said["receipt"]["children"] == repr(study.receipt({concept: 1.0}, op="add", unit="p99"))


SEARCH = {"id": "search", "property": "value", "value": "film"}
FIND = {"output": "found.children", "outputs": {"id": "found", "property": "children"}, "inputs": [SEARCH]}
NO_REQUESTS = [
    *("", "{", "[]", "null", "7", "[" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000, "1" * 5000, "\ud800"),
    *({"output": output} for output in (None, 7, [], {}, "history.data", "..nothing.., ", "x" * 10_000)),
    {**FIND, "outputs": 7},
    {**FIND, "changedPropIds": 7},
    *({**FIND, "inputs": inputs} for inputs in (None, 7, {}, [], [None], [[SEARCH]], [SEARCH, SEARCH], ["search"])),
    *({**FIND, "inputs": [{**SEARCH, **wrong}]} for wrong in ({"id": "user"}, {"id": 7}, {"property": "x"})),
    {**FIND, "inputs": [{**SEARCH, "value": "x" * 600_000}]},
    {**FIND, "inputs": [{**SEARCH, "value": [[[[[[[[[[[[[[]]]]]]]]]]]]]]}]},
    {**FIND, "inputs": [{**SEARCH, "value": 7}]},
    {**FIND, "state": [SEARCH]},
    {**FIND, "outputs": {"id": "found", "property": "x"}},
    *({**FIND, "changedPropIds": [name]} for name in (7, None, [], "x", "user.value", '{"index":0}.value', "{.value")),
]


@pytest.mark.parametrize("body", NO_REQUESTS, ids=range(len(NO_REQUESTS)))
def test_what_is_no_request_is_answered_in_one_line(client, body, caplog):
    text = body if isinstance(body, str) else json.dumps(body)
    url = "/_dash-update-component"
    for _ in range(3):
        response = client.post(url, data=text.encode("utf-8", "replace"), content_type="application/json")
        assert response.status_code == 400
        assert response.text.count("\n") == 1
    assert caplog.messages == []
    response = client.post(url, json=FIND)
    assert response.status_code == 200, response.text


def test_a_body_without_end_is_not_read(address):
    """Only the head is sent: the answer comes before any of the body."""
    host, port = address.removeprefix("http://").strip("/").split(":")
    for length in (BODY + 1, 10**12):
        with socket.create_connection((host, int(port)), 10) as line:
            head = f"POST /_dash-update-component HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n"
            line.sendall(head.encode())
            assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_idle_connections_cost_no_threads(address):
    host, port = address.removeprefix("http://").strip("/").split(":")
    before = threading.active_count()
    idle = [socket.create_connection((host, int(port)), 10) for _ in range(200)]
    try:
        with socket.create_connection((host, int(port)), 10) as line:
            line.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert line.recv(100).startswith(b"HTTP/1.1 200")
        assert threading.active_count() <= before
    finally:
        for line in idle:
            line.close()


@pytest.mark.parametrize(
    ("k", "says"),
    [
        (0, "ask for at least one item"),
        (-1, "ask for at least one item"),
        ("x", "give a whole number of items, such as 10"),
    ],
)
def test_what_is_no_list_length_is_refused_at_once(study, k, says):
    for made in (study.equalizer, lambda k: app(study, k)):
        with pytest.raises(InputError, match=f"^k is {k!r}: {says}$"):
            made(k)


def test_only_this_machine_is_answered(hostile):
    response = app(hostile).server.test_client().get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    server = server_of(hostile)
    assert server.socket.getsockname()[0] == HOST == "127.0.0.1"
    server.close()


# ---- in a browser ----


@pytest.fixture(scope="module")
def address(hostile):
    server = server_of(hostile)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://{HOST}:{server.effective_port}/"
    server.close()  # its thread ends with the tests


@pytest.fixture(scope="module")
def browser(tmp_path_factory, address):
    for chromium in chromium_session(tmp_path_factory.mktemp("chromium")):
        chromium.get(address)
        until(chromium, "document.querySelectorAll('[role=slider]').length", 8, 60)
        yield chromium
        assert [entry["message"] for entry in chromium.get_log("browser")] == []
        assert all(asked.startswith(address) for asked in requests(chromium))


def shown(side):
    return f"[...document.querySelectorAll('#{side} tbody tr b')].map((cell) => cell.textContent)"


def type_in(browser, field, words):
    from selenium.webdriver.common.keys import Keys

    found = browser.find_element("id", field)
    found.send_keys(Keys.CONTROL, "a")
    found.send_keys(words, Keys.ENTER)


def test_a_moved_slider_changes_the_list(browser, study, concept, place):
    from selenium.webdriver.common.keys import Keys

    history = study.items.index[20:24].tolist()  # no hostile title in it
    type_in(browser, "ids", ", ".join(map(str, history)))
    until(browser, f"{shown('after')}.length", 10)
    browser.find_elements("css selector", "[role=slider]")[place].send_keys(Keys.END)
    moved = equalize(study, history, {concept: 2.0})
    until(browser, "document.getElementById('changed').textContent[0] !== '0'", True)
    fates = "[...document.querySelectorAll('#after tbody td:last-child')].map((cell) => cell.textContent)"
    until(browser, fates, moved.after["fate"].tolist())
    assert text(browser, "#after .moved .why") == f"because {moved.why(moved.after.query('moved')['item'].iloc[0])}"
    browser.find_element("id", "reset").click()
    until(browser, "document.getElementById('changed').textContent", "0 of 10 items enter, 0 leave")


def test_hostile_titles_are_only_text(browser, hostile):
    scripts = browser.execute_script("return document.querySelectorAll('script').length")
    type_in(browser, "ids", ", ".join(map(str, hostile.items.index[: len(HOSTILE)])))
    chips = "[...document.querySelectorAll('#history-shown li span')].map((chip) => chip.textContent)"
    until(browser, f"{chips}.length", len(HOSTILE))
    assert browser.execute_script(f"return {chips}")[0] == HOSTILE["script"]
    browser.find_element("id", "search").send_keys("script")
    until(browser, "document.querySelectorAll('#found button').length", 3)
    assert browser.execute_script("return document.querySelectorAll('script').length") == scripts
    assert browser.execute_script("return document.querySelectorAll('main img').length") == 0
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    browser.find_element("css selector", "#found button").click()
    until(browser, f"{chips}.length", len(HOSTILE) + 1)
    browser.find_element("css selector", "#history-shown li button").click()
    until(browser, f"{chips}.length", len(HOSTILE))


def test_bad_input_is_survived(browser, study):
    type_in(browser, "ids", "nonsense")
    until(browser, "document.getElementById('note').hidden", False)
    assert "no item 'nonsense'" in text(browser, "#note")
    type_in(browser, "search", "no such title")
    until(browser, "document.getElementById('found').textContent", "No title has these words.")
    type_in(browser, "ids", str(study.items.index[20]))
    until(browser, "document.getElementById('note').hidden", True)
    until(browser, f"{shown('after')}.length", 10)


def test_a_feature_is_found_by_its_name(browser, study):
    features = study.table("labels").query("labelled")
    name, said = features["label"].iloc[0], study.names[features["feature"].iloc[0]].said
    sliders = browser.execute_script("return document.querySelectorAll('[role=slider]').length")
    for _ in range(2):  # once is enough
        browser.find_element("id", "feature").click()
        options = "[...document.querySelectorAll('.dash-options-list-option')].map((one) => one.textContent)"
        until(browser, f"{options}.length > 0", True)
        browser.switch_to.active_element.send_keys(said)
        until(browser, f"{options}.every((one) => one.endsWith({json.dumps(said)}))", True)
        chosen = browser.execute_script(f"return {options}[0]")
        assert int(chosen.split()[0]) in features.loc[features["label"] == name, "feature"].tolist()
        browser.find_element("css selector", ".dash-options-list-option").click()
        until(browser, "document.querySelectorAll('[role=slider]').length", sliders + 1)
        until(browser, "document.getElementById('feature').textContent", "choose one")


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


# ---- the widget ----


@pytest.fixture
def widget(hostile):
    made = hostile.equalizer(k=5)
    note, row, code = made.children
    left, right = row.children
    user, ids, sliders, feature, buttons = left.children
    lists, receipt = right.children
    return {
        "note": note, "lists": lists, "receipt": receipt, "code": code, "user": user, "ids": ids, "sliders": sliders,
        "feature": feature.children[0], "add": feature.children[1],
        "reset": buttons.children[0], "measure": buttons.children[1],
    }  # fmt: skip


def test_the_widget_follows_its_sliders(widget, hostile, concept, place):
    users, vocabulary = hostile.users(), hostile.recommender.recommender.vocabulary
    history = vocabulary.decode(users[2]).tolist()
    assert widget["lists"].value == ""
    widget["user"].value = 2
    assert widget["lists"].value == equalize(hostile, history, {}, 5)._repr_html_()
    widget["sliders"].children[place].value = 1.5
    widget["feature"].value = 3
    widget["add"].click()
    widget["add"].click()  # once is enough
    assert len(widget["sliders"].children) == 9
    widget["sliders"].children[-1].value = -0.5
    found = equalize(hostile, history, {concept: 1.5, 3: -0.5}, 5)
    assert widget["lists"].value == found._repr_html_()
    assert widget["code"].value == found.python
    widget["reset"].click()
    assert widget["lists"].value == equalize(hostile, history, {}, 5)._repr_html_()


def test_the_widget_says_what_enters_and_leaves_and_why(widget, hostile, concept, place):
    history = hostile.items.index[20:24].tolist()
    widget["ids"].value = ", ".join(map(str, history))  # pasted
    widget["sliders"].children[place].value = 2.0
    found = equalize(hostile, history, {concept: 2.0}, 5)
    cells = [unescape(cell) for cell in re.findall("<td>(.*?)</td>", widget["lists"].value)]
    assert found.after["moved"].any()
    for first, rows in ((0, found.before), (3, found.after)):  # title, change and why, before and after
        assert cells[first::6] == rows["title"].tolist()
        assert cells[first + 1 :: 6] == rows["fate"].tolist()
        assert cells[first + 2 :: 6] == rows["item"].map(found.why).tolist()
    assert all(found.why(item) for item in found.after.loc[found.after["moved"], "item"])


def test_the_widget_makes_a_receipt(widget, hostile, concept, place):
    widget["sliders"].children[place].value = 1.0
    widget["measure"].click()  # about the test users: it needs no history
    expected = hostile.receipt({concept: 1.0}, k=5, op="add", unit="p99")
    assert widget["receipt"].value == expected._repr_html_()
    widget["sliders"].children[place].value = 0.5
    assert widget["receipt"].value == ""  # it was about other sliders


def test_the_widget_survives_bad_input(widget, hostile):
    widget["ids"].value = "nonsense"
    assert "no item 'nonsense'" in widget["note"].value
    assert widget["lists"].value == ""
    widget["ids"].value = str(hostile.items.index[20])
    assert widget["note"].value == ""
    assert widget["lists"].value.startswith("<table")
