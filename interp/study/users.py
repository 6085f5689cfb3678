"""Users of a study by id, and by what their histories hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from recmodels.errors import InputError, quote
from recmodels.lists import elements, user_index
from recmodels.recommender import Recommender
from recmodels.sequences import Histories, Vocabulary, histories_of


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
            f"{len(unknown)} {'user is' if len(unknown) == 1 else 'users are'} not in {where} "
            f"({', '.join(map(quote, unknown[:3]))}): write ids as there, such as {quote(users[:1].tolist()[0])}; "
            f"or give histories"
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
        raise InputError(f"none of these {len(rows):,} histories holds item {quote(item)}: give others with users=")
    return rows.select(places)
