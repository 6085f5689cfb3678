"""The items that a recommender knows: what they are called, which concepts they have, how popular they are."""

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.model.envoys import RecommenderEnvoy
from interp.store.table_files import Tables


def items(
    catalogue: pd.DataFrame, training_interactions: pd.DataFrame, rec: RecommenderEnvoy, concepts: Concepts
) -> Tables:
    """Table `items`: item, title, concepts (names) and popularity, in code order.

    Args:
        catalogue: the item table of the data set.
        training_interactions: of the recommender's part; popularity counts their rows.
        rec: the recommender, whose items are listed.
        concepts: the study's concepts.
    """
    vocabulary = rec.recommender.vocabulary
    has = concepts.labels(vocabulary.ids)
    popularity = training_interactions["item"].value_counts().reindex(vocabulary.ids, fill_value=0)
    table = pd.DataFrame(
        {
            "item": vocabulary.ids,
            "title": catalogue["title"].reindex(vocabulary.ids).astype(str).to_numpy(),
            "concepts": [[concepts.names[c] for c in np.flatnonzero(row)] for row in has],
            "popularity": popularity.to_numpy(),
        }
    )
    return {"items": table}
