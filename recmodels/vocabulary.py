"""The items that a recommender knows: from the user's own ids to codes, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recmodels.columns import are_ids, is_empty, is_whole, plain_ids
from recmodels.errors import InputError, quote
from recmodels.lists import as_column
from recmodels.plain import plain
from recmodels.wording import counted


@dataclass(frozen=True)
class Vocabulary:
    """The items a recommender knows, in code order, and what else it reads of a history.

    Attributes:
        ids: the user's own item ids; an item's code is its position here.
        columns: further columns of a table of histories that the recommender reads at each step, such as "time".
        users: the users whom a recommender knows that scores by user, in the order of its rows; None for one that
            reads histories of any user.
    """

    ids: pd.Index
    columns: tuple[str, ...] = ()
    users: pd.Index | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, interactions: pd.DataFrame) -> "Vocabulary":
        """The items of an interaction table, sorted by id."""
        return cls(pd.Index(np.sort(interactions["item"].unique()), name="item"))

    def encode(self, items: Any) -> np.ndarray:
        """Codes of item ids, int32; ids are read as those of tables are (`recmodels.columns`).

        Raises:
            InputError: an item is not in the vocabulary, or is not an id.
        """
        ids = plain_ids(plain(as_column(items)))
        if ids.dtype != np.int64 and pd.api.types.infer_dtype(ids, skipna=False) != "string":
            bad = ~(is_whole(ids).to_numpy() if ids.dtype == np.float64 else are_ids(ids))
            if bad.any():
                place = int(bad.argmax())
                if is_empty(ids.iloc[place : place + 1]).all():
                    raise InputError("an item of a history is missing (None or NaN): leave it out, or give its id")
                raise InputError(f"{quote(ids.tolist()[place])} is not an item id: give a whole number or text")
        items = pd.Index(ids, tupleize_cols=False)
        codes = self.ids.get_indexer(items)
        unknown = items[codes < 0]
        if len(unknown):
            names = ", ".join(quote(item) for item in unknown.unique()[:3].tolist())
            n, example = unknown.nunique(dropna=False), self.ids[:1].tolist()[0]
            raise InputError(
                f"{counted(n, 'item is', 'items are')} unknown to this recommender ({names}): leave "
                f"{'it' if n == 1 else 'them'} out, or write ids as this recommender does, such as {quote(example)}"
            )
        return codes.astype(np.int32)

    def decode(self, codes: np.ndarray) -> pd.Index:
        """Item ids of codes."""
        return self.ids[codes]
