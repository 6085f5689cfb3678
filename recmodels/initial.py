"""Tells initial weights, which transformers may draw again, from weights that were loaded and must stay.

`post_init` of transformers draws the weights of every module that it does not know, trained ones included. A weight is
initial if the last write to it, while the model was built, came from a function such as those of `torch.nn.init`.
Every other weight counts as loaded: it existed before, was copied, or is an existing tensor.
"""

from contextvars import ContextVar
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

FILLS = {"normal_", "uniform_", "fill_", "zero_", "random_", "exponential_", "bernoulli_", "log_normal_", "cauchy_"}
COPIES = {"copy_", "set_", "__setitem__", "add_", "sub_", "mul_", "div_", "lerp_"}

_MAKING: ContextVar["Watch | None"] = ContextVar("making", default=None)


class Watch(TorchFunctionMode):
    """Remembers which weights hold what an initialiser wrote, while a model is made."""

    def __init__(self) -> None:
        super().__init__()
        self.filled: dict[int, Any] = {}  # by address; kept alive, so that no other tensor takes the address

    def __enter__(self) -> "Watch":
        self.token = _MAKING.set(self)
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        _MAKING.reset(self.token)
        super().__exit__(*error)

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        target = args[0] if args else (kwargs or {}).get("tensor")
        if isinstance(target, Tensor) and target.device.type != "meta":
            name = getattr(function, "__name__", "")
            if name in FILLS or (name.endswith("_") and getattr(function, "__module__", "") == "torch.nn.init"):
                storage = target.untyped_storage()
                self.filled[storage.data_ptr()] = storage
            elif name in COPIES:
                self.filled.pop(target.untyped_storage().data_ptr(), None)
        return result


def keep_loaded_weights(model: nn.Module) -> None:
    """Mark the loaded weights of a model, so that transformers does not draw them again."""
    watch = _MAKING.get()
    for weights in model.parameters():
        if weights.device.type == "meta":
            continue
        if watch is None or weights.untyped_storage().data_ptr() not in watch.filled:
            weights._is_hf_initialized = True  # type: ignore[attr-defined]


class Watched(type):
    """The type of classes whose instances are watched while they are made."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an instance."""
        with Watch():
            return super().__call__(*args, **kwargs)
