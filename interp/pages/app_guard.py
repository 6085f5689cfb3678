"""Which requests the equalizer's server accepts: those that its own page can send. All others get one line.

Dash does not check what it receives. Here the size of a body is limited, and its parts are compared with the app's own
callbacks before Dash sees them. A request that no page of the app would send costs nothing: its answer is status 400
(413 if it is too large), and nothing is logged.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from interp.optional import needing
from recmodels.errors import InputError, one_line

with needing("dash"):
    from dash.exceptions import DependencyException
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

Fields: TypeAlias = Mapping[str, Callable[[Any], bool]]
"""What may be in a field: "id.property" of a component, or "type.property" of those that the page has any number of."""

log = logging.getLogger(__name__)


def guard(app: "Dash", fields: Fields) -> None:
    """Refuse requests that this app's page cannot send.

    Args:
        app: whose requests are checked.
        fields: what each input and state of its callbacks may hold; an id holds itself.
    """
    faults: set[str] = set()
    app.server.config["MAX_CONTENT_LENGTH"] = BODY

    @app.server.before_request
    def check() -> Response | None:
        if request.path != UPDATE or request.method != "POST":
            return None
        try:
            body = request.get_json(silent=True)
        except RecursionError:
            body = None
        why = fault(body, app.callback_map, fields)
        return _refusal(why) if why else None

    @app.server.errorhandler(Exception)
    def answer(error: Exception) -> Response | HTTPException:
        if isinstance(error, HTTPException):
            return error
        if isinstance(error, DependencyException):  # of an address that no page asks for
            return Response("There is no such file.\n", 404, mimetype="text/plain")
        if isinstance(error, InputError):  # no page sends such a body, so no page has to show the message
            return _refusal(str(error))
        # An error in this package: one line in the log for each kind.
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        place = f"{where.tb_frame.f_code.co_name}, line {where.tb_lineno}" if where else "?"
        kind = f"{type(error).__name__} in {place}"
        if kind not in faults and len(faults) < FAULTS:
            faults.add(kind)
            log.error("a request failed: %s: %s", kind, one_line(str(error))[:200])
        return _refusal("its values are not valid")


def fault(body: Any, callbacks: dict[str, Any], fields: Fields) -> str | None:
    """What is wrong with the body of a callback, or None.

    It must name an output, and the outputs, inputs and state that this callback has, with values that their fields
    take, and what changed must be among its inputs.
    """
    if not isinstance(body, dict) or depth(body) > DEPTH:
        return "it is not the JSON of a callback"
    output = body.get("output")
    if not isinstance(output, str) or output not in callbacks:
        return "there is no such output"
    about = callbacks[output]
    outputs = body.get("outputs") if output.startswith("..") else [body.get("outputs")]
    parts = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in output.strip(".").split("...")]
    for name, sent, declared in (
        ("outputs", outputs, parts),
        ("inputs", body.get("inputs"), about["inputs"]),
        ("state", body.get("state", []), about["state"]),
    ):
        if not isinstance(sent, list) or len(sent) != len(declared):
            return f"it has the wrong number of {name}"
        if not all(_fits(*pair, None if name == "outputs" else fields) for pair in zip(sent, declared, strict=True)):
            return f"its {name} have the wrong shape"
    changes = body.get("changedPropIds", [])
    if not isinstance(changes, list) or not all(_is_input(name, about["inputs"]) for name in changes):
        return "what changed is not an input"
    return None


def is_text(value: Any) -> bool:
    """Whether a field holds text, or nothing."""
    return value is None or (isinstance(value, str) and len(value) <= TEXT)


def is_whole(value: Any) -> bool:
    """Whether a field holds a whole number of 64 bits, or nothing."""
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63)


def is_number(value: Any) -> bool:
    """Whether a field holds a number, or nothing."""
    return is_whole(value) or isinstance(value, float)


def is_history(value: Any) -> bool:
    """Whether a field holds a list of item ids."""
    items = isinstance(value, list) and len(value) <= ITEMS
    return items and all(item is not None and (is_text(item) or is_whole(item)) for item in value)


def depth(value: Any) -> int:
    """Levels of JSON, counted no further than one below `DEPTH`."""
    level, deep = [value], 0
    while level and deep <= DEPTH:
        level = [inner for outer in level for inner in _inside(outer)]
        deep += 1
    return deep


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _fits(sent: Any, declared: dict[str, Any], fields: Fields | None) -> bool:
    """Whether a part is the declared one, or a list of those that the page has any number of."""
    kind = _kind(declared["id"])
    if kind is None:
        return _part(sent, declared["id"], declared["property"], fields)
    if not isinstance(sent, list) or len(sent) > SLIDERS:
        return False
    return all(_is_of(kind, part) and _part(part, part["id"], declared["property"], fields) for part in sent)


def _part(sent: Any, name: Any, prop: str, fields: Fields | None) -> bool:
    if not isinstance(sent, dict) or sent.get("id") != name or sent.get("property") != prop:
        return False
    if fields is None:  # an output, which brings no value
        return True
    if prop == "id":
        return bool(sent.get("value") == name)
    return fields[f"{name if isinstance(name, str) else name['type']}.{prop}"](sent.get("value"))


def _kind(name: str) -> Any:
    """The type of the components that an id of a callback stands for; None if it is one component's."""
    return json.loads(name)["type"] if name.startswith("{") else None


def _is_of(kind: Any, part: Any) -> bool:
    name = part.get("id") if isinstance(part, dict) else None
    if not isinstance(name, dict) or set(name) != {"type", "index"}:
        return False
    return name["type"] == kind and name["index"] is not None and is_whole(name["index"])


def _is_input(trigger: Any, inputs: list[dict[str, Any]]) -> bool:
    """Whether a name such as `use.n_clicks` or `{"index":3,"type":"add"}.n_clicks` is that of a declared input."""
    if not isinstance(trigger, str) or len(trigger) > TEXT:
        return False
    name, _, prop = trigger.rpartition(".")
    try:
        part = {"id": json.loads(name)} if name.startswith("{") else {}
    except (ValueError, RecursionError):
        return False
    return any(
        prop == declared["property"]
        and (_is_of(kind, part) if (kind := _kind(declared["id"])) is not None else name == declared["id"])
        for declared in inputs
    )


def _refusal(why: str) -> Response:
    return Response(f"The request cannot be answered: {why}.\n", 400, mimetype="text/plain")
