"""The equalizer as a web app: one page, and the answers of `interp.study.equalizer_backend` to what it asks.

Nothing else is served, and nothing is loaded from elsewhere: the page's script and style are allowed by their hashes.
Requests by other names than this machine's, such as those of pages that rebind theirs, are refused; and as a message
must be declared as JSON, which other sites may not send here, only this page can ask.
"""

import json
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from interp.optional import needing
from interp.pages.rendering import script_hash
from interp.study.equalizer_backend import EqualizerBackend
from interp.study.equalizer_bundle import equalizer_script, equalizer_style

with needing("werkzeug"):
    from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, UnsupportedMediaType
    from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from interp.study.study import Study

HOST = "127.0.0.1"  # no other machine can reach it
BODY = 2 * 2**20  # bytes of a request: the longest history fits well
STYLE = """
body { margin: 0 auto; max-width: 96rem; padding: .8rem 1rem; font: 15px system-ui; background: var(--page);
  color: var(--ink); }
h1 { font-size: 1.3rem; margin: 0 0 .2rem; }
body > main > p { margin: 0 0 .8rem; color: var(--soft); }
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>Choose a history, then turn concepts and features up or down at its last step. One unit is a feature’s 99th
percentile; at 0 nothing changes.</p>
<div id="equalizer"></div>
</main>
<script>{script}</script>
</body>
</html>
"""


class LocalRequest(Request):
    """A request to this machine by its own name, with a body of at most `BODY` bytes."""

    trusted_hosts = [HOST, "localhost"]  # noqa: RUF012 - as werkzeug declares it
    max_content_length = BODY


def app(study: "Study", k: int = 10) -> Callable[..., Any]:
    """The equalizer of a study, its lists of length k, as a WSGI app.

    Raises:
        InputError: k is not a valid length of a list.
    """
    backend = EqualizerBackend(study, k)
    script, style = equalizer_script("remote", "local"), equalizer_style() + STYLE
    page = PAGE.format(title=escape(f"Equalizer: {study.title}"), style=style, script=script)
    headers = {
        "Content-Security-Policy": f"default-src 'none'; script-src {script_hash(script)}; style-src "
        f"{script_hash(style)}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }

    def answer(request: Request) -> Response:
        assert request.host  # which is refused here, if it is another
        if request.path == "/":
            if request.method not in ("GET", "HEAD"):
                raise MethodNotAllowed(["GET", "HEAD"])
            return Response(page, mimetype="text/html")
        if request.path != "/ask":
            raise NotFound
        if request.method != "POST":
            raise MethodNotAllowed(["POST"])
        if request.mimetype != "application/json":
            raise UnsupportedMediaType
        try:
            message = json.loads(request.get_data())
        except (ValueError, RecursionError):
            message = None
        said = backend.answer(message)
        return Response(json.dumps(said), 400 if "error" in said else 200, mimetype="application/json")

    @LocalRequest.application
    def respond(request: Request) -> Response:
        try:
            response = answer(request)
        except HTTPException as error:
            response = Response(f"{error.name}\n", error.code, mimetype="text/plain")
        response.headers.extend(headers)
        return response

    return respond
