"""A second device for tests without a GPU: its tensors hold numbers, but do not mix with those of the CPU.

As on a GPU, an operation on tensors of both devices is an error, unless the other one has no axes, is an index, or is
copied; and numpy cannot read what is there. So whatever runs here has left nothing on the CPU by accident, and its
results can be compared with those of the CPU.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("lazy:0")  # a name that torch knows and nothing else implements
_ANY_DEVICE = (torch.ops.aten.index, torch.ops.aten.index_put, torch.ops.aten.index_put_, torch.ops.aten.copy_)


class Elsewhere(Tensor):
    """A tensor of the other device; `numbers` is on the CPU."""

    @staticmethod
    def __new__(cls, numbers: Tensor) -> "Elsewhere":
        about = {"dtype": numbers.dtype, "device": DEVICE, "storage_offset": numbers.storage_offset()}
        return Tensor._make_wrapper_subclass(cls, numbers.shape, strides=numbers.stride(), **about)

    def __init__(self, numbers: Tensor) -> None:
        self.numbers = numbers

    def tolist(self) -> Any:
        """As a tensor of a GPU, which Python reads without being asked to copy it."""
        return self.numbers.tolist()

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(function, args, kwargs or {})


class OtherDevice(TorchDispatchMode):
    """Inside, `tensor.to(DEVICE)` and `torch.zeros(3, device=DEVICE)` work."""

    def __enter__(self) -> "OtherDevice":
        # As torch's own fake tensors do: what Python's numbers become is made on the CPU and moved by this mode.
        self.before = torch._C._only_lift_cpu_tensors()
        torch._C._set_only_lift_cpu_tensors(True)
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        torch._C._set_only_lift_cpu_tensors(self.before)

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(function, args, kwargs or {})


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    if function is torch.ops.aten._fused_sdp_choice.default:
        return 0  # plain products: the fused kernels are of real devices
    tensors = [part for part in tree_flatten((args, kwargs))[0] if isinstance(part, Tensor)]
    there = [part for part in tensors if isinstance(part, Elsewhere)]
    here = [part for part in tensors if not isinstance(part, Elsewhere) and part.ndim]
    if there and here and function.overloadpacket not in _ANY_DEVICE:
        raise RuntimeError(f"{function} on tensors of two devices: {DEVICE} and cpu")
    device = kwargs.get("device")
    is_there = bool(there) if device is None else torch.device(device).type == DEVICE.type
    if device is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    wrappers = {id(part.numbers): part for part in there}

    def wrapped(result: Any) -> Any:
        if not isinstance(result, Tensor) or not is_there or any(result is part for part in here):
            return result
        return wrappers[id(result)] if id(result) in wrappers else Elsewhere(result)

    numbers = tree_map(lambda part: part.numbers if isinstance(part, Elsewhere) else part, (args, kwargs))
    return tree_map(wrapped, function(*numbers[0], **numbers[1]))
