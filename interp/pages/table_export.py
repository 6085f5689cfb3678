"""The report's tables for a paper: as .tex, rounded as in the report, and as .csv, to the last digit."""

from pathlib import Path

from interp.pages.file_names import file_name
from interp.pages.latex import document, floating
from interp.pages.report import sections
from interp.plots.blocks import Block
from interp.study.study import Study
from recmodels import artifacts


def write_tables(study: Study, folder: Path) -> None:
    """Write every table of the report, and all.tex, which shows them: the paper's first, then all others.

    Args:
        source: the study's tables.
        folder: where to.
    """
    taken, names = {"all"}, []
    for exhibit, block in in_order(study):
        name = file_name(exhibit, block["fold"], taken)
        title = f"{exhibit['title']}: {block['fold']}" if block["fold"] else exhibit["title"]
        # A folded table is context: the caption is about the one above it.
        caption = f"{title}." if block["fold"] else f"{title}. {exhibit['caption']}"
        artifacts.write_text(folder / f"{name}.tex", floating(block, caption.replace("?.", "?"), f"tab:{name}"))
        artifacts.write_text(folder / f"{name}.csv", block["frame"].to_csv(index=False, lineterminator="\n"))
        names.append(name)
    artifacts.write_text(folder / "all.tex", document(names))


def in_order(study: Study) -> list[tuple[Block, Block]]:
    """Every table of the report with its exhibit: those that are tables in the paper first."""
    found = [
        (exhibit, block)
        for section in sections(study)
        for exhibit in section["exhibits"]
        for block in exhibit["blocks"]
        if block["kind"] == "table" and block["rows"]
    ]
    return sorted(found, key=lambda pair: not pair[0]["number"].startswith("Table"))
