"""Two users' lists before and after."""

from interp.analyses.lists import exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "lists",
    "Two users' lists before and after",
    compute=tables.lists,
    tables=(
        Table(
            "lists",
            "two users' lists before and after (Figure 7)",
        ),
    ),
    exhibits=(Exhibit("8.1", exhibits.lists),),
)
