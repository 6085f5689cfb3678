"""Loading of a checkpoint's tensors into the network that an adapter builds."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from recmodels.errors import InputError, quote


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Copy tensors into the module's parameters and buffers of the same names, all of them.

    A parameter with two names may be saved under one of them.

    Raises:
        InputError: a tensor is absent, is one too many, or has another shape.
    """
    expected = module.state_dict(keep_vars=True)
    saved = {id(tensor) for name, tensor in expected.items() if name in tensors}
    absent = next((name for name, tensor in expected.items() if name not in tensors and id(tensor) not in saved), None)
    extra = next((name for name in tensors if name not in expected), None)
    if absent is not None or extra is not None:
        problem = f"lacks the tensor {quote(absent)}" if absent else f"has the tensor {quote(extra)}, unknown here"
        raise InputError(f"{path} {problem}: it was saved by another version, so wrap the model in Python instead")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise InputError(
                f"{path} has {quote(name)} of shape {tuple(tensor.shape)} where {tuple(expected[name].shape)} is "
                f"expected: its settings and its tensors belong to different models"
            )
    module.load_state_dict(dict(tensors), strict=False)
    module.eval()
