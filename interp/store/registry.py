"""All analyses that are known, in the order of work: those of `interp.analyses`, and of installed packages.

A notebook or script adds one of its own by `register_analysis`; a package by an entry point in the group
`interp.analyses`, which names a module that does so (docs/how-to/own-analysis.md).
"""

from collections.abc import Iterator
from importlib import import_module

from interp.store.analysis import Analysis, Table, parameters, table_of
from recmodels.errors import InputError
from recmodels.plugins import import_entry_points

GROUP = "interp.analyses"
_REGISTRY: dict[str, Analysis] = {}
_LOADED: list[bool] = []


def register_analysis(analysis: Analysis) -> Analysis:
    """Make an analysis known: studies compute its tables, and reports have its exhibits and claims.

    One that is registered again under its name takes the other one's place. docs/how-to/own-analysis.md has an example.

    Raises:
        InputError: another analysis has a table of the same name.
    """
    _load_ours()
    for table in analysis.tables:
        other = _owners().get(table.name)
        if other is not None and other.name != analysis.name:
            raise InputError(f"analyses {other.name} and {analysis.name} both make a table {table.name}: rename one")
    _REGISTRY[analysis.name] = analysis
    return analysis


def analyses() -> list[Analysis]:
    """All of them, each after those whose tables it needs.

    Raises:
        InputError: one needs a table that none makes, or two need each other's.
    """
    _load()
    order: dict[str, Analysis] = {}
    for analysis in _REGISTRY.values():
        _visit(analysis, order, ())
    return list(order.values())


def owner(table: str) -> Analysis:
    """The analysis that makes a table.

    Raises:
        InputError: none does.
    """
    _load()
    owners = _owners()
    if table not in owners:
        raise InputError(f"there is no table {table!r}: choose one of {', '.join(sorted(owners))}")
    return owners[table]


def describe(table: str) -> Table:
    """What is known of a table.

    Raises:
        InputError: no analysis makes it.
    """
    return next(entry for entry in owner(table).tables if entry.name == table)


def _load() -> None:
    """Import the analyses of this package and of installed ones, once."""
    _load_ours()
    import_entry_points(GROUP)


def _load_ours() -> None:
    if not _LOADED:
        _LOADED.append(True)
        # By name: what is built on top of this room is not known to it.
        for analysis in import_module("interp.analyses").ANALYSES:
            register_analysis(analysis)


def _owners() -> dict[str, Analysis]:
    return {table.name: analysis for analysis in _REGISTRY.values() for table in analysis.tables}


def _visit(analysis: Analysis, order: dict[str, Analysis], above: tuple[str, ...]) -> None:
    if analysis.name in order:
        return
    if analysis.name in above:
        raise InputError(f"analyses need each other's tables: {' → '.join([*above, analysis.name])}")
    for other in _needed(analysis):
        _visit(other, order, (*above, analysis.name))
    order[analysis.name] = analysis


def _needed(analysis: Analysis) -> Iterator[Analysis]:
    owners = _owners()
    for need in parameters(analysis.compute):
        table = table_of(need)
        if table is None:
            continue
        if table not in owners:
            raise InputError(f"analysis {analysis.name} needs a table {table!r}, which no analysis makes")
        if owners[table].name != analysis.name:
            yield owners[table]
