"""The report's tables for a paper: as .tex, rounded as in the report, and as .csv, to the last digit."""

from pathlib import Path
from typing import Any

import pandas as pd

from interp.pages.file_names import file_name
from interp.pages.latex import document, floating
from interp.pages.report import sections
from interp.plots.blocks import Block
from interp.study.study import Study
from recmodels import artifacts

ACTS = ("=", "+", "-", "@", "\t", "\n")  # what a spreadsheet takes for a formula begins so


def write_tables(study: Study, folder: Path, spreadsheet_safe: bool = False) -> None:
    """Write every table of the report, and all.tex, which shows them: the paper's first, then all others.

    Args:
        study: whose.
        folder: where to.
        spreadsheet_safe: text in .csv files that a spreadsheet could run as a formula gets a ' in front.
    """
    used_names, names = {"all"}, []
    for exhibit, block in in_order(study):
        name = file_name(exhibit, block["fold"], used_names)
        title = f"{exhibit['title']}: {block['fold']}" if block["fold"] else exhibit["title"]
        # A folded table is context: the caption is about the one above it.
        caption = f"{title}." if block["fold"] else f"{title}. {exhibit['caption']}"
        artifacts.write_text(folder / f"{name}.tex", floating(block, caption.replace("?.", "?"), f"tab:{name}"))
        artifacts.write_text(folder / f"{name}.csv", csv_text(block["frame"], spreadsheet_safe))
        names.append(name)
    artifacts.write_text(folder / "all.tex", document(names))


def csv_text(frame: pd.DataFrame, spreadsheet_safe: bool) -> str:
    """A table as CSV.

    If it is to be safe, text that begins with one of = + - @, a tab or a line's end gets a ' in front, as OWASP
    recommends against CSV injection, in cells and in the names of columns. Old line ends become blanks, and numbers
    stay as they are.
    """
    if spreadsheet_safe:
        frame = frame.map(_harmless).rename(columns=_harmless)
    return frame.to_csv(index=False, lineterminator="\n")


def _harmless(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r", " ")  # it is not quoted, and what follows would begin a row
    return f"'{text}" if text.lstrip(" ").startswith(ACTS) else text


def in_order(study: Study) -> list[tuple[Block, Block]]:
    """Every table of the report with its exhibit: those that are tables in the paper first."""
    pairs = [
        (exhibit, block)
        for section in sections(study)
        for exhibit in section["exhibits"]
        for block in exhibit["blocks"]
        if block["kind"] == "table" and block["rows"]
    ]
    return sorted(pairs, key=lambda pair: not pair[0]["number"].startswith("Table"))
