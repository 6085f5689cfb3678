"""Which features of a steer moved an item: the change of its score, taken apart.

Axes: n items, p points, s steps, f features, v items of the vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from nnsight import save

from interp.features.explanations import asked, relative
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from interp.steering.validation import checked
from recmodels.errors import InputError
from recmodels.steady import steady

POINTS = 16  # on the way from unsteered to steered


@steady()
@torch.enable_grad()
def shifts(rec: RecommenderEnvoy, history: Any, items: Sequence[Any], steer: Steer) -> pd.DataFrame:
    """How much of the change of each item's score every feature of a steer made.

    All features of the steer are turned up together, from nothing to what they add, and the slope of the score along
    each is averaged on that way (integrated gradients, Sundararajan et al., ICML 2017): so the parts add up to what the
    steer does to the score, but for what `POINTS` of the way leave out, and features that the steer leaves alone have
    none. Scores are relative to the mean item's, as in `interp.features.explanations`.

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
    checked(steer, rec.site(steer.site).sae)
    added: dict[int, float] = {}
    for edit in steer.edits:
        if (
            not isinstance(edit, Edit)
            or isinstance(edit.value, Mapping)
            or (edit.op, edit.at, steer.reconstruct) != ("add", "last", "none")
        ):
            raise InputError('only a steer that adds to features at the last step is taken apart: use op="add"')
        feature = int(edit.feature)
        added[feature] = added.get(feature, 0.0) + float(edit.weight) * float(edit.value)
    columns = ["item", "feature", "change"]
    if not added or not len(items):
        return pd.DataFrame(columns=columns)
    codes, one = [asked(rec, history, item)[1] for item in items], asked(rec, history, items[0])[0]
    envoy: Any = rec.site(steer.site)
    features, total = list(added), torch.tensor(list(added.values()), device=rec.device)
    nodes, weights = (torch.from_numpy(part).float() / 2 for part in np.polynomial.legendre.leggauss(POINTS))
    way = ((0.5 + nodes)[:, None].to(rec.device) * total).requires_grad_()  # [p, f]
    with rec.trace(one.select(np.zeros(POINTS, dtype=int))):
        changed = envoy.features.detach().clone()
        changed[:, -1, features] += way
        envoy.features = changed
        scores = save(rec.scores)
    parts = []
    for item, code in zip(items, codes, strict=True):
        (slope,) = torch.autograd.grad(relative(scores, code).sum(), way, retain_graph=True)
        change = (weights.to(slope) @ slope * total).cpu().numpy()
        parts.append(pd.DataFrame({"item": [item] * len(features), "feature": features, "change": change}))
    table = pd.concat(parts, ignore_index=True)
    order = np.lexsort((-table["change"].abs(), np.repeat(np.arange(len(items)), len(features))))
    return table.iloc[order].reset_index(drop=True)
