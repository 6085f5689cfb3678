"""What a report is made of, as JSON values: sections hold exhibits, exhibits hold blocks, `page/report.js` draws them.

A block is a dict with its `kind`: table, figure, histories, lists or missing. Tables also hold their `frame`, which is
not rounded and which the page does without.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from interp.pages.rendering import MODELS, figure_json
from interp.paper import DATASETS

if TYPE_CHECKING:
    from interp.study.study import Study

Block = dict[str, Any]
# The function that makes each group of tables.
MADE_BY = {
    "items": "interp.analyses.items.tables.items",
    "users": "interp.analyses.users.tables.users",
    "comparison": "interp.analyses.dictionaries.tables.dictionaries",
    "alignment": "interp.analyses.alignment.tables.alignment",
    "neighbours": "interp.analyses.neighbours.tables.neighbours",
    "cases": "interp.analyses.categories.tables.cases",
    "labels": "interp.analyses.labels.tables.labels",
    "effects": "interp.analyses.effects.tables.effects",
    "steering": "interp.analyses.steering.tables.steering",
    "trade_offs": "interp.analyses.equal_share.tables.trade_offs",
    "doses": "interp.analyses.doses.tables.doses",
    "lists": "interp.analyses.categories.tables.lists",
    "causal": "interp.analyses.beyond.tables.causal",
    "popularity": "interp.analyses.beyond.tables.popularity",
    "explanations": "interp.analyses.beyond.tables.explanations",
    "receipts": "interp.analyses.beyond.tables.receipts",
}


class Source:
    """A study's tables, each read once, and where each comes from.

    Args:
        study: whose tables.
    """

    def __init__(self, study: "Study") -> None:
        self.study = study
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """A table by name.

        Raises:
            InputError: there is no such table.
        """
        if name not in self._read:
            self._read[name] = self.study.table(name)
        return self._read[name]

    def origin(self, name: str) -> tuple[str, str]:
        """The file of a table below the study's folder, and the function that made it."""
        (path,) = sorted(self.study.folder.glob(f"tables/*/{name}.*"))
        return path.relative_to(self.study.folder).as_posix(), MADE_BY[path.parent.name]

    @cached_property
    def config(self) -> dict[str, Any]:
        """The configuration."""
        return self.study.record["config"]

    @property
    def model(self) -> str:
        """The recommender's kind, such as "gptrec"."""
        return self.config["training"]["model"]

    @property
    def name(self) -> str:
        """Model and data set, such as "GPTRec on ml-1m"."""
        return f"{MODELS.get(self.model, self.model)} on {self.study.name}"

    def is_the_papers(self, dataset: str, model: str) -> bool:
        """Whether this study is of the same data set, model, concepts and loss as something in the paper."""
        same = (self.study.name, self.model) == (dataset, model)
        return same and self.study.record["attribute"] == "genres" and self.config["sae"]["trainer"] == "unsquared"


@dataclass(frozen=True)
class Column:
    """A column of a shown table."""

    key: str
    """Column of the frame."""
    name: str
    """Its head."""
    digits: int | None = 3
    """Decimal places of its numbers; None for text."""
    paper: bool = False
    """Whether the numbers are the paper's."""


def section(identity: str, title: str, *exhibits: Block) -> Block:
    """A part of the report; `identity` is the anchor that claims link to, such as "s7.1.2"."""
    return {"id": identity, "title": title, "exhibits": list(exhibits)}


def exhibit(source: Source, number: str, title: str, caption: str, tables: Sequence[str], *blocks: Block) -> Block:
    """A numbered table or figure.

    Args:
        source: the study's tables.
        number: as in the paper, such as "Table 1".
        title: a few words.
        caption: what it shows.
        tables: names of the tables that its numbers come from.
        *blocks: its content.
    """
    sources: dict[str, list[str]] = {}
    for name in tables:
        path, function = source.origin(name)
        sources.setdefault(function, []).append(path)
    return {
        "number": number,
        "title": title,
        "caption": caption,
        "sources": list(sources.items()),
        "blocks": list(blocks),
    }


def missing(flag: str) -> Block:
    """Says that something was not run, and how to run it."""
    return {"kind": "missing", "flag": flag}


def figure(drawn: go.Figure, title: str = "", half: bool = False) -> Block:
    """A figure, on half the width of a wide page if wanted."""
    return {"kind": "figure", "figure": figure_json(drawn), "title": title, "half": half}


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
        "columns": [{"name": c.name, "text": c.digits is None, "paper": c.paper} for c in columns],
        "rows": [list(row) for row in zip(*cells, strict=True)],
        "fold": fold,
        "strong": list(strong),
    }


def without_frames(part: Block) -> Block:
    """A section as JSON values alone."""
    exhibits = [
        {**one, "blocks": [{key: value for key, value in block.items() if key != "frame"} for block in one["blocks"]]}
        for one in part["exhibits"]
    ]
    return {**part, "exhibits": exhibits}


def paper_name(dataset: str, model: str) -> str:
    """What the paper calls an experiment: "GPTRec on MovieLens-20M"."""
    return f"{MODELS[model]} on {DATASETS[dataset]}"


def _cell(value: Any, digits: int | None) -> str:
    if digits is None:
        return str(value)
    if not math.isfinite(value):
        return "–"
    # A small number is not nothing.
    return f"{value:.{digits}f}" if not value or abs(value) >= 0.5 * 10**-digits else f"{value:.1g}"
