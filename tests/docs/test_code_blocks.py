"""README and docs do what they say: every block of Python is executed, every command is parsed, every link leads on."""

import functools
import json
import re
import shlex
import shutil
import sys
import types

import generated_pages
import pandas as pd
import pytest
from code_blocks import LANGUAGES, PAGES, ROOT, blocks_of, commands_of, name_of, python_blocks
from packaging.requirements import Requirement
from tyro.extras import SubcommandApp

import interp
import recmodels
from interp import cli
from interp.cli.words import full_flags
from interp.pipeline.inputs import INPUTS
from interp.presets import PRESETS
from interp.store import registry
from recmodels.datasets.planted import PlantedConfig, load

MAX_NOT_RUN = 3
RUN = ("steer", "dose", "calibrate", "report", "bundle", "dictionary")  # commands that take seconds on a finished study
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.fixture(scope="session")
def workplace(films_study, tmp_path_factory):
    """A folder with all that the pages speak of: a finished study, and a reader's own two tables."""
    folder = tmp_path_factory.mktemp("workplace")
    for name in ("ml-100k", "march", "april"):
        shutil.copytree(films_study, folder / "artifacts" / name)
    library(folder)
    return folder


def library(folder):
    """Loans and books of the pages about one's own data: subjects in one cell, dates, ids of text."""
    planted = load(PlantedConfig(users=250, items=96, concepts=6, mean_length=18, drift=0.05))
    subjects = dict(zip(sorted({c for row in planted.items["concepts"] for c in row}), SUBJECTS, strict=True))
    rows = planted.interactions
    first = pd.Timestamp("2020-01-01")
    loans = {
        "reader": [f"reader-{user:03}" for user in rows["user"]],
        "isbn": [f"978-{item:04}" for item in rows["item"]],
        "date": first + pd.to_timedelta(rows["time"].rank(method="first"), unit="h"),
    }
    books = {
        "isbn": [f"978-{item:04}" for item in planted.items.index],
        "name": planted.items["title"],
        "subjects": ["|".join(subjects[name] for name in row) for row in planted.items["concepts"]],
    }
    pd.DataFrame(loans).to_csv(folder / "loans.csv", index=False)
    pd.DataFrame(books).to_csv(folder / "books.csv", index=False)


SUBJECTS = ["crime", "gardening", "history", "poetry", "science", "travel"]


@pytest.fixture
def at_work(workplace, monkeypatch):
    """Work there, as in a fresh process: nothing that a page registers stays."""
    monkeypatch.chdir(workplace)
    monkeypatch.setenv("INTERP_CACHE", str(workplace / "cache"))
    registry.analyses()
    contents = [(registered, dict(registered)) for registered in registries()]
    yield workplace
    for registered, content in contents:
        registered.clear()
        registered.update(content)


def registries():
    """Every mapping that is a global name of a module of the two packages."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in ("interp", "recmodels")]
    everything = [value for module in modules for key, value in vars(module).items() if not key.startswith("__")]
    return [value for value in everything if isinstance(value, dict)]


@pytest.mark.parametrize("page", [page for page in PAGES if python_blocks(page)], ids=name_of)
def test_python_blocks_run_in_order(page, at_work, tmp_path, monkeypatch):
    """In one namespace, like the cells of a notebook: a module without a file, whose code has one."""
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    for block in python_blocks(page):
        path = tmp_path / f"line_{block.line}.py"
        path.write_text(block.code)
        exec(compile(block.code, str(path), "exec"), vars(module))


@pytest.mark.parametrize("page", [page for page in PAGES if commands_of(page)], ids=name_of)
def test_commands_are_understood(page, at_work, monkeypatch, capsys):
    for command in commands_of(page):
        program, *words = shlex.split(command)
        CHECKS[program](words)
        if program == "interp" and words[0] in RUN and FOLDER in words:
            monkeypatch.setattr(sys, "argv", ["interp", *words])
            cli.main()
            assert capsys.readouterr().out.strip()


FOLDER = "artifacts/ml-100k"


@functools.cache
def parser():
    """The command line, whose commands do nothing."""
    app = SubcommandApp()
    cli.offer(PRESETS)
    modules = [module for module in vars(cli).values() if isinstance(module, types.ModuleType)]
    functions = {name: value for module in modules for name, value in vars(module).items()}
    for name in generated_pages.command_names():
        function = functions[name.replace("-", "_")]
        app.command(functools.wraps(function)(lambda *_, **__: None), name=name)
    return app


def check_interp(words):
    if "--help" in words:
        with pytest.raises(SystemExit, match="0"):
            parser().cli(prog="interp", args=words)
    else:
        parser().cli(prog="interp", args=full_flags(words))


def check_make(words):
    targets = set(re.findall(r"^([\w ]+):", MAKEFILE, re.MULTILINE))
    target = next(word for word in words if "=" not in word)
    assert target in {name for line in targets for name in line.split()}, target


def check_pip(words):
    """Known packages: of the version that the Makefile installs, or this one with extras that it has."""
    assert words.pop(0) == "install"
    for word in words:
        if word.startswith("."):
            extras = re.findall(r"\w+", word)
            assert all(f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text() for extra in extras)
        elif word not in ("--no-deps", "--editable"):
            assert str(Requirement(word)) in MAKEFILE or word in ("pre-commit", "build"), word


def check_npm(words):
    """Packages that the repository's own package.json names."""
    assert words.pop(0) == "install"
    assert set(words) <= set(json.loads((ROOT / "package.json").read_text())["devDependencies"]), words


CHECKS = {
    "interp": check_interp,
    "make": check_make,
    "pip": check_pip,
    "npm": check_npm,
    "uv": lambda words: check_pip(words[1:]),
    "git": lambda words: None,
    "torchrun": lambda words: check_interp(words[words.index("interp") + 1 :]),
    "pre-commit": lambda words: None,
    "python": lambda words: (ROOT / words[0]).is_file() or words[0] == "-m" or pytest.fail(words[0]),
    ".venv/bin/python": lambda words: (ROOT / words[0]).is_file() or words[0] == "-m" or pytest.fail(words[0]),
}


def test_blocks_say_their_language_and_few_are_not_run():
    every = [block for page in PAGES for block in blocks_of(page)]
    assert {block.language for block in every} <= LANGUAGES
    assert sum(bool(block.reason) for block in every) <= MAX_NOT_RUN
    assert sum(block.language == "python" and not block.reason for block in every) > 25


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page):
    """Those within the project; pages that a hook generates are known by it."""
    generated = {f"docs/{path}" for path in generated_pages.PAGES} | {"docs/tutorials/"}
    text = re.sub(r"```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        path = (page.parent / target).resolve().relative_to(ROOT).as_posix()
        assert (ROOT / path).exists() or path.startswith(tuple(generated)), target


def test_the_readme_is_short():
    assert (ROOT / "README.md").read_text().count("\n") <= 130


def test_every_input_is_described():
    """The table of inputs on the page about analyses is that of `INPUTS`, names and texts."""
    text = (ROOT / "docs" / "how-to" / "own-analysis.md").read_text()
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| (.*) \|$", text, re.MULTILINE)
    assert rows == [(name, source.about) for name, source in INPUTS.items()]


@pytest.mark.parametrize("package", [interp, recmodels], ids=lambda package: package.__name__)
def test_the_reference_has_the_public_face(package):
    names = [name for _, group in generated_pages.groups(package) for name in group]
    assert {*names, "__version__"} == set(package.__all__)


def test_the_reference_has_every_command_and_table():
    assert {"demo", "study", "steer", "dose"} <= set(generated_pages.command_names())
    text = generated_pages.tables()
    for analysis in registry.analyses():
        for table in analysis.tables:
            assert f"**`{table.name}`**" in text


def test_versions_agree():
    """Of the package, the citation and the changelog."""
    assert f"version: {interp.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## [{interp.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
