"""Runs only what follows a block: the blocks up to it give back what they gave in an earlier pass.

The code of the blocks is not ours. So whether the module then gives what a whole pass gives is measured.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from threading import RLock, get_ident
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map_only, tree_unflatten

LOCK = RLock()  # of what changes modules for a while
PLAIN = (type(None), bool, int, float, str)
Axes: TypeAlias = Mapping[str, Sequence[int | None]]
"""By module: the axis of histories of each part of its output, or None for a part that is the same for all."""


def outputs_of(modules: Mapping[str, nn.Module], run: Callable[[], Any]) -> dict[str, Any]:
    """What modules give while `run` runs, by name."""
    outputs: dict[str, Any] = {}
    thread = get_ident()
    with ExitStack() as stack:
        for name, module in modules.items():

            def keep(_module: nn.Module, _inputs: Any, output: Any, name: str = name) -> None:
                if get_ident() == thread:
                    outputs[name] = tree_map_only(Tensor, Tensor.clone, output)  # as what follows may change it

            stack.callback(module.register_forward_hook(keep).remove)
        with torch.no_grad():
            run()
    return outputs


def axes_of(few: Any, many: Any, n: int, rows: Tensor) -> list[int | None] | None:
    """The axis of histories of each part of what a module gives; None if it gives parts that cannot be given back.

    Args:
        few: its output for n histories.
        many: its output for more.
        n: how many.
        rows: which of the n each of the more is, int64 [m].
    """
    parts, others = tree_flatten(few)[0], tree_flatten(many)[0]
    axes: list[int | None] = []
    if len(parts) != len(others):
        return None
    for part, other in zip(parts, others, strict=True):
        if not isinstance(part, Tensor) or not isinstance(other, Tensor):
            if type(part) is not type(other) or not isinstance(part, PLAIN) or part != other:
                return None
            axes.append(None)
        elif part.shape == other.shape and torch.equal(part, other):
            axes.append(None)
        else:
            sizes = [(*part.shape[:axis], len(rows), *part.shape[axis + 1 :]) for axis in range(part.ndim)]
            fitting = [axis for axis, size in enumerate(sizes) if part.shape[axis] == n and size == other.shape]
            if not fitting:
                return None
            axes.append(fitting[0])
    return axes


def rows_of(output: Any, axes: Sequence[int | None], rows: Tensor) -> Any:
    """A module's output for these rows, int64 [m], of the histories that it was given for."""
    parts, form = tree_flatten(output)
    selected = []
    for part, axis in zip(parts, axes, strict=True):
        same = part.clone() if isinstance(part, Tensor) else part  # copies, as what follows may change them in place
        selected.append(same if axis is None else part.index_select(axis, rows))
    return tree_unflatten(selected, form)


@contextmanager
def replaced(modules: Mapping[str, nn.Module], outputs: Mapping[str, Any]) -> Iterator[None]:
    """Modules give these outputs instead of running, whatever they read; in this thread, while `LOCK` is held."""
    thread = get_ident()

    def instead(output: Any, forward: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: output if get_ident() == thread else forward(*args, **kwargs)

    with ExitStack() as stack:
        for name, output in outputs.items():
            module = modules[name]
            before = module.__dict__.get("forward")
            module.__dict__["forward"] = instead(output, module.forward)
            stack.callback(_restore, module, before)
        yield


def _restore(module: nn.Module, forward: Any) -> None:
    if forward is None:
        del module.__dict__["forward"]
    else:
        module.__dict__["forward"] = forward
