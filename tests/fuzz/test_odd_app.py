"""The equalizer's server: whatever is sent, it answers below 500, and logs nothing as an error."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger import COUNTS, Silent, attempt, check, inputs
from mutations import WHOLE_JSON, damaged, odd_json
from odd import JSON_LEAVES, TEXTS
from werkzeug.test import Client, EnvironBuilder

from interp.pages.equalizer_app import app

APP = "app"
METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST", "X"]
PATHS = ["/", "/ask", "/ask/", "/../../etc/passwd", "/%00", "/%ff", "//x", "/assets/x", "/" + "x" * 9_000]
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
SETTINGS = [{"kind": "concept", "index": 0, "value": 1.5}, {"kind": "feature", "index": 1, "value": -0.5}]
BODIES = [
    {"method": "about", "args": []},
    {"method": "user", "args": [0]},
    {"method": "run", "args": [{"history": [3, 5, 7], "settings": SETTINGS, "boosts": {"0": 0.5}}]},
    {"method": "lights", "args": [{"history": [3, 5, 7]}]},
    {"method": "explain", "args": [{"history": [3, 5, 7], "settings": SETTINGS, "item": 1}]},
    {"method": "measure", "args": [{"settings": SETTINGS[:1]}]},
]


class Records(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture(scope="module")
def client(tiny_study):
    return Client(app(tiny_study))


@pytest.fixture
def logged():
    """All that is logged as an error, and nothing of it printed."""
    handler, root = Records(), logging.getLogger()
    before, root.handlers = root.handlers, [handler]
    yield handler.records
    root.handlers = before


def answered(client, logged, **request):
    """The status of a request, which must be no failure of the server."""
    logged.clear()
    response = client.open(**request)
    status, text = response.status_code, response.get_data()
    if logged:
        raise Silent(f"status {status}, but logged {logged[0].getMessage()[:80]!r}")
    if status >= 500:
        raise Silent(f"status {status}: {text[:80]!r}")
    if b"please report it" in text:
        raise Silent(f"status {status}: {text[:80]!r}")


def post(client, logged, body):
    headers = {"Host": "127.0.0.1"}
    answered(client, logged, path="/ask", method="POST", data=body, content_type="application/json", headers=headers)


def test_valid_bodies_are_answered(client):
    for body in BODIES:
        response = client.post("/ask", json=body, headers={"Host": "127.0.0.1"})
        assert response.status_code == 200, response.text


def test_odd_bodies(client, logged):
    @inputs(0.05)
    @given(
        st.sampled_from(BODIES).flatmap(
            lambda body: (
                odd_json(body, JSON_LEAVES).map(json.dumps).map(str.encode)
                | damaged(json.dumps(body).encode())
                | st.sampled_from(WHOLE_JSON)
            )
        )
    )
    def run(body):
        attempt(APP, lambda: post(client, logged, body), body)

    run()


ODD_HEADERS = st.lists(
    st.sampled_from([(name, value) for name, values in HEADERS.items() for value in values]),
    max_size=3,
    unique_by=lambda h: h[0],
)


def test_odd_requests(client, logged):
    @inputs(0.02)
    @given(
        st.sampled_from(METHODS),
        st.sampled_from(PATHS) | st.text(max_size=9).map(lambda text: f"/{text}"),
        st.none() | st.sampled_from(TEXTS) | st.text(max_size=9),
        ODD_HEADERS,
        st.just(b"") | st.binary(max_size=20) | st.sampled_from(BODIES).map(lambda body: json.dumps(body).encode()),
    )
    def run(method, path, query, headers, body):
        request = {"method": method, "path": path, "headers": headers, "data": body}
        if query is not None:
            request["query_string"] = query.encode("utf-8", "replace")

        try:  # what the client itself cannot send reaches no server
            EnvironBuilder(**request).get_environ()
        except Exception:
            return
        attempt(APP, lambda: answered(client, logged, **request), (method, path, query, headers, body))

    run()


@pytest.mark.skipif(not COUNTS, reason="failures are raised at once")
def test_nothing_is_uncaught():
    check(APP)
