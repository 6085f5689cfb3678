"""Histories of users whom the dictionary never saw."""

from interp.analyses.users import tables
from interp.store.analysis import Analysis, Table

ANALYSIS = Analysis(
    "users",
    "Histories of users whom the dictionary never saw",
    compute=tables.users,
    tables=(
        Table(
            "users",
            "histories of the test users and of those held out of the SAE part",
        ),
    ),
)
