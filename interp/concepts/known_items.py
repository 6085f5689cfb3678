"""The data of a study as a recommender that is trained already knows them: its items, under the ids of the data."""

from dataclasses import replace

import pandas as pd

from recmodels.errors import InputError, quote
from recmodels.id_files import ids_like
from recmodels.interactions import Dataset
from recmodels.recommender import Recommender
from recmodels.vocabulary import Vocabulary


def with_ids_of(recommender: Recommender, dataset: Dataset) -> Recommender:
    """The recommender, its ids of items (and of users, if it scores by user) written as those of the data.

    Raises:
        InputError: the data have none of its items.
    """
    vocabulary, items = recommender.vocabulary, dataset.items.index
    ids, users = vocabulary.ids, vocabulary.users
    written = pd.Index(ids_like(ids.tolist(), items), name=ids.name)
    if not written.isin(dataset.interactions["item"]).any():
        raise InputError(
            f"the data {dataset.name} have none of the {len(ids):,} items of this recommender: it calls items "
            f"{quote(ids.tolist()[0])}, the data {quote(items.tolist()[0])}; give the data it was trained on, or its "
            f"item ids as the data write them (--item-ids)"
        )
    if users is not None:
        users = pd.Index(ids_like(users.tolist(), pd.Index(dataset.interactions["user"])), name=users.name)
    if written.equals(ids) and (users is None or users.equals(vocabulary.users)):
        return recommender
    return replace(recommender, vocabulary=replace(vocabulary, ids=written, users=users))


def with_items_of(dataset: Dataset, vocabulary: Vocabulary) -> tuple[Dataset, list[str]]:
    """The data of the items that a recommender knows, and what was left out or added, a sentence each.

    Interactions with other items are dropped, and those of other users, if it scores by user. Items of the recommender
    that the item table lacks get a row without attributes, with their id as title.
    """
    rows, items, notes = dataset.interactions, dataset.items, []
    is_known = rows["item"].isin(vocabulary.ids)
    if not is_known.all():
        n, other = int((~is_known).sum()), rows["item"][~is_known].nunique()
        notes.append(
            f"{n:,} of {len(rows):,} interactions ({n / len(rows):.1%}) are left out: the recommender does not know "
            f"their {other:,} items."
        )
        rows = rows[is_known].reset_index(drop=True)
    if vocabulary.users is not None and not (is_user := rows["user"].isin(vocabulary.users)).all():
        n, other = int((~is_user).sum()), rows["user"][~is_user].nunique()
        notes.append(
            f"{n:,} of {len(rows):,} interactions ({n / len(rows):.1%}) are left out: the recommender scores by user, "
            f"and does not know their {other:,} users."
        )
        rows = rows[is_user].reset_index(drop=True)
    absent = vocabulary.ids[~vocabulary.ids.isin(items.index)]
    if len(absent):
        titles = pd.DataFrame({"title": absent.astype(str)}, index=absent)
        items = pd.concat([items, titles])
        notes.append(
            f"{len(absent):,} of the recommender's {len(vocabulary):,} items are not in the item table: they have no "
            f"concepts, and their ids as titles."
        )
    return replace(dataset, interactions=rows, items=items) if notes else dataset, notes
