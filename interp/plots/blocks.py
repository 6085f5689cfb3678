"""The parts of a report as JSON values: sections hold exhibits, exhibits hold blocks, and `report.js` draws them.

A block is a dict with its `kind`: table, figure, histories, lists or missing. Tables also hold their `frame`, which is
not rounded and which the page does without.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from interp.paper import DATASETS
from interp.plots.formats import figure_json
from interp.plots.names import MODELS
from interp.store.registry import describe, owner
from recmodels.wording import signed, with_interval

Block = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a table in the report."""

    key: str
    """Column of the frame."""
    name: str
    """Its head."""
    digits: int | None = 3
    """Decimal places of its numbers; None for text."""
    paper: bool = False
    """Whether the numbers are the paper's."""
    meaning: str = ""
    """What its head tells who points at it; by default what the report knows of a head by this name."""


def section(identity: str, title: str, *exhibits: Block) -> Block:
    """A part of the report; `identity` is the anchor that claims link to, such as "s7.1.2"."""
    return {"id": identity, "title": title, "exhibits": list(exhibits)}


def exhibit(number: str, title: str, caption: str, tables: Sequence[str], *blocks: Block) -> Block:
    """A numbered table or figure.

    Args:
        number: as in the paper, such as "Table 1".
        title: a few words.
        caption: what it shows.
        tables: names of the tables that its numbers come from.
        *blocks: its content.
    """
    sources: dict[str, list[str]] = {}
    for name in tables:
        function = owner(name).compute
        path = f"tables/{owner(name).name}/{describe(name).file}"
        sources.setdefault(f"{function.__module__}.{function.__qualname__}", []).append(path)
    return {
        "number": number,
        "title": title,
        "caption": caption,
        "sources": list(sources.items()),
        "blocks": list(blocks),
    }


def missing(flag: str) -> Block:
    """A note that something was not run, and how to run it."""
    return {"kind": "missing", "flag": flag}


def figure(plot: go.Figure, title: str = "", half: bool = False) -> Block:
    """A figure, on half the width of a wide page if wanted."""
    return {"kind": "figure", "figure": figure_json(plot), "title": title, "half": half}


def table(frame: pd.DataFrame, columns: Sequence[Column], fold: str = "", strong: Sequence[int] = ()) -> Block:
    """A table.

    Args:
        frame: its rows.
        columns: which columns, and how.
        fold: if given, the table is folded away under this title.
        strong: places of rows that stand out.
    """
    cells = [[_cell(value, column.digits) for value in frame[column.key]] for column in columns]
    return {
        "kind": "table",
        "frame": frame[[column.key for column in columns]],
        "columns": [{"name": c.name, "text": c.digits is None, "paper": c.paper, "tip": c.meaning} for c in columns],
        "rows": [list(row) for row in zip(*cells, strict=True)],
        "fold": fold,
        "strong": list(strong),
    }


def without_frames(part: Block) -> Block:
    """A section as JSON values alone."""
    exhibits = [
        {
            **entry,
            "blocks": [{key: value for key, value in block.items() if key != "frame"} for block in entry["blocks"]],
        }
        for entry in part["exhibits"]
    ]
    return {**part, "exhibits": exhibits}


def paper_name(dataset: str, model: str) -> str:
    """The paper's name of an experiment: "GPTRec on MovieLens-20M"."""
    return f"{MODELS[model]} on {DATASETS[dataset]}"


def _cell(value: Any, digits: int | None) -> str:
    if digits is None:
        return str(value)
    if not math.isfinite(value):
        return "–"
    # A small number is not nothing.
    return signed(value, f".{digits}f" if not value or abs(value) >= 0.5 * 10**-digits else ".1g")


def intervals(rows: pd.DataFrame, column: str, signs: bool) -> list[str]:
    """A number and its bounds, as text: the numbers of one cell have the same digits."""
    texts = []
    for value, low, high in rows[[column, f"{column}_low", f"{column}_high"]].itertuples(index=False):
        form = f"{'+' if signs else ''}.{1 if abs(value) >= 10 else 3}f"
        texts.append("–" if pd.isna(value) else with_interval(value, low, high, form))
    return texts
