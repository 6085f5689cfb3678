"""What the equalizer's server takes: bodies of one shape and size, and an answer of one line to all others.

Dash believes what it is sent. Here a body is measured and compared with the app's own callbacks before Dash sees it, so
that what no page of the app would send costs nothing: it is answered with status 400 (413 if it is too large), without
a traceback in the log.
"""

import logging
from typing import TYPE_CHECKING, Any

from interp.optional import needing
from recmodels.errors import one_line

with needing("dash"):
    from flask import Response, request
    from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from dash import Dash

BODY = 2 * 2**20  # bytes of a request: the longest history fits well
DEPTH = 12  # levels of JSON
ITEMS = 50_000  # of a history
TEXT = 500_000  # characters of a field: a pasted history
SLIDERS = 2_000  # or buttons of one kind
FAULTS = 20  # kinds of unexpected errors that are logged, each once
UPDATE = "/_dash-update-component"

log = logging.getLogger(__name__)


def guard(app: "Dash") -> None:
    """Refuse what is no request of this app's page."""
    faults: set[str] = set()
    app.server.config["MAX_CONTENT_LENGTH"] = BODY

    @app.server.before_request
    def check() -> Response | None:
        if request.path != UPDATE or request.method != "POST":
            return None
        why = fault(request.get_json(silent=True), app.callback_map)
        return _refusal(why) if why else None

    @app.server.errorhandler(Exception)
    def answer(error: Exception) -> Response | HTTPException:
        if isinstance(error, HTTPException):
            return error
        # A body of the right shape whose values make no sense, or a mistake of ours: a line, once for each kind.
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        place = f"{where.tb_frame.f_code.co_name}, line {where.tb_lineno}" if where else "?"
        kind = f"{type(error).__name__} in {place}"
        if kind not in faults and len(faults) < FAULTS:
            faults.add(kind)
            log.error("a request failed: %s: %s", kind, one_line(str(error))[:200])
        return _refusal("its values make no sense")


def fault(body: Any, callbacks: dict[str, Any]) -> str | None:
    """What is wrong with the body of a callback, or None: it must name an output, and the inputs and state it has."""
    if not isinstance(body, dict) or depth(body) > DEPTH:
        return "it is no JSON of a callback"
    output = body.get("output")
    about = callbacks.get(output) if isinstance(output, str) else None
    if about is None:
        return "there is no such output"
    if not isinstance(body.get("outputs"), dict | list) or not isinstance(body.get("changedPropIds", []), list):
        return "its outputs are of another shape"
    for name, optional in (("inputs", False), ("state", True)):
        sent, declared = body.get(name, [] if optional else None), about[name]
        if not isinstance(sent, list) or len(sent) != len(declared):
            return f"its {name} are of another number"
        if not all(_fits(*pair) for pair in zip(sent, declared, strict=True)):
            return f"its {name} are of another shape"
    return None


def depth(value: Any) -> int:
    """Levels of JSON, counted no further than one below `DEPTH`."""
    level, deep = [value], 0
    while level and deep <= DEPTH:
        level = [inner for outer in level for inner in _inside(outer)]
        deep += 1
    return deep


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _fits(sent: Any, declared: dict[str, Any]) -> bool:
    """Whether a part is the declared one, or a list of those that the page has any number of."""
    if declared["id"].startswith("{"):
        return isinstance(sent, list) and len(sent) <= SLIDERS and all(_part(one, dict) for one in sent)
    return _part(sent, str) and sent["id"] == declared["id"] and sent.get("property") == declared["property"]


def _part(sent: Any, kind: type) -> bool:
    if not isinstance(sent, dict) or not isinstance(sent.get("id"), kind):
        return False
    value = sent.get("value")
    return not (isinstance(value, str) and len(value) > TEXT) and not (isinstance(value, list) and len(value) > ITEMS)


def _refusal(why: str) -> Response:
    return Response(f"The request cannot be answered: {why}.\n", 400, mimetype="text/plain")
