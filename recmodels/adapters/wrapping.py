"""From an adapter and item ids to a recommender."""

from typing import Any

import pandas as pd

from recmodels.adapters.adapted import adapted
from recmodels.adapters.adapter import Adapter
from recmodels.lists import as_column
from recmodels.recommender import Recommender
from recmodels.sequences import Vocabulary


def wrap(adapter: Adapter, item_ids: Any) -> Recommender:
    """A trained module of another program as a recommender.

    Args:
        adapter: how the module reads histories and scores items.
        item_ids: your ids of the items, in the order of the adapter's scores.

    Raises:
        InputError: there are fewer or more ids than scores, or a site is not where the adapter says.
    """
    return Recommender(adapted(adapter), Vocabulary(pd.Index(list(as_column(item_ids)), name="item")))
