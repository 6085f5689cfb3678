"""Users of a study by id, and by what their histories hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from recmodels.errors import InputError, quote
from recmodels.lists import elements, user_index
from recmodels.recommender import Recommender
from recmodels.sequences import Histories, Vocabulary, histories_of
from recmodels.wording import counted


def by_id(table: pd.DataFrame, ids: Sequence[Any], vocabulary: Vocabulary) -> Histories:
    """The histories of users by id, in the order of the ids.

    Args:
        table: a study's table `users`.
        ids: of users.
        vocabulary: the recommender's items.

    Raises:
        InputError: no user is named, or one that the table lacks.
    """
    if not ids:
        raise InputError("no user is named: give an id, such as study.user(874); all test users are study.users()")
    if any(elements(user) is not None and not isinstance(user, tuple) for user in ids):
        raise InputError("ids of users are given one by one: write study.user(*ids)")
    users = pd.Index(table["user"].unique())
    places_of(ids, users, "this study's histories")
    histories = histories_of(table[table["user"].isin(list(ids))], vocabulary, is_ordered=True)
    return histories.select(places_of(ids, histories.users, ""))


def places_of(ids: Sequence[Any], users: pd.Index, where: str) -> np.ndarray:
    """The places of users among others, each once: int.

    Raises:
        InputError: one is none of them, or no id.
    """
    try:
        places = users.get_indexer(user_index(list(ids)))
    except TypeError:  # not hashable
        places = np.array([-1])
    if (places < 0).any():
        unknown = [user for user, place in zip(ids, places, strict=False) if place < 0]
        raise InputError(
            f"{counted(len(unknown), 'user is', 'users are')} not in {where} "
            f"({', '.join(map(quote, unknown[:3]))}): {_advice(unknown, users)}"
        )
    return places


def with_item(recommender: Recommender, item: Any, histories: Any) -> Histories:
    """Those of many histories that hold an item.

    Raises:
        InputError: none does, a history cannot be read, or the item is unknown.
    """
    rows = recommender.histories(histories)
    (code,) = recommender.vocabulary.encode([item])
    owner = np.repeat(np.arange(len(rows)), rows.lengths)
    places = np.unique(owner[rows.codes == code])
    if not len(places):
        these = "this history does not hold" if len(rows) == 1 else f"none of these {len(rows):,} histories holds"
        raise InputError(f"{these} item {quote(item)}: give others with users=")
    return rows.select(places)


def _advice(unknown: list[Any], users: pd.Index) -> str:
    """What to write in place of users who are not there: their ids in the type of those that are, if that is all."""
    labels = users.tolist()
    by_text = {str(label): label for label in labels}
    written = [by_text.get(str(user).strip()) for user in unknown]
    if labels and all(label is not None for label in written):
        kind = "text" if isinstance(written[0], str) else "numbers"
        return f"these ids are {kind}, so write {', '.join(map(quote, written[:3]))}"
    return f"write ids as there, such as {quote(labels[0])}; or give histories"
