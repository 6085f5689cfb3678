"""The record of an analysis: the tables it computes, the exhibits it draws from them, and its claims.

    ANALYSIS = Analysis(
        "doses",
        "What a share of the lists costs",
        compute=doses,
        tables=(Table("doses", "least costly steers that reach a share", "target:text share_after:float …"),),
        exhibits=(Exhibit("beyond", answers),),
    )

The names of `compute`'s parameters say what it needs: an input (`interp.pipeline.inputs` lists them), or another table
with `_table` after its name, such as `concepts_table`. So it reads only what is part of its key. Claims name the tables
and inputs that they read in the same way.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import pandas as pd

from interp.store.claim import Claim

TABLE = "_table"  # what follows the name of a table in the name of a parameter
Kind = Literal["text", "int", "float", "bool"]
Part = TypeVar("Part", bound=Callable[..., Any])


@dataclass(frozen=True)
class Table:
    """A table of an analysis.

    Attributes:
        name: what `study.table` calls it.
        about: what its rows are, on a line.
        columns: the columns of a .csv file and what each holds, as "concept:text correlation:float …". A table without
            them is a .parquet file, which says so itself.
    """

    name: str
    about: str
    columns: str = ""

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.name}.csv" if self.columns else f"{self.name}.parquet"

    @property
    def kinds(self) -> dict[str, Kind]:
        """What each column of a .csv file holds."""
        pairs = (column.rsplit(":", 1) for column in self.columns.split())
        return {name: kind for name, kind in pairs}  # type: ignore[misc]


@dataclass(frozen=True)
class Exhibit:
    """A figure or table of the report.

    Attributes:
        section: where it stands: a section of the paper, such as "7.1.3", or "beyond".
        draw: makes it from a study: one block, or a list of blocks, which may be empty.
    """

    section: str
    draw: Callable[[Any], Any]


@dataclass(frozen=True)
class Analysis:
    """One topic of a study.

    Attributes:
        name: of its folder on disk and in `interp.analyses`.
        title: a few words.
        compute: makes its tables, by their names, from what its parameters name.
        tables: those that it makes.
        about_concepts: whether it says nothing without concepts; a study that has none leaves it out, and whatever
            needs its tables.
        version: raised when the same inputs give other tables.
        exhibits: what the report shows of it.
        claims: what it says of the study, each from what its parameters name.
    """

    name: str
    title: str
    compute: Callable[..., Mapping[str, pd.DataFrame]]
    tables: tuple[Table, ...]
    version: int = 1
    about_concepts: bool = False
    exhibits: tuple[Exhibit, ...] = ()
    claims: tuple[Callable[..., Claim], ...] = field(default=(), repr=False)

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of `compute`'s parameters."""
        return parameters(self.compute)

    def without(self, tables: set[str | None]) -> "Analysis":
        """It for a study without concepts: what is marked as `about_concepts` is gone, and claims on these tables."""
        kept = (part for part in self.claims if not tables & {table_of(need) for need in parameters(part)})
        return replace(
            self,
            exhibits=tuple(part for part in self.exhibits if not _is_marked(part.draw)),
            claims=tuple(part for part in kept if not _is_marked(part)),
        )

    @property
    def table_names(self) -> list[str]:
        """The names of its tables."""
        return [table.name for table in self.tables]


def about_concepts(part: Part) -> Part:
    """Mark the drawing of an exhibit, or a claim, that a study without concepts leaves out."""
    part.about_concepts = True  # type: ignore[attr-defined]
    return part


def _is_marked(part: Callable[..., Any]) -> bool:
    return getattr(part, "about_concepts", False)


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's parameters: what it needs."""
    return tuple(inspect.signature(function).parameters)


def table_of(need: str) -> str | None:
    """The name of the table that a parameter stands for; None if it stands for an input."""
    return need.removesuffix(TABLE) if need.endswith(TABLE) else None
