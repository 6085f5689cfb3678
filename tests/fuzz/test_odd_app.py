"""The equalizer's server: whatever is sent, it answers below 500 and logs no traceback."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger import COUNTS, Silent, attempt, check, inputs
from mutations import WHOLE_JSON, damaged, odd_json
from odd import JSON_LEAVES, TEXTS

from interp.pages.app import app

APP = "app"
UPDATE = "/_dash-update-component"
METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST", "X"]
PATHS = ["/", "/_dash-layout", "/_dash-dependencies", UPDATE, "/_dash-component-suites/dash/deps/x.js", "/_reload-hash"]
PATHS += [
    "/../../etc/passwd",
    "/%00",
    "/%ff",
    "//x",
    "/_dash-component-suites/../../setup.py",
    "/assets/x",
    "/" + "x" * 9_000,
]
HEADERS = {
    "Content-Type": [
        "application/json",
        "text/plain",
        "",
        "application/json; charset=utf-16",
        "multipart/form-data",
        "\xff",
    ],
    "Content-Encoding": ["gzip", "x"],
    "Cookie": ["a=b", "=", "x" * 5_000],
    "Host": ["127.0.0.1", "localhost:80", "evil.example", "", "[::1", "\xff"],
    "Accept-Encoding": ["gzip", "br", "x;q=y"],
    "Transfer-Encoding": ["chunked"],
    "If-None-Match": ["*", '"'],
    "Range": ["bytes=0-1", "bytes=-", "x"],
    "X-Forwarded-For": ["x"],
}


class Records(logging.Handler):
    """Keeps what is logged with a traceback, or as an error."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture(scope="module")
def made(tiny_study):
    return app(tiny_study)


@pytest.fixture(scope="module")
def client(made):
    made.server.config["PROPAGATE_EXCEPTIONS"] = False  # an error is answered as a server answers it
    return made.server.test_client()


@pytest.fixture
def logged():
    """All that is logged as an error, and nothing of it printed."""
    handler, root = Records(), logging.getLogger()
    before, root.handlers = root.handlers, [handler]
    yield handler.records
    root.handlers = before


@pytest.fixture(scope="module")
def bodies(made, client, tiny_study):
    """A valid request of every callback, as a browser sends it."""
    client.get("/_dash-layout")
    values = {"history.data": [3, 5, 7], "search.value": "1", "user.value": 0, "ids.value": "3 5", "feature.value": 3}
    requests = []
    for key, about in made.callback_map.items():
        parts = [part.rsplit(".", 1) for part in key.strip(".").split("...")]

        def sent(one):
            if not one["id"].startswith("{"):
                return {**one, "value": values.get(f"{one['id']}.{one['property']}", 1)}
            kind = json.loads(one["id"])["type"]
            count = len(tiny_study.concepts.names) if kind == "concept" else 1
            rows = []
            for name in ({"type": kind, "index": place} for place in range(count)):
                value = {"id": name, "value": 0.5}.get(one["property"], 1)
                rows.append({"id": name, "property": one["property"], "value": value})
            return rows

        written = [sent({"id": name, "property": prop}) for name, prop in parts]
        outputs = written if key.startswith("..") else written[0]
        for one in about["inputs"]:
            name = one["id"].replace('["ALL"]', "0")
            requests.append(
                {
                    "output": key,
                    "outputs": outputs,
                    "inputs": [sent(other) for other in about["inputs"]],
                    "state": [sent(other) for other in about["state"]],
                    "changedPropIds": [f"{name}.{one['property']}"],
                }
            )
    return requests


def answered(client, logged, **request):
    """The status of a request, which must be no failure of the server."""
    logged.clear()
    response = client.open(**request)
    status, text = response.status_code, response.get_data()
    for record in logged:
        if record.exc_info:
            raise record.exc_info[1]
        raise Silent(f"status {status}, but logged {record.getMessage()[:80]!r}")
    if status >= 500:
        raise Silent(f"status {status}: {text[:80]!r}")
    if b"Traceback (most recent" in text:
        raise Silent("the answer holds a traceback")


def test_valid_bodies_are_answered(client, bodies):
    for body in bodies:
        assert client.post(UPDATE, json=body).status_code in (200, 204), body


def test_odd_bodies(client, bodies, logged):
    @inputs(0.03)
    @given(
        st.sampled_from(bodies).flatmap(
            lambda body: (
                odd_json(body, JSON_LEAVES).map(json.dumps).map(str.encode)
                | damaged(json.dumps(body).encode())
                | st.sampled_from(WHOLE_JSON)
            )
        )
    )
    def run(body):
        def send():
            answered(client, logged, path=UPDATE, method="POST", data=body, content_type="application/json")

        attempt(APP, send, body)

    run()


def test_odd_bodies_of_odd_values(client, bodies, logged):
    """Only what the browser's fields hold is odd."""

    @st.composite
    def filled(draw):
        body = json.loads(json.dumps(draw(st.sampled_from(bodies))))
        fields = [field for part in ("inputs", "state") for entry in body[part] for field in _fields(entry)]
        for field in draw(st.lists(st.sampled_from(fields), min_size=1, max_size=2)) if fields else []:
            field["value"] = draw(JSON_LEAVES | odd_json(field["value"], JSON_LEAVES, 1))
        return json.dumps(body).encode()

    @inputs(0.02)
    @given(filled())
    def run(body):
        def send():
            answered(client, logged, path=UPDATE, method="POST", data=body, content_type="application/json")

        attempt(APP, send, body)

    run()


def _fields(entry):
    return entry if isinstance(entry, list) else [entry]


ODD_HEADERS = st.lists(
    st.sampled_from([(name, value) for name, values in HEADERS.items() for value in values]),
    max_size=3,
    unique_by=lambda h: h[0],
)


def test_odd_requests(client, bodies, logged):
    @inputs(0.02)
    @given(
        st.sampled_from(METHODS),
        st.sampled_from(PATHS) | st.text(max_size=9).map(lambda text: f"/{text}"),
        st.none() | st.sampled_from(TEXTS) | st.text(max_size=9),
        ODD_HEADERS,
        st.just(b"") | st.binary(max_size=20) | st.sampled_from(bodies).map(lambda body: json.dumps(body).encode()),
    )
    def run(method, path, query, headers, body):
        request = {"method": method, "path": path, "headers": headers, "data": body}
        if query is not None:
            request["query_string"] = query.encode("utf-8", "replace")

        try:  # what the client itself cannot send reaches no server
            client.application.test_request_context(**request)
        except Exception:
            return
        attempt(APP, lambda: answered(client, logged, **request), (method, path, query, headers, body))

    run()


@pytest.mark.skipif(not COUNTS, reason="failures are raised at once")
def test_nothing_is_uncaught():
    check(APP)
