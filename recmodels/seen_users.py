"""Which users a recommender was trained on: what a study may say of its test users depends on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from recmodels.artifacts import json_sha256
from recmodels.errors import InputError, quote
from recmodels.id_files import ids_like, read_ids
from recmodels.lists import members


@dataclass(frozen=True)
class SeenUsers:
    """The users of a data set that a recommender was trained on.

    Attributes:
        which: "all" (or not known), "none", "some", or "leave-one-out" for all but their last two items.
        users: those of "some" that the data have.
        n_unknown: how many of them the data lack.
    """

    which: Literal["all", "none", "some", "leave-one-out"]
    users: frozenset[Any] = frozenset()
    n_unknown: int = 0

    @property
    def key(self) -> list[str]:
        """What results follow from, as JSON values."""
        return [self.which, json_sha256(sorted(self.users, key=str))] if self.which == "some" else [self.which]

    def may_test(self, users: pd.Series) -> np.ndarray:
        """Which rows are of users that may be test users: those whom it has not seen, or all unless it saw some.

        bool [row]
        """
        return ~users.isin(self.users).to_numpy() if self.which == "some" else np.ones(len(users), dtype=bool)


def seen_users(which: Any, users: pd.Series) -> SeenUsers:
    """Which users of a data set were seen.

    Args:
        which: "all", "none", a file of user ids (`recmodels.id_files.read_ids`), or the ids themselves.
        users: those of the data, with repetitions.

    Raises:
        InputError: it can be read as none of these, or the data have none of the users.
    """
    if isinstance(which, str) and which in ("all", "none"):
        return SeenUsers("all" if which == "all" else "none")
    ids = read_ids(which, "user") if isinstance(which, str | Path) else _ids(which)
    index = pd.Index(users.unique())
    ids = ids_like(ids, index)
    present = frozenset(index[index.isin(ids)].tolist())
    if not present:
        raise InputError(
            f"the data have none of the {len(set(ids)):,} seen users (such as {quote(ids[0])}): write their ids as the "
            f'data do, such as {quote(index.tolist()[0])}, or say seen_users="none"'
        )
    if len(present) == len(index):
        return SeenUsers("all")
    return SeenUsers("some", present, len(set(ids) - present))


def _ids(which: Any) -> list[Any]:
    ids = members(which)
    if not ids:
        raise InputError(f'seen users are {quote(which)}: give "all", "none", a file of ids, or a list of them')
    return [item.item() if isinstance(item, np.generic) else item for item in ids]
