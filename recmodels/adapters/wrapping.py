"""From an adapter and item ids to a recommender."""

from typing import Any

import pandas as pd

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.checks import adapted
from recmodels.adapters.form import check_form
from recmodels.adapters.origin import Origin
from recmodels.adapters.uncompiled import uncompiled
from recmodels.adapters.verification import verified
from recmodels.columns import are_ids, is_empty, plain_ids
from recmodels.errors import InputError, quote
from recmodels.lists import as_column, no_users, user_index
from recmodels.plain import plain
from recmodels.recommender import Recommender
from recmodels.vocabulary import Vocabulary
from recmodels.wording import counted


def wrap(
    adapter: Adapter, item_ids: Any = None, users: Any = None, *, expected: Any = None, source: str = ""
) -> Recommender:
    """A trained module of another program as a recommender; what the adapter says is measured.

    Args:
        adapter: how the module reads histories and scores items.
        item_ids: your ids of the items, in the order of the adapter's scores.
        users: your ids of the users, in the order of the module's rows, if the adapter scores by user; by default those
            that the adapter knows.
        expected: scores that the other program itself gave (`recmodels.adapters.expected`); without them the
            recommender is unverified.
        source: where the module comes from, for the record.

    Raises:
        InputError: there are fewer or more ids than scores, users are missing or too many, something is not as the
            adapter says, or a score is another one than expected.
    """
    check_form(adapter)
    if item_ids is None:
        raise InputError(
            f"{type(adapter).__name__} scores {adapter.n_items:,} items: give item_ids=, your id of each in the order "
            f"of its scores"
        )
    users = adapter.users if users is None and adapter.by_user else users
    if adapter.by_user == (users is None):
        needs = "scores by user: give users=, their ids in the order of its rows"
        raise InputError(f"{type(adapter).__name__} {needs if adapter.by_user else 'reads no users: leave users= out'}")
    ids, labels = _ids(item_ids, "item"), None if users is None else _ids(users, "user")
    if len(ids) != adapter.n_items:
        raise InputError(
            f"{type(adapter).__name__} scores {counted(adapter.n_items, 'item')}, and "
            f"{counted(len(ids), 'item id was', 'item ids were')} given: give an id for each, in the order of scores"
        )
    adapter.module = uncompiled(adapter.module)
    model = adapted(adapter, 0 if labels is None else len(labels))
    origin = Origin(adapter.name or type(adapter).__name__, source, model.config.causal)
    recommender = Recommender(model, Vocabulary(ids, adapter.columns, labels), origin=origin)
    return recommender if expected is None else verified(recommender, expected)


def _ids(values: Any, name: str) -> pd.Index:
    ids = plain_ids(plain(as_column(values)))
    bad = is_empty(ids).to_numpy()
    if bad.any():
        raise InputError(f"{name} id {int(bad.argmax())} is missing: give an id for each {name}")
    bad = ~are_ids(ids) if name == "item" else no_users(ids)
    if bad.any():
        raise InputError(
            f"{quote(ids.tolist()[int(bad.argmax())])} is not an id: give a whole number or text for each {name}"
        )
    index = user_index(ids).rename(name)
    if not index.is_unique:
        raise InputError(f"{name} {quote(index[index.duplicated()].tolist()[0])} is there twice: give each id once")
    return index
