"""One offline page with the scorecard: the table, each score against sparsity, and what every column means."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from interp.pages.rendering import render
from interp.plots.formats import figure_json, numbers
from interp.plots.scorecard_columns import SCORES, Score
from interp.plots.scorecard_plots import score_against_l0
from recmodels import artifacts


def write_page(scorecard: pd.DataFrame, folder: Path) -> list[Path]:
    """Write a scorecard as a table and as one page that opens without a network.

    Args:
        scorecard: rows of `interp.scorecard`.
        folder: where scorecard.csv and scorecard.html go.

    Returns:
        The paths of both.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, page = folder / "scorecard.csv", folder / "scorecard.html"
    artifacts.write_text(table, scorecard.to_csv(index=False, lineterminator="\n"))
    artifacts.write_text(page, render("scorecard", "Scorecard of dictionaries", page_data(scorecard)))
    return [table, page]


def as_text(scorecard: pd.DataFrame) -> str:
    """The table for a terminal: a line for each score and a column for each dictionary, numbered."""
    runs = scorecard["run"].nunique() > 1
    names = [f"{row.run}/{row.dictionary}" if runs else row.dictionary for row in scorecard.itertuples()]
    width = max(len(f"{score.group}: {score.head}") for score in SCORES)
    lines = [f"{number:>3}  {name}" for number, name in enumerate(names, 1)]
    lines += ["", " " * width + "".join(f"{number:>9}" for number in range(1, len(names) + 1))]
    for score in SCORES:
        values = scorecard[score.key]
        if values.notna().any():
            cells = "".join(f"{cell(value, score.digits):>9}" for value in values)
            lines.append(f"{f'{score.group}: {score.head}':<{width}}{cells}")
    return "\n".join(lines)


def page_data(scorecard: pd.DataFrame) -> dict[str, Any]:
    """Everything the page shows, as JSON values. A column without any number is left out."""
    scores = [score for score in SCORES if scorecard[score.key].notna().any()]
    plotted = [score for score in scores if score.key != "l0"]
    return {
        "runs": list(scorecard["run"].unique()),
        "rows": [
            {
                "run": row.run,
                "name": row.dictionary,
                "site": row.site,
                "kind": row.kind,
                "features": int(row.n_features),
            }
            for row in scorecard.itertuples()
        ],
        "columns": [_column(scorecard, score) for score in scores],
        "absent": [score.head for score in SCORES if score not in scores],
        "figures": {score.key: figure_json(score_against_l0(scorecard, score)) for score in plotted},
    }


def _column(scorecard: pd.DataFrame, score: Score) -> dict[str, Any]:
    """A column with its texts, its values to sort by, and how good each is within its run."""
    values = scorecard[score.key]
    return {
        "key": score.key,
        "group": score.group,
        "head": score.head,
        "about": score.about,
        "better": score.better,
        "texts": [cell(value, score.digits) for value in values],
        "values": numbers(values),
        "places": numbers(places(values, scorecard["run"], score.better)),
    }


def cell(value: float, digits: int) -> str:
    """A number as the page shows it; a dash where there is none."""
    return f"{value:.{digits}f}".replace("-", "−") if math.isfinite(value) else "–"


def places(values: pd.Series, runs: pd.Series, better: str) -> np.ndarray:
    """Where each value lies between the worst (0) and the best (1) of its run: float [n].

    NaN where there is no value, where neither more nor less is better, and where all values of a run are equal.
    """
    if not better:
        return np.full(len(values), np.nan)
    low, high = (values.groupby(runs).transform(end) for end in ("min", "max"))
    part = ((values - low) / (high - low).where(high > low)).to_numpy()
    return part if better == "more" else 1 - part
