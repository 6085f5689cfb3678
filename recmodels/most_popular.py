"""The recommender that does nothing clever: everyone gets the most popular items that they do not have yet.

(RecTools' `PopularModel`, RecBole's `Pop`, RePlay's `PopRec`.) Ranked by `recmodels.ranking`, as every other one is.
"""

import numpy as np
import torch

from recmodels.ranking import Score
from recmodels.sequences import Histories


def most_popular(popularity: np.ndarray) -> Score:
    """Scores by which the items are ranked for every user alike.

    Args:
        popularity: [item], training interactions of each item, in code order; equally popular ones keep that order.
    """
    scores = torch.as_tensor(np.asarray(popularity, dtype=np.float64))

    def score(histories: Histories) -> torch.Tensor:
        return scores.expand(len(histories), -1)

    return score
