"""Whether a wrapped recommender can be relied on: each site of a trace against a plain hook, each history alone."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from nnsight import save
from torch import Tensor

from recmodels.errors import InputError
from recmodels.sequences import Histories

if TYPE_CHECKING:
    from interp.model.envoys import RecommenderEnvoy


def check_faithful(rec: "RecommenderEnvoy") -> None:
    """Compare every site in a trace with a plain hook: a change of nnsight or of a model cannot go unseen.

    Raises:
        InputError: they differ, the model's scores are not finite or depend on the padding, or a site of the model
            gives no hidden states.
    """
    model = rec.recommender.model
    codes = np.arange(5, dtype=np.int32) % model.config.n_items
    histories = Histories(pd.RangeIndex(2), codes, np.array([0, 2, 5]))
    tokens = model.inference_inputs(histories).to(model.device)
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
    for name, output in bare.items():
        if not isinstance(output, Tensor) or output.shape != (*tokens.shape, model.config.hidden_size):
            raise InputError(
                f"site {name} of {type(model).__name__} does not give hidden states [user, step, "
                f"{model.config.hidden_size}]: name in site_paths a module whose output is that tensor and nothing else"
            )
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
    alone = [model(model.inference_inputs(one).to(model.device)).scores for one in histories.batches(1)]
    if not torch.allclose(torch.cat(alone), expected, rtol=1e-3, atol=1e-4):
        raise InputError(
            f"{type(model).__name__} scores a history differently by itself than beside a longer one: its padding, "
            f"token 0 on the left, must change nothing"
        )
