"""The equalizer as a web app. `interp.study.equalizer` computes what it shows, `interp.pages.app_server` serves it."""

from html import escape
from typing import TYPE_CHECKING, Any

from interp.optional import needing
from interp.pages.app_guard import guard, is_history, is_number, is_text, is_whole
from interp.pages.app_parts import feature_slider, found_items, history_items, index_page, list_table, page
from interp.study.equalizer import equalize, read_history, steer_of
from interp.study.title_search import search
from recmodels.errors import InputError
from recmodels.ranking import check_length

with needing("dash"):
    from dash import ALL, Dash, Input, Output, Patch, State, ctx, no_update

if TYPE_CHECKING:
    from interp.study.study import Study

HOST = "127.0.0.1"  # no other machine can reach it
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


def app(study: "Study", k: int = 10) -> Dash:
    """The equalizer of a study, its lists of length k, as a Dash app.

    Raises:
        InputError: k is not a valid length of a list.
    """
    k = check_length(k)
    rec, users = study.recommender, study.users()
    vocabulary = rec.recommender.vocabulary
    names = study.table("concepts")["concept"].sort_values().tolist()
    dash_app = Dash(
        __name__, title=f"Equalizer: {study.name}", update_title="", assets_folder="none", add_log_handler=False
    )
    dash_app.index_string = index_page(escape(f"Equalizer: {study.name}"))
    dash_app.layout = page(study, [f"{user} ({n} items)" for user, n in zip(users.users, users.lengths, strict=True)])

    def sliders(concepts: list[Any], features: list[Any], numbers: list[dict[str, int]]) -> dict[str | int, Any]:
        if len(concepts) != len(names) or len(features) != len(numbers):
            raise InputError("the number of sliders is not the page's")
        settings: dict[str | int, Any] = dict(zip(names, concepts, strict=True))
        settings.update({number["index"]: value for number, value in zip(numbers, features, strict=True)})
        return {key: 0 if value is None else value for key, value in settings.items()}  # an emptied field is None

    @dash_app.callback(Output("found", "children"), Input("search", "value"))
    def find(words: str | None) -> Any:
        try:
            results = search(study, words or "")
        except InputError as error:
            return f"{error}."
        if results.empty and (words or "").strip():
            return "No title has these words."
        return found_items(results.assign(code=vocabulary.encode(results["item"])))

    @dash_app.callback(
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
    def change_history(user: Any, *others: Any) -> Any:
        text, history = others[-2:]
        trigger = ctx.triggered_id
        if not any(part["value"] is not None for part in ctx.triggered):  # buttons that have only just appeared
            return no_update, no_update, no_update, no_update
        if trigger == "user":
            if not 0 <= user < len(users):
                raise InputError(f"there is no test user {user}")
            items = vocabulary.decode(users[user]).tolist()
        elif trigger == "clear":
            items = []
        elif trigger in ("use", "ids"):
            try:
                items = read_history(study, text or "")
            except InputError as error:
                return no_update, no_update, *_note(error)
        elif trigger["type"] == "add":
            if not 0 <= trigger["index"] < len(vocabulary.ids):
                raise InputError(f"there is no item {trigger['index']}")
            items = [*history, vocabulary.ids.tolist()[trigger["index"]]]
        else:
            items = [item for place, item in enumerate(history) if place != trigger["index"]]
        return items, "" if trigger not in ("user", "clear") else no_update, *_note(None)

    @dash_app.callback(Output("history-shown", "children"), Input("history", "data"))
    def show_history(history: list[Any]) -> Any:
        return history_items(study.items["title"].reindex(history).fillna("unknown").tolist()) if history else EMPTY

    @dash_app.callback(
        Output("features", "children"),
        Output("feature", "value"),
        Output("note", "children", allow_duplicate=True),
        Output("note", "hidden", allow_duplicate=True),
        Input("feature", "value"),
        State(FEATURES, "id"),
        prevent_initial_call=True,
    )
    def add_feature(feature: Any, ids: list[dict[str, int]]) -> Any:
        if feature is None:  # as it is emptied below
            return no_update, no_update, *_note(None)
        if any(part["index"] == feature for part in ids):
            return no_update, None, *_note(None)
        try:
            row = feature_slider(study, feature)
        except InputError as error:
            return no_update, None, *_note(error)
        rows = Patch()
        rows.append(row)
        return rows, None, *_note(None)

    @dash_app.callback(
        Output(CONCEPTS, "value"),
        Output(FEATURES, "value"),
        Input("reset", "n_clicks"),
        State(CONCEPTS, "id"),
        State(FEATURES, "id"),
        prevent_initial_call=True,
    )
    def reset(_clicks: Any, concepts: list[Any], features: list[Any]) -> Any:
        return [0] * len(concepts), [0] * len(features)

    @dash_app.callback(
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
    def show_lists(history: list[Any], *values: Any) -> Any:
        if not history:
            return "", "", EMPTY, "", "", "", *_note(None)
        settings = sliders(*values)
        try:
            result = equalize(study, history, settings, k)
        except InputError as error:
            return "", "", "", "", "", "", *_note(error)
        tables = (list_table(rows, result) for rows in (result.before, result.after))
        enter, leave = (int(rows["moved"].sum()) for rows in (result.after, result.before))
        summary = f"{enter} of {len(result.after)} items enter, {leave} leave"
        return *tables, summary, result.python, result.json, "", *_note(None)

    @dash_app.callback(
        Output("receipt", "children"),
        Output("note", "children", allow_duplicate=True),
        Output("note", "hidden", allow_duplicate=True),
        Input("measure", "n_clicks"),
        State(CONCEPTS, "value"),
        State(FEATURES, "value"),
        State(FEATURES, "id"),
        prevent_initial_call=True,
    )
    def measure(_clicks: Any, *values: Any) -> Any:
        settings = sliders(*values)
        try:
            with rec.lock:
                return repr(study.receipt(steer_of(study, settings), k=k)), *_note(None)
        except InputError as error:
            return "", *_note(error)

    return _guarded(dash_app)


def _note(error: InputError | None) -> tuple[str, bool]:
    """What the note says, and whether it is hidden."""
    return ("", True) if error is None else (str(error), False)


def _guarded(dash_app: Dash) -> Dash:
    """The app, refusing other hosts' names, such as those of pages that rebind theirs, and scripts from elsewhere."""
    dash_app.server.config["TRUSTED_HOSTS"] = [HOST, "localhost"]
    guard(dash_app, FIELDS)
    scripts = " ".join(["'self'", *dash_app.csp_hashes()])
    policy = f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

    @dash_app.server.after_request
    def say_policy(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = policy
        return response

    return dash_app
