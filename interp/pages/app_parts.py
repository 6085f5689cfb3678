"""The parts of the local equalizer: its page, sliders and lists. Text from the data becomes text, never markup.

Components that occur any number of times have a type and an index as their id; `interp.pages.app` has the callbacks.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from interp.optional import needing
from interp.pages.rendering import ASSETS
from interp.study.beside_popular import beside_popular
from interp.study.equalizer import (
    CONCEPT_REACH,
    FEATURE_REACH,
    STEP,
    EqualizerResult,
    feature_choices,
    feature_name,
    short_title,
)
from interp.study.headline import weak_concepts

with needing("dash"):
    from dash import dcc, html

if TYPE_CHECKING:
    from interp.study.study import Study

N_LATEST = 16  # latest items of a history; the earlier ones are folded away


def index_page(title: str) -> str:
    """The HTML around the app, in the look of the offline pages."""
    style = "".join((ASSETS / name).read_text(encoding="utf-8") for name in ("base.css", "equalizer.css"))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n{%metas%}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{title}</title>\n{{%css%}}\n<style>\n{style}</style>\n</head>\n"
        "<body>\n{%app_entry%}\n<footer>{%config%}{%scripts%}{%renderer%}</footer>\n</body>\n</html>"
    )


def page(study: "Study", users: Sequence[str]) -> Any:
    """The whole page.

    Args:
        study: whose concepts have sliders.
        users: what the test users are called.
    """
    beside = beside_popular(study)
    return html.Main(
        [
            html.Header(
                [
                    html.H1(f"Equalizer: {study.name}"),
                    html.P(
                        "Choose a history, then turn concepts and features up or down at its last step. "
                        "One unit is a feature’s 99th percentile; at 0 nothing changes.",
                        className="lead",
                    ),
                ]
            ),
            *([html.P(beside.warning, className="note warning")] if beside and beside.warning else []),
            *(html.P(line, className="note") for line in study.notes),
            html.P(id="note", className="note", role="alert", hidden=True),
            html.Div(
                [_controls(study), html.Div([_history_card(users), _lists(), _receipt(), _code()])], className="desk"
            ),
            dcc.Store(id="history", data=[]),
        ]
    )


def slider(kind: str, index: int, name: str, reach: float, weak: bool = False) -> Any:
    """One slider and its name; a weak one says that its concept is no better than chance on unseen items."""
    group: dict[str, Any] = {"role": "group", "aria-label": name}
    title = f"{name}: no feature follows it above chance on unseen items" if weak else name
    return html.Div(
        [
            html.Span([name, " (weak)"] if weak else name, className="name", title=title, dir="auto"),
            dcc.Slider(-reach, reach, STEP, value=0, marks=None, included=False, id={"type": kind, "index": index}),
        ],
        className="slider",
        **group,
    )


def feature_slider(study: "Study", feature: int) -> Any:
    """The slider of one feature."""
    return slider("feature", feature, feature_name(study, feature), FEATURE_REACH)


def found_items(results: pd.DataFrame) -> Any:
    """Search results, each to be added to the history; `results` has code and title."""
    return [
        html.Button(["+ ", short_title(row.title)], id={"type": "add", "index": row.code}, type="button", dir="auto")
        for row in results.itertuples()
    ]


def history_items(titles: Sequence[str]) -> Any:
    """The history, oldest first, each item to be taken out."""
    chips = [
        html.Li([html.Span(short_title(title), dir="auto"), _remove(place, title)])
        for place, title in enumerate(titles)
    ]
    earlier, latest = chips[:-N_LATEST], chips[-N_LATEST:]
    recent = html.Ol(latest, className="history-items")
    if not earlier:
        return recent
    return [html.Details([html.Summary(f"{len(earlier)} earlier items"), html.Ol(earlier)]), recent]


def list_table(rows: pd.DataFrame, result: EqualizerResult) -> Any:
    """A list. Items that enter or leave it say so in words, with the reason."""
    body = []
    for row in rows.itertuples():
        chips = [html.Span(name, className="chip") for name in row.concepts]
        text = result.why(row.item)
        reason = [html.Span(["because ", text], className="why")] if text else []
        cell = [html.B(short_title(row.title), dir="auto"), html.Span(chips, className="chips"), *reason]
        row_class: dict[str, Any] = {"className": "moved"} if row.moved else {}
        body.append(html.Tr([html.Td(row.rank), html.Td(cell, className="text"), html.Td(row.fate)], **row_class))
    head = html.Tr([html.Th("#"), html.Th("item", className="text"), html.Th("change")])
    return html.Table([html.Thead(head), html.Tbody(body)])


def _controls(study: "Study") -> Any:
    names, weak = enumerate(study.table("concepts")["concept"].sort_values()), weak_concepts(study)
    features = [{"label": feature_name(study, feature), "value": feature} for feature in feature_choices(study)]
    return html.Section(
        [
            html.Div([html.H2("Sliders"), html.Button("All to 0", id="reset", type="button")], className="row"),
            *([html.H3("Concepts")] if study.has_concepts else []),
            html.Div([slider("concept", index, name, CONCEPT_REACH, name in weak) for index, name in names]),
            html.H3("Features"),
            html.Div(id="features"),
            html.Label("Add a feature by its number or name", htmlFor="feature"),
            dcc.Dropdown(features, id="feature", placeholder="choose one", optionHeight=36, maxHeight=320),
        ],
        className="card controls",
    )


def _history_card(users: Sequence[str]) -> Any:
    options = [{"label": user, "value": place} for place, user in enumerate(users)]
    return html.Section(
        [
            html.Div([html.H2("History"), html.Button("Clear", id="clear", type="button")], className="row"),
            html.Div(
                [
                    html.Div(
                        [
                            html.Label("A test user", htmlFor="user"),
                            dcc.Dropdown(options, id="user", placeholder="choose one"),
                        ]
                    ),
                    html.Div(
                        [
                            html.Label("Add an item by its title", htmlFor="search"),
                            dcc.Input(id="search", type="search", placeholder="words of a title", debounce=0.25),
                            html.Div(id="found", className="found"),
                        ]
                    ),
                    html.Div(
                        [
                            html.Label("Or paste item ids", htmlFor="ids"),
                            html.Div(
                                [
                                    dcc.Input(id="ids", type="text", placeholder="200, 219, 183"),
                                    html.Button("Use", id="use", type="button"),
                                ],
                                className="row",
                            ),
                        ]
                    ),
                ],
                className="pickers",
            ),
            html.Div(id="history-shown"),
        ],
        className="card",
    )


def _lists() -> Any:
    sides = (("before", "Before"), ("after", "After"))
    return html.Section(
        [
            html.H2("Lists"),
            html.P(id="changed", role="status"),
            html.Div(
                [html.Div([html.H3(name), html.Div(id=key, className="scroll")]) for key, name in sides],
                className="lists",
            ),
        ],
        className="card",
    )


def _receipt() -> Any:
    return html.Section(
        [
            html.Div(
                [html.H2("Receipt"), html.Button("Measure on the test users", id="measure", type="button")],
                className="row",
            ),
            html.P(
                "What these settings change in the lists of all test users, and what they cost. It takes some seconds."
            ),
            dcc.Loading(html.Pre(id="receipt"), delay_show=300),
        ],
        className="card",
    )


def _code() -> Any:
    def block(key: str, name: str) -> Any:
        head = html.Div([html.H3(name), dcc.Clipboard(target_id=key, title=f"Copy {name}")], className="row")
        return html.Div([head, html.Pre(id=key)])

    return html.Section(
        [
            html.H2("Copy as code"),
            html.Div([block("python", "Python"), block("json", "JSON, for rec.steer(load_steer(FILE))")]),
        ],
        className="card",
    )


def _remove(place: int, title: str) -> Any:
    name: dict[str, Any] = {"aria-label": f"Take out {short_title(title)}"}
    return html.Button("×", id={"type": "remove", "index": place}, type="button", **name)
