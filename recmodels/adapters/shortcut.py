"""Runs only what follows a block: the blocks before it give back what they gave in an earlier pass."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import RLock, get_ident
from typing import Any

from torch import Tensor, nn

LOCK = RLock()  # of what changes modules for a while


def outputs_of(modules: Mapping[str, nn.Module], run: Callable[[], Any]) -> dict[str, Tensor]:
    """What modules give while `run` runs, by name; those that give something else than one tensor are left out."""
    outputs: dict[str, Tensor] = {}
    thread = get_ident()
    with ExitStack() as stack:
        for name, module in modules.items():

            def keep(_module: nn.Module, _inputs: Any, output: Any, name: str = name) -> None:
                if isinstance(output, Tensor) and get_ident() == thread:
                    outputs[name] = output.clone()  # what follows may change it in place

            stack.callback(module.register_forward_hook(keep).remove)
        run()
    return outputs


@contextmanager
def replaced(modules: Mapping[str, nn.Module], outputs: Mapping[str, Tensor]) -> Iterator[None]:
    """Modules give these outputs instead of running, whatever they read; in this thread, while `LOCK` is held."""
    thread = get_ident()

    def instead(output: Tensor, forward: Callable[..., Any]) -> Callable[..., Any]:
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
