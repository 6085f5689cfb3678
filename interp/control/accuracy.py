"""How well lists rank each user's held-out item, at one or several cut-offs, with intervals over users.

Axes: n users, k places of a list.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from interp.control.intervals import of_means
from interp.control.steered_lists import steered_lists
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Steer
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError, quote
from recmodels.lists import elements
from recmodels.metrics import user_hits, user_ndcg, user_reciprocal_ranks
from recmodels.scalars import whole_number

MEASURES = {"ndcg": user_ndcg, "hit_rate": user_hits, "mrr": user_reciprocal_ranks}


def accuracy(
    rec: RecommenderEnvoy,
    histories: Any,
    steer: Steer | None = None,
    k: int | Sequence[int] = 10,
    resampling: Resampling | None = None,
) -> pd.DataFrame:
    """NDCG, HitRate and MRR at k, without a steer or beside it.

    Args:
        rec: the recommender.
        histories: users, in any form; the last item of each is held out.
        steer: what is done; None for the recommender as it is, under the steers in force.
        k: a list length, or several.
        resampling: how intervals are made.

    Returns:
        A row for each measure and length: measure, value, low, high; with a steer, measure and the columns of
        `interp.control.intervals.of_means`.

    Raises:
        InputError: a history cannot be read or has one item, a length is not valid, or the steer cannot be carried out.
    """
    cuts = elements(k) or [k]
    lengths = [whole_number("k", cut, most=len(rec.recommender.vocabulary)) for cut in cuts]
    if len(set(lengths)) < len(lengths):
        raise InputError(f"k is {quote(k)}: give each length once")
    inputs, truth = rec.recommender.histories(histories).split_last()
    plain = rec.rank(inputs, max(lengths))
    sides = [plain, plain if steer is None else steered_lists(rec, inputs, [steer], max(lengths))[0]]
    names = [f"{name}@{length}" for length in lengths for name in MEASURES]
    before, after = (
        np.column_stack([measure(lists[:, :length], truth) for length in lengths for measure in MEASURES.values()])
        for lists in sides
    )
    table = of_means(before.astype(float), after.astype(float), resampling or Resampling())
    if steer is None:
        table = table[["before", "before_low", "before_high"]].set_axis(["value", "low", "high"], axis=1)
    table.insert(0, "measure", names)
    return table
