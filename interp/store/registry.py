"""The registry of analyses, in the order of work: those of `interp.analyses`, and those of installed packages.

A notebook or script adds its own with `register_analysis`. A package adds its own with an entry point in the group
`interp.analyses`, which names a module that calls it (docs/how-to/own-analysis.md).
"""

from collections.abc import Iterator

from interp.store.analysis import Analysis, Table, parameters, table_of
from recmodels.errors import InputError
from recmodels.plugins import import_entry_points
from recmodels.quick_imports import import_quickly

GROUP = "interp.analyses"
_REGISTRY: dict[str, Analysis] = {}
_IMPORTS: list[bool] = []


def register_analysis(analysis: Analysis) -> Analysis:
    """Add an analysis: studies compute its tables, and reports show its exhibits and claims.

    An analysis replaces an earlier one of the same name. docs/how-to/own-analysis.md has an example.

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


def analyses(concepts: bool = True) -> list[Analysis]:
    """All of them, each after those whose tables it needs.

    Args:
        concepts: whether the study has concepts; what says nothing without them is left out otherwise.

    Raises:
        InputError: an analysis needs a table that no analysis makes, or two need each other's tables.
    """
    _load()
    order: dict[str, Analysis] = {}
    for analysis in _REGISTRY.values():
        _visit(analysis, order, ())
    return list(order.values()) if concepts else _without_concepts(list(order.values()))


def _without_concepts(in_order: list[Analysis]) -> list[Analysis]:
    """Those that a study without concepts has: not what is about concepts, and nothing that needs its tables."""
    gone: set[str | None] = set()
    for analysis in in_order:
        if analysis.about_concepts or gone & {table_of(need) for need in analysis.needs}:
            gone.update(analysis.table_names)
    gone.discard(None)
    return [analysis.without(gone) for analysis in in_order if not gone & set(analysis.table_names)]


def owner(table: str) -> Analysis:
    """The analysis that makes a table.

    Raises:
        InputError: no analysis makes it.
    """
    _load()
    owners = _owners()
    if table not in owners:
        raise InputError(f"there is no table {table!r}: choose one of {', '.join(sorted(owners))}")
    return owners[table]


def describe(table: str) -> Table:
    """The description of a table.

    Raises:
        InputError: no analysis makes it.
    """
    return next(entry for entry in owner(table).tables if entry.name == table)


def _load() -> None:
    """Import the analyses of this package and of installed ones, once."""
    _load_ours()
    import_entry_points(GROUP)


def _load_ours() -> None:
    if not _IMPORTS:
        _IMPORTS.append(True)
        # By name: this room does not import the rooms above it in the house.
        for analysis in import_quickly("interp.analyses").ANALYSES:
            register_analysis(analysis)


def _owners() -> dict[str, Analysis]:
    return {table.name: analysis for analysis in _REGISTRY.values() for table in analysis.tables}


def _visit(analysis: Analysis, order: dict[str, Analysis], above: tuple[str, ...]) -> None:
    if analysis.name in order:
        return
    if analysis.name in above:
        raise InputError(f"analyses need each other's tables: {' → '.join([*above, analysis.name])}")
    for other in _dependencies(analysis):
        _visit(other, order, (*above, analysis.name))
    order[analysis.name] = analysis


def _dependencies(analysis: Analysis) -> Iterator[Analysis]:
    owners = _owners()
    for need in parameters(analysis.compute):
        table = table_of(need)
        if table is None:
            continue
        if table not in owners:
            raise InputError(f"analysis {analysis.name} needs a table {table!r}, which no analysis makes")
        if owners[table].name != analysis.name:
            yield owners[table]
