"""A fixed state of torch for all computations of this project, independent of the state of the process.

A notebook may use another default dtype or device, autocast or inference mode, or leave a model in training mode. None
of these may change our numbers.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from recmodels.errors import InputError

CPU = torch.device("cpu")


@contextmanager
def steady(model: nn.Module | None = None) -> Iterator[None]:
    """Compute in float32 on the CPU by default, without autocast and inference mode, and restore the state afterwards.

    Also a decorator: `@steady()`.

    Args:
        model: a model to put into evaluation mode meanwhile.
    """
    training = [module for module in model.modules() if module.training] if model is not None else []
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device() != CPU:
            stack.enter_context(CPU)
        dtype = torch.get_default_dtype()
        if dtype != torch.float32:
            stack.callback(torch.set_default_dtype, dtype)
            torch.set_default_dtype(torch.float32)
        for module in training:
            stack.callback(setattr, module, "training", True)
            module.training = False
        yield


def check_precision(model: nn.Module) -> None:
    """Refuse a model whose weights are not float32, or cannot take part in gradients.

    Raises:
        InputError: they have another type, or were made in inference mode.
    """
    for weights in model.parameters():
        if weights.dtype != torch.float32:
            kind = str(weights.dtype).removeprefix("torch.")
            raise InputError(f"the recommender's weights are {kind}: give float32 ones, as model.float() makes them")
        if weights.is_inference():
            raise InputError("the recommender was made in inference mode: load it outside torch.inference_mode()")
