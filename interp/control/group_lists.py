"""Lists for groups of users, such as families, friends, or listeners in one room.

Axes: m members of a group, v items.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from interp.model.envoys import RecommenderEnvoy, check_envoy
from interp.steering.validation import check_word
from recmodels.errors import InputError
from recmodels.recommender import recommendations
from recmodels.sequences import Histories
from recmodels.steady import steady

How = Literal["average", "least_misery"]
AGGREGATED: dict[str, Callable[[Tensor], Tensor]] = {
    "average": lambda scores: scores.mean(dim=0),
    "least_misery": lambda scores: scores.amin(dim=0),
}
MEMBERS = 256  # per pass


@steady()
def group_lists(rec: RecommenderEnvoy, groups: Mapping[Any, Any], k: int = 10, how: How = "average") -> pd.DataFrame:
    """Each group's k best items that no member has yet (or any, if `keep_seen`), under the steers in force.

    The scores of a model have a different scale for every user, so each member's scores are first standardised over all
    items (mean 0, standard deviation 1). "average" takes the mean over members; "least_misery" takes the lowest score,
    so that no member dislikes a listed item. (Masthoff, Group Recommender Systems: Combining Individual Models, 2011;
    least misery is from PolyLens, O'Connor et al., ECSCW 2001.)

    Args:
        rec: the recommender.
        groups: name → the members' histories, in any form that a recommender reads.
        k: list length.
        how: "average" or "least_misery".

    Returns:
        group, rank (from 1), item, score (standardised and aggregated); best first.

    Raises:
        InputError: no group, a group without histories, an unknown item or an unknown `how`.
    """
    check_envoy(rec)
    check_word("how", how, How)
    if not isinstance(groups, Mapping) or not groups:
        raise InputError("there are no groups: pass a mapping from a group's name to its members' histories")
    members = [rec.recommender.histories(member) for member in groups.values()]

    def score(batch: Histories) -> Tensor:
        return torch.stack([AGGREGATED[how](standard_scores(rec, members[place])) for place in batch.users])

    # A group is ranked as one user whose history has the items of all members.
    offsets = np.cumsum([0, *(len(member.codes) for member in members)])
    together = Histories(pd.RangeIndex(len(members)), np.concatenate([member.codes for member in members]), offsets)
    table = recommendations(score, together, rec.recommender.vocabulary, k, rec.keep_seen).rename(
        columns={"user": "group"}
    )
    return table.assign(group=pd.Index(list(groups), tupleize_cols=False)[table["group"]])


def standard_scores(rec: RecommenderEnvoy, members: Histories) -> Tensor:
    """Each member's scores with mean 0 and standard deviation 1 over all items: float [m, v]."""
    return standardise(torch.cat([rec.score(batch) for batch in members.batches(MEMBERS)]))


def standardise(scores: Tensor) -> Tensor:
    """Rows [m, v] with mean 0 and standard deviation 1; 0 for a constant row."""
    standard = (scores - scores.mean(dim=1, keepdim=True)) / scores.std(dim=1, correction=0, keepdim=True)
    equal = scores.amax(dim=1, keepdim=True) == scores.amin(dim=1, keepdim=True)
    return standard.masked_fill(equal, 0)
