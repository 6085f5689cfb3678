"""A recommender that a study was opened with, in place of the one in its folder."""

from dataclasses import replace

import pandas as pd

from recmodels.id_files import ids_like
from recmodels.recommender import Recommender


def fitting(recommender: Recommender, fingerprint: str, items: pd.Index) -> Recommender | None:
    """The recommender with this fingerprint, its item ids written as the study writes them; None for another one."""
    if recommender.fingerprint != fingerprint:
        ids = ids_like(recommender.vocabulary.ids.tolist(), items)
        recommender = replace(recommender, vocabulary=replace(recommender.vocabulary, ids=pd.Index(ids, name="item")))
    return recommender if recommender.fingerprint == fingerprint else None
