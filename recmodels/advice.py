"""How error messages about a table end: what to do, by what is wrong with it."""

from dataclasses import dataclass
from typing import Literal

Fault = Literal["cell", "time", "names", "rows", "encoding", "empty"]


@dataclass(frozen=True)
class Advice:
    """What to do about a table; where a field is empty, `cell` says it.

    Attributes:
        cell: about a cell that does not hold what its column should.
        time: about a cell that is no time in the form that is read.
        names: about names of columns: one is missing, there twice, or the row of names is blank.
        rows: about a row with more or fewer cells than columns.
        encoding: about text in another encoding.
        empty: about a table without rows.
    """

    cell: str
    time: str = ""
    names: str = ""
    rows: str = ""
    encoding: str = ""
    empty: str = ""

    def on(self, fault: Fault) -> str:
        """The end of the message about a fault."""
        return getattr(self, fault) or self.cell


OFFICIAL = Advice("get the official file")
