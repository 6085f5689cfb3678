"""The key of a table: everything that it is computed from. A table with an outdated key is computed again.

The key of an analysis holds its version, the keys of all that it needs, and the value of every constant that can shape
its tables: the names in CAPITALS of its own module and of the modules that this imports. A constant that shapes
nothing, such as the size of a batch or what is shown, begins with an underscore.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from interp.store.analysis import Analysis
from recmodels import artifacts

# Rooms that compute. What is imported from others decides no number.
_ROOMS = ("interp.concepts", "interp.sae", "interp.steering", "interp.activations", "interp.features", "interp.control")
_OTHERS = ("interp.analyses", "recmodels.metrics", "recmodels.ranking")


def analysis_key(analysis: Analysis, needs: Mapping[str, Any]) -> dict[str, Any]:
    """What the tables of an analysis follow from, as JSON values.

    Args:
        analysis: which.
        needs: the key of everything that it needs, by name.
    """
    return {
        "version": analysis.version,
        "needs": {name: needs[name] for name in analysis.needs},
        "constants": artifacts.json_sha256(constants(analysis.compute.__module__)),
    }


def constants(module: str) -> dict[str, Any]:
    """The constants of a module and of those that it imports from rooms that compute, by dotted name."""
    values: dict[str, Any] = {}
    for name in sorted(_closure(module)):
        for key, value in vars(import_module(name)).items():
            if key.isupper() and not key.startswith("_"):
                plain = _plain(value)
                if plain is not None:
                    values[f"{name}.{key}"] = plain
    return values


@cache
def _closure(module: str) -> frozenset[str]:
    """The module and all that it imports, directly or not, from rooms that compute."""
    modules, todo = {module}, [module]
    while todo:
        for name in _imports(import_module(todo.pop())):
            if name not in modules and name.startswith((*_ROOMS, *_OTHERS)):
                modules.add(name)
                todo.append(name)
    return frozenset(modules)


def _imports(module: ModuleType) -> Iterator[str]:
    path = getattr(module, "__file__", None)  # a notebook has none
    if path is None:
        return
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (name for alias in node.names if (name := f"{node.module}.{alias.name}") in sys.modules)


def _plain(value: Any) -> Any:
    """A constant as JSON values; None for values that are not constants: functions, patterns, types of annotations."""
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, tuple | list | range):
        parts = [_plain(part) for part in value]
        return None if any(part is None for part in parts) else parts
    if isinstance(value, frozenset | set):
        return _plain(sorted(value, key=str))
    if isinstance(value, Mapping):
        entries = {str(key): _plain(part) for key, part in value.items()}
        return None if any(part is None for part in entries.values()) else entries
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    return getattr(value, "pattern", None)
