"""The equalizer as a local web app: `interp equalizer FOLDER`. `interp.study.equalizer` computes what it shows."""

import logging
import socket
import webbrowser
from html import escape
from typing import TYPE_CHECKING, Any

from interp.optional import needing
from interp.pages.app_guard import BODY, guard, is_history, is_number, is_text, is_whole
from interp.pages.app_parts import feature_slider, found_items, history_items, index_page, list_table, page
from interp.study.equalizer import equalize, read_history, steer_of
from interp.study.title_search import search
from recmodels.errors import InputError
from recmodels.ranking import check_length

with needing("dash"):
    from dash import ALL, Dash, Input, Output, Patch, State, ctx, no_update
with needing("waitress"):
    from waitress import create_server
    from waitress.server import BaseWSGIServer

if TYPE_CHECKING:
    from interp.study.study import Study

HOST = "127.0.0.1"  # no other machine can reach it
THREADS = 8
CONNECTIONS = 1000  # idle ones cost no thread, and are closed after as many seconds as
IDLE = 20
CONCEPTS, FEATURES = {"type": "concept", "index": ALL}, {"type": "feature", "index": ALL}
FIELDS = {
    "search.value": is_text,
    "ids.value": is_text,
    "user.value": is_whole,
    "feature.value": is_number,  # the field and the sliders of features
    "concept.value": is_number,
    "history.data": is_history,
    "ids.n_submit": is_whole,
    **dict.fromkeys([f"{name}.n_clicks" for name in ("add", "remove", "use", "clear", "reset", "measure")], is_whole),
}
EMPTY = "There is no history yet: choose a test user, or add items."


def serve(study: "Study", port: int = 8050, browser: bool = True) -> None:
    """Serve the equalizer on this machine until it is interrupted.

    Args:
        study: a finished study.
        port: the port to serve on; 0 for any free one.
        browser: open the page in the user's browser.

    Raises:
        InputError: the port is in use or not valid, or a package is not installed.
    """
    server = server_of(study, port)
    address = f"http://{HOST}:{server.effective_port}/"
    print(f"{address}  (Ctrl+C ends it)", flush=True)
    if browser:
        webbrowser.open(address)
    server.run()  # until Ctrl+C
    print()


def server_of(study: "Study", port: int = 0) -> BaseWSGIServer:
    """A server of the equalizer that listens on this machine only, with few threads; idle connections are closed.

    Raises:
        InputError: the port is in use or not valid.
    """
    try:
        listening = socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot serve on port {port} ({error}): choose another one with --port") from None
    logging.getLogger("waitress").setLevel(logging.CRITICAL)  # requests of other programs are not logged
    try:
        return create_server(
            app(study).server,
            sockets=[listening],
            threads=THREADS,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE,
            cleanup_interval=IDLE // 4,
            max_request_body_size=BODY,
            asyncore_use_poll=True,
            ident="",
        )
    except BaseException:
        listening.close()
        raise


def app(study: "Study", k: int = 10) -> Dash:
    """The equalizer of a study, its lists of length k, as a Dash app.

    Raises:
        InputError: k is not a valid length of a list.
    """
    k = check_length(k)
    rec, users = study.recommender, study.users()
    vocabulary = rec.recommender.vocabulary
    names = study.table("concepts")["concept"].sort_values().tolist()
    made = Dash(
        __name__, title=f"Equalizer: {study.name}", update_title="", assets_folder="none", add_log_handler=False
    )
    made.index_string = index_page(escape(f"Equalizer: {study.name}"))
    made.layout = page(study, [f"{user} ({n} items)" for user, n in zip(users.users, users.lengths, strict=True)])

    def sliders(concepts: list[Any], features: list[Any], numbers: list[dict[str, int]]) -> dict[str | int, Any]:
        if len(concepts) != len(names) or len(features) != len(numbers):
            raise InputError("the number of sliders is not the page's")
        turned: dict[str | int, Any] = dict(zip(names, concepts, strict=True))
        turned.update({one["index"]: value for one, value in zip(numbers, features, strict=True)})
        return {key: 0 if value is None else value for key, value in turned.items()}  # an emptied field is None

    @made.callback(Output("found", "children"), Input("search", "value"))
    def find(words: str | None) -> Any:
        try:
            found = search(study, words or "")
        except InputError as error:
            return f"{error}."
        if found.empty and (words or "").strip():
            return "No title has these words."
        return found_items(found.assign(code=vocabulary.encode(found["item"])))

    @made.callback(
        Output("history", "data"),
        Output("search", "value"),
        Output("note", "children", allow_duplicate=True),
        Output("note", "hidden", allow_duplicate=True),
        Input("user", "value"),
        Input({"type": "add", "index": ALL}, "n_clicks"),
        Input({"type": "remove", "index": ALL}, "n_clicks"),
        Input("use", "n_clicks"),
        Input("ids", "n_submit"),
        Input("clear", "n_clicks"),
        State("ids", "value"),
        State("history", "data"),
        prevent_initial_call=True,
    )
    def change_history(user: Any, *given: Any) -> Any:
        text, history = given[-2:]
        pressed = ctx.triggered_id
        if not any(one["value"] is not None for one in ctx.triggered):  # buttons that have only just appeared
            return no_update, no_update, no_update, no_update
        if pressed == "user":
            if not 0 <= user < len(users):
                raise InputError(f"there is no test user {user}")
            changed = vocabulary.decode(users[user]).tolist()
        elif pressed == "clear":
            changed = []
        elif pressed in ("use", "ids"):
            try:
                changed = read_history(study, text or "")
            except InputError as error:
                return no_update, no_update, *_note(error)
        elif pressed["type"] == "add":
            if not 0 <= pressed["index"] < len(vocabulary.ids):
                raise InputError(f"there is no item {pressed['index']}")
            changed = [*history, vocabulary.ids.tolist()[pressed["index"]]]
        else:
            changed = [item for place, item in enumerate(history) if place != pressed["index"]]
        return changed, "" if pressed not in ("user", "clear") else no_update, *_note(None)

    @made.callback(Output("history-shown", "children"), Input("history", "data"))
    def show_history(history: list[Any]) -> Any:
        return history_items(study.items["title"].reindex(history).fillna("unknown").tolist()) if history else EMPTY

    @made.callback(
        Output("features", "children"),
        Output("feature", "value"),
        Output("note", "children", allow_duplicate=True),
        Output("note", "hidden", allow_duplicate=True),
        Input("feature", "value"),
        State(FEATURES, "id"),
        prevent_initial_call=True,
    )
    def add_feature(feature: Any, shown: list[dict[str, int]]) -> Any:
        if feature is None:  # as it is emptied below
            return no_update, no_update, *_note(None)
        if any(one["index"] == feature for one in shown):
            return no_update, None, *_note(None)
        try:
            row = feature_slider(study, feature)
        except InputError as error:
            return no_update, None, *_note(error)
        rows = Patch()
        rows.append(row)
        return rows, None, *_note(None)

    @made.callback(
        Output(CONCEPTS, "value"),
        Output(FEATURES, "value"),
        Input("reset", "n_clicks"),
        State(CONCEPTS, "id"),
        State(FEATURES, "id"),
        prevent_initial_call=True,
    )
    def reset(_clicks: Any, concepts: list[Any], features: list[Any]) -> Any:
        return [0] * len(concepts), [0] * len(features)

    @made.callback(
        Output("before", "children"),
        Output("after", "children"),
        Output("changed", "children"),
        Output("python", "children"),
        Output("json", "children"),
        Output("receipt", "children", allow_duplicate=True),
        Output("note", "children"),
        Output("note", "hidden"),
        Input("history", "data"),
        Input(CONCEPTS, "value"),
        Input(FEATURES, "value"),
        State(FEATURES, "id"),
        prevent_initial_call="initial_duplicate",
    )
    def show_lists(history: list[Any], *given: Any) -> Any:
        if not history:
            return "", "", EMPTY, "", "", "", *_note(None)
        turned = sliders(*given)
        try:
            found = equalize(study, history, turned, k)
        except InputError as error:
            return "", "", "", "", "", "", *_note(error)
        tables = (list_table(rows, found) for rows in (found.before, found.after))
        moved = int(found.after["moved"].sum())
        changed = f"{moved} of {len(found.after)} items enter, {int(found.before['moved'].sum())} leave"
        return *tables, changed, found.python, found.json, "", *_note(None)

    @made.callback(
        Output("receipt", "children"),
        Output("note", "children", allow_duplicate=True),
        Output("note", "hidden", allow_duplicate=True),
        Input("measure", "n_clicks"),
        State(CONCEPTS, "value"),
        State(FEATURES, "value"),
        State(FEATURES, "id"),
        prevent_initial_call=True,
    )
    def measure(_clicks: Any, *given: Any) -> Any:
        turned = sliders(*given)
        try:
            with rec.lock:
                return repr(study.receipt(steer_of(study, turned), k=k)), *_note(None)
        except InputError as error:
            return "", *_note(error)

    return _guarded(made)


def _note(error: InputError | None) -> tuple[str, bool]:
    """What the note says, and whether it is hidden."""
    return ("", True) if error is None else (str(error), False)


def _guarded(made: Dash) -> Dash:
    """The app, refusing other hosts' names, such as those of pages that rebind theirs, and scripts from elsewhere."""
    made.server.config["TRUSTED_HOSTS"] = [HOST, "localhost"]
    guard(made, FIELDS)
    scripts = " ".join(["'self'", *made.csp_hashes()])
    policy = f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

    @made.server.after_request
    def say_policy(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = policy
        return response

    return made
