"""Ranked lists with titles that can be read in a terminal: what `study.recommend` returns."""

from functools import partial
from typing import Any

import pandas as pd

from recmodels.wording import counted, signed

COLUMNS = ("user", "rank", "item", "score", "title", "concepts")
USERS, PLACES = 5, 20  # that are shown
WIDTH = 100  # of a line
CONCEPTS, ITEM = 28, 16  # longest columns of a line; the title has what is left


class Recommendations(pd.DataFrame):
    """A table user, rank, item, score, title, concepts that shows itself as one list per user.

    Whatever pandas makes of it is a plain DataFrame again, and so is how it shows itself in Jupyter.
    """

    def __repr__(self) -> str:
        if self.empty or tuple(self.columns) != COLUMNS:  # changed in place
            return repr(pd.DataFrame(self))
        lists = list(self.groupby("user", sort=False))
        blocks = [f"user {_fit(user, WIDTH - 5)}\n{_lines(rows)}" for user, rows in lists[:USERS]]
        return "\n".join(blocks + _more(len(lists) - USERS, "user"))


def _lines(rows: pd.DataFrame) -> str:
    """A line for each place of one user's list."""
    head = rows.head(PLACES)
    ranks, scores = _column(head["rank"], 6, ">"), _column(head["score"].map(partial(signed, form=".3f")), 12, ">")
    concepts, items = _column(head["concepts"].map(", ".join), CONCEPTS), _column(head["item"], ITEM)
    used_width = sum(len(column[0]) + 2 for column in (ranks, concepts, scores, items))
    titles = _column(head["title"], WIDTH - used_width - 2)
    lines = ["  " + "  ".join(cells).rstrip() for cells in zip(ranks, titles, concepts, scores, items, strict=True)]
    return "\n".join(lines + [f"  {line}" for line in _more(len(rows) - PLACES, "item")])


def _column(values: pd.Series, longest: int, side: str = "<") -> list[str]:
    """Cells of equal width."""
    cells = [_fit(value, longest) for value in values]
    width = max(map(len, cells))
    return [f"{cell:{side}{width}}" for cell in cells]


def _fit(value: Any, longest: int) -> str:
    """A value on one line, cut to a length; what would steer a terminal is left out."""
    text = " ".join("".join(char if char.isprintable() else " " for char in str(value)).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _more(count: int, noun: str) -> list[str]:
    return [f"… and {counted(count, f'more {noun}')}"] if count > 0 else []
