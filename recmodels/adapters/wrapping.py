"""From an adapter and item ids to a recommender."""

from typing import Any

import pandas as pd

from recmodels.adapters.adapted import adapted
from recmodels.adapters.adapter import Adapter
from recmodels.columns import plain_ids
from recmodels.errors import InputError, quote
from recmodels.lists import as_column, user_index
from recmodels.plain import plain
from recmodels.recommender import Recommender
from recmodels.sequences import Vocabulary


def wrap(adapter: Adapter, item_ids: Any, users: Any = None) -> Recommender:
    """A trained module of another program as a recommender.

    Args:
        adapter: how the module reads histories and scores items.
        item_ids: your ids of the items, in the order of the adapter's scores.
        users: your ids of the users, in the order of the module's rows, if the adapter scores by user.

    Raises:
        InputError: there are fewer or more ids than scores, users are missing or too many, or a site is not where the
            adapter says.
    """
    if adapter.by_user == (users is None):
        needs = "scores by user: give users=, their ids in the order of its rows"
        raise InputError(f"{type(adapter).__name__} {needs if adapter.by_user else 'reads no users: leave users= out'}")
    labels = None if users is None else user_index(plain_ids(plain(as_column(users))))
    if labels is not None and not labels.is_unique:
        raise InputError(f"user {quote(labels[labels.duplicated()].tolist()[0])} is there twice: give each user once")
    ids = pd.Index(list(as_column(item_ids)), name="item")
    return Recommender(adapted(adapter), Vocabulary(ids, adapter.columns, labels))
