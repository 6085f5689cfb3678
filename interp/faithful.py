"""Whether a wrapped recommender is still the recommender: every site of a trace against a plain hook."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from nnsight import save
from torch import Tensor

from recmodels.errors import InputError
from recmodels.sequences import Histories

if TYPE_CHECKING:
    from interp.envoys import RecommenderEnvoy


def check_faithful(rec: "RecommenderEnvoy") -> None:
    """Compare every site in a trace with a plain hook: a change of nnsight or of a model cannot go unseen.

    Raises:
        InputError: they differ, or the model's scores are not finite.
    """
    model = rec.recommender.model
    codes = np.arange(5, dtype=np.int32) % model.config.n_items
    tokens = model.inference_inputs(Histories(pd.RangeIndex(2), codes, np.array([0, 2, 5]))).to(model.device)
    bare: dict[str, Tensor] = {}
    hooks = [
        model.get_submodule(path).register_forward_hook(lambda *call, name=name: bare.update({name: call[-1]}))
        for name, path in model.sites.items()
    ]
    expected = model(tokens).scores
    for hook in hooks:
        hook.remove()
    if not torch.isfinite(expected).all():
        raise InputError("the recommender's scores are not finite: its weights are damaged, train it again")
    traced: dict[str, Tensor] = {}
    with rec.trace(tokens):
        for name in model.sites:
            traced[name] = save(rec.site(name).output)
        scores = save(rec.scores)
    same = all(torch.equal(traced[name], bare[name]) for name in model.sites)
    if not (same and torch.equal(scores, expected)):
        raise InputError(
            "a trace of this recommender differs from the bare model: install the nnsight of constraints.txt"
        )
