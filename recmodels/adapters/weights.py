"""Loading of a checkpoint's tensors into the network that an adapter builds."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from recmodels.errors import InputError, quote


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Copy tensors into the module's parameters and buffers of the same names, all of them.

    Raises:
        InputError: a tensor is absent, is one too many, or has another shape.
    """
    expected = module.state_dict()
    absent = next((name for name in expected if name not in tensors), None)
    extra = next((name for name in tensors if name not in expected), None)
    if absent is not None or extra is not None:
        problem = f"lacks the tensor {quote(absent)}" if absent else f"has the tensor {quote(extra)}, unknown here"
        raise InputError(f"{path} {problem}: it was saved by another version, so wrap the model in Python instead")
    for name, tensor in expected.items():
        if tensors[name].shape != tensor.shape:
            raise InputError(
                f"{path} has {quote(name)} of shape {tuple(tensors[name].shape)} where {tuple(tensor.shape)} is "
                f"expected: its settings and its tensors belong to different models"
            )
    module.load_state_dict(dict(tensors))
    module.eval()
