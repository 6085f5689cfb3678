"""Pages of the reference that follow from the code, so that they cannot differ from it. A hook of mkdocs."""

import contextlib
import io
import os
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import interp
import recmodels
from interp import cli
from interp.plots.scorecard_columns import SCORES
from interp.store.registry import analyses

ROOT = Path(__file__).parents[2]
WIDTH = 84  # characters of a line of help
KINDS = {"text": "text", "int": "whole number", "float": "number", "bool": "true or false"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those of the folder docs."""
    for path, make in PAGES.items():
        files.append(File.generated(config, path, content=make()))
    return files


def public_face(package: ModuleType) -> str:
    """Every name that a package exports, under the headings that its source gives them."""
    lines = [f"# Package {package.__name__}", "", *(package.__doc__ or "").splitlines(), ""]
    for heading, names in groups(package):
        lines += [f"## {heading}", ""] if heading else []
        elsewhere = [name for name in names if package is not interp and name in interp._HOMES]
        if elsewhere:
            links = ", ".join(f"[`{name}`][{package._HOMES[name]}.{name}]" for name in elsewhere)
            lines += [f"Names that package interp has as well are described there: {links}.", ""]
        for name in names:
            if name in elsewhere:
                continue
            lines += [f"::: {package._HOMES[name]}.{name}", "    options:"]
            lines += [f"      heading: {package.__name__}.{name}", f"      toc_label: {name}"]
            lines += ["      inherited_members: true", ""] if name == "Study" else [""]  # it has several parts
    return "\n".join(lines)


def groups(package: ModuleType) -> Iterator[tuple[str, list[str]]]:
    """Headings and the names below each: comments and keys of `_HOMES` in the package's source."""
    source = Path(str(package.__file__)).read_text(encoding="utf-8")
    heading, names = "", []
    for line in source.split("_HOMES = {", 1)[1].split("\n}", 1)[0].splitlines():
        if comment := re.match(r"\s*# (.*)", line):
            yield heading, names
            heading, names = comment[1], []
        elif entry := re.match(r'\s*"(\w+)":', line):
            names.append(entry[1])
    yield heading, names


def tables() -> str:
    """Every analysis in the order of work, its tables and their columns."""
    lines = [
        "# Tables",
        "",
        "`study.table(NAME)` gives each of these as a pandas frame. The order is that of work: an analysis may need",
        "tables of those before it. What else it needs is one of the [inputs](../how-to/own-analysis.md#inputs).",
        "A table without a list of columns is a .parquet file, which has its own types.",
        "",
    ]
    for analysis in analyses():
        lines += [f"## {analysis.title}", "", f"Analysis `{analysis.name}`, version {analysis.version}.", ""]
        lines += ["Needs " + ", ".join(f"`{need}`" for need in analysis.needs) + ".", ""]
        for table in analysis.tables:
            lines += [f"**`{table.name}`**: {table.about}.", ""]
            if table.columns:
                columns = ", ".join(f"`{name}` ({KINDS[kind]})" for name, kind in table.kinds.items())
                lines += [f'??? note "Columns of {table.file}"', "", f"    {columns}", ""]
    return "\n".join(lines)


def scorecard() -> str:
    """Every column of the scorecard, by group."""
    lines = [
        "# Columns of the scorecard",
        "",
        "`interp scorecard` and `interp.scorecard` have a row for each dictionary with these columns, beside `run`,",
        "`site`, `dictionary`, `kind`, `n_features` and `seed`. [Compare dictionaries](../how-to/scorecard.md) says",
        "how to read them.",
        "",
    ]
    for group in dict.fromkeys(score.group for score in SCORES):
        lines += [f"## {group}", "", "| column | on the page | better | what it is |", "|---|---|---|---|"]
        for score in SCORES:
            if score.group == group:
                lines.append(f"| `{score.key}` | {score.head} | {score.better} | {score.about} |")
        lines.append("")
    return "\n".join(lines)


def command_line() -> str:
    """What `--help` prints for every command."""
    lines = [
        "# Command line",
        "",
        "What `interp COMMAND --help` prints. `interp study PRESET --help` has a flag for every setting of a study;",
        "they are the fields of [StudyConfig](interp.md#interp.config.StudyConfig). A mistake is answered in one line,",
        "with exit status 2.",
        "",
    ]
    for arguments in ((), *((name,) for name in command_names())):
        lines += [f"## {' '.join(('interp', *arguments))}", "", "```text", help_of(*arguments), "```", ""]
    return "\n".join(lines)


def command_names() -> list[str]:
    """The commands that `interp --help` lists."""
    usage = re.search(r"\{([\w,\s-]+)\}", help_of())  # which goes over lines
    return re.sub(r"\s", "", usage[1]).split(",") if usage else []


def help_of(*arguments: str) -> str:
    """What a command answers to --help."""
    printed, width = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(WIDTH)
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            cli.commands.app.cli(
                prog="interp", description=str(interp.__doc__).splitlines()[0], args=[*arguments, "--help"]
            )
    finally:
        os.environ.pop("COLUMNS") if width is None else os.environ.update(COLUMNS=width)
    printed.seek(0)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed.read()).splitlines()
    return "\n".join(textwrap.fill(line, WIDTH) if len(line) > WIDTH else line for line in lines).rstrip()


def root_file(name: str) -> str:
    """A file of the project's root as a page: its links into docs lead to pages, others are only named."""
    text = (ROOT / name).read_text(encoding="utf-8")
    text = re.sub(r"^## \[(.+?)\]", r"## \1", text, flags=re.MULTILINE)
    text = re.sub(r"\]\(docs/([^)]+)\)", r"](\1)", text)
    return re.sub(r"\[([^\]]+)\]\((?!https?:|#)(?![\w/-]+\.md[)#])[^)]+\)", r"\1", text)


PAGES: dict[str, Callable[[], str]] = {
    "reference/interp.md": lambda: public_face(interp),
    "reference/recmodels.md": lambda: public_face(recmodels),
    "reference/tables.md": tables,
    "reference/scorecard.md": scorecard,
    "reference/command-line.md": command_line,
    "security.md": lambda: root_file("SECURITY.md"),
    "changelog.md": lambda: root_file("CHANGELOG.md"),
    "contributing.md": lambda: root_file("CONTRIBUTING.md"),
}
