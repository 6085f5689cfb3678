"""The items that a recommender knows: what they are called, which concepts they have, how popular they are."""

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.store.table_files import Tables
from recmodels.sequences import Vocabulary


def items(frame: pd.DataFrame, interactions: pd.DataFrame, vocabulary: Vocabulary, concepts: Concepts) -> Tables:
    """Table `items`: item, title, concepts (names) and popularity, in code order.

    Args:
        frame: the item table.
        interactions: of the recommender's part; popularity counts their rows.
        vocabulary: the recommender's items.
        concepts: the study's concepts.
    """
    has = concepts.labels(vocabulary.ids)
    popularity = interactions["item"].value_counts().reindex(vocabulary.ids, fill_value=0)
    table = pd.DataFrame(
        {
            "item": vocabulary.ids,
            "title": frame["title"].reindex(vocabulary.ids).astype(str).to_numpy(),
            "concepts": [[concepts.names[c] for c in np.flatnonzero(row)] for row in has],
            "popularity": popularity.to_numpy(),
        }
    )
    return {"items.parquet": table}
