"""Each room imports only from rooms above it in one ordered list, annotations included; tests lie where rooms lie."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# From the top of the house to the bottom.
ROOMS = (
    "sae_registry",
    "sae_config",
    "config",
    "presets",
    "optional",
    "concepts",
    "steering",
    "serving",
    "sae",
    "model",
    "deployment",
    "activations",
    "features",
    "control",
    "store",
    "paper",
    "plots",
    "study",
    "analyses",
    "pages",
    "pipeline",
    "cli",
)
# Stems that may occur several times: fixed names inside a topic, and a package's own.
FIXED = ("__init__", "tables", "figures", "exhibits", "claims")


def modules(package):
    return sorted((ROOT / package).rglob("*.py"))


def imports(path):
    """Dotted names of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(dotted):
    parts = dotted.split(".")
    return parts[1] if parts[0] == "interp" and len(parts) > 1 else None


def test_every_module_belongs_to_a_room():
    names = {
        path.stem if path.parent.name == "interp" else path.relative_to(ROOT).parts[1] for path in modules("interp")
    }
    assert names - {"__init__", "__main__"} <= set(ROOMS)


@pytest.mark.parametrize("path", modules("interp"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_rooms_import_only_from_rooms_above(path):
    here = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if here in (None, "__init__", "__main__"):
        return  # the public face
    below = {
        name for name in imports(path) if (other := room(name)) in ROOMS and ROOMS.index(other) > ROOMS.index(here)
    }
    assert not below, f"{here} is above what it imports"


@pytest.mark.parametrize("path", modules("recmodels"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_recommenders_know_nothing_of_interpretation(path):
    assert not [name for name in imports(path) if name.split(".")[0] == "interp"]


@pytest.mark.parametrize("package", ["interp", "recmodels"])
def test_there_are_no_cycles(package):
    known = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in modules(package)
    }
    graph = {}
    for name, path in known.items():
        targets = {other if other in known else other.rpartition(".")[0] for other in imports(path)}
        graph[name] = {
            target for target in targets if target in known and target != name and not name.startswith(f"{target}.")
        }
    graph.pop(package)  # the public face names everything
    done, open_ = set(), []

    def visit(name):
        assert name not in open_, " → ".join([*open_[open_.index(name) :], name])
        if name in done or name == package:
            return
        open_.append(name)
        for target in sorted(graph[name]):
            visit(target)
        done.add(open_.pop())

    for name in sorted(graph):
        visit(name)


@pytest.mark.parametrize("package", ["interp", "recmodels"])
def test_no_file_name_occurs_twice(package):
    places = defaultdict(list)
    for path in modules(package):
        if path.stem not in FIXED:
            places[path.stem].append(path.relative_to(ROOT).as_posix())
    assert not {stem: paths for stem, paths in places.items() if len(paths) > 1}
