"""Hidden states of a bare model by plain hooks: what a trace reads where no steer acts, for many histories.

A trace that stops early keeps the tensors of its pass until Python collects cycles of references, so that each of many
passes takes new memory.

Axes: b users, s steps, d hidden size.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from recmodels.model import SequentialRecommender
from recmodels.steady import check_precision, steady


class _Stop(Exception):
    """Ends a forward pass."""


@torch.no_grad()
def hidden_states(model: SequentialRecommender, tokens: Tensor, sites: Sequence[str]) -> dict[str, Tensor]:
    """Hidden states [b, s, d] at some sites, in the order of a forward pass, which stops at the last of them.

    Args:
        model: the model, in any mode.
        tokens: what it reads, on its device.
        sites: which, in the order of `model.sites`.
    """
    check_precision(model)
    states: dict[str, Tensor] = {}

    def reader(site: str) -> Any:
        def read(_module: Any, _inputs: Any, output: Tensor) -> None:
            if site != sites[-1]:
                states[site] = output.clone()  # a later module may change it in place
                return
            states[site] = output
            raise _Stop

        return read

    hooks = [model.get_submodule(model.sites[site]).register_forward_hook(reader(site)) for site in sites]
    try:
        with steady(model):
            model(tokens)
    except _Stop:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return states
