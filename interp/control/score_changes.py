"""The parts of each feature of a steer in the change of an item's score.

Axes: n items, p points, s steps, f features, v items of the vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from interp.features.attributions import one_history_and_code
from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import score_last_step
from interp.steering.edits import Edit, Steer
from interp.steering.validation import check_steer
from recmodels.errors import InputError
from recmodels.steady import steady

POINTS = 16  # points between unsteered and steered


@steady()
@torch.enable_grad()
def feature_contributions(rec: RecommenderEnvoy, history: Any, items: Sequence[Any], steer: Steer) -> pd.DataFrame:
    """The part of each feature of a steer in the change of each item's score.

    All features of the steer go up together, from 0 to the values that the steer adds, and the gradient of the score is
    averaged on that path (integrated gradients, Sundararajan et al., ICML 2017). So the parts add up to the change of
    the score, up to the error of `POINTS` points, and features outside the steer have none. Scores are relative to the
    mean item's, as in `interp.features.explanations`.

    Args:
        rec: the recommender, with a dictionary attached.
        history: one history, in any form.
        items: any items that the recommender knows.
        steer: what adds to features at the last step.

    Returns:
        item, feature, change; for each item the feature with the largest change first.

    Raises:
        InputError: not one history, an unknown item, or a steer that does something else.
    """
    check_steer(steer, rec.site(steer.site).sae)
    amounts: dict[int, float] = {}
    for edit in steer.edits:
        if (
            not isinstance(edit, Edit)
            or isinstance(edit.value, Mapping)
            or (edit.op, edit.at, steer.reconstruct) != ("add", "last", "none")
        ):
            raise InputError('this steer does not only add to features at the last step: write it with op="add"')
        feature = int(edit.feature)
        amounts[feature] = amounts.get(feature, 0.0) + float(edit.weight) * float(edit.value)
    columns = ["item", "feature", "change"]
    if not amounts or not len(items):
        return pd.DataFrame(columns=columns)
    pairs = [one_history_and_code(rec, history, item) for item in items]
    sequence, codes = pairs[0][0], torch.tensor([code for _, code in pairs], device=rec.device)
    sae, features = rec.site(steer.site).sae, list(amounts)
    total = torch.tensor(list(amounts.values()), device=rec.device)
    nodes, weights = (torch.from_numpy(part).float() / 2 for part in np.polynomial.legendre.leggauss(POINTS))
    # Each item has its own rows, so that one backward pass gives the slopes of all.
    way = ((0.5 + nodes)[:, None].to(rec.device) * total).repeat(len(items), 1).requires_grad_()  # [n·p, f]
    hidden = rec.hidden(sequence, steer.site)
    last = hidden[:, -1:] + way @ sae.directions[features]
    scores = rec.recommender.model.score_hidden(score_last_step(rec, sequence, steer.site, hidden, last)[0])
    own = scores.gather(1, codes.repeat_interleave(POINTS)[:, None])[:, 0] - scores.mean(dim=1)
    (slopes,) = torch.autograd.grad(own.sum(), way)
    change = torch.einsum("p,npf->nf", weights.to(slopes), slopes.view(len(items), POINTS, -1)) * total
    table = pd.DataFrame(
        {
            "item": [item for item in items for _ in features],
            "feature": features * len(items),
            "change": change.flatten().cpu().numpy(),
        }
    )
    order = np.lexsort((-table["change"].abs(), np.repeat(np.arange(len(items)), len(features))))
    return table.iloc[order].reset_index(drop=True)
