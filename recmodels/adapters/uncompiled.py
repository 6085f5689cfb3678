"""The module itself, out of what speeds it up: hooks need to see each of its modules run."""

import torch
from torch import nn

from recmodels.errors import InputError

WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def uncompiled(module: nn.Module) -> nn.Module:
    """The same module without `torch.compile` and without data parallelism, in all its parts; they share weights.

    Raises:
        InputError: a part is TorchScript, in which nothing can be read or changed.
    """
    bare = _bare(module)
    for name, part in list(bare.named_modules()):
        if isinstance(part, torch.jit.ScriptModule):
            place = f"{name!r} of the module" if name else "the module"
            raise InputError(
                f"{place} is TorchScript, in which no hidden state can be read: give the Python module that it was "
                f"made of, with its weights"
            )
        if part._compiled_call_impl is not None:  # of module.compile()
            part._compiled_call_impl = None
        for child_name, child in list(part.named_children()):
            if _bare(child) is not child:
                setattr(part, child_name, _bare(child))
    # What was inside a wrapper has parts of its own.
    return bare if all(_bare(part) is part for part in bare.modules()) else uncompiled(bare)


def _bare(module: nn.Module) -> nn.Module:
    while isinstance(module, WRAPPERS) or "_orig_mod" in module._modules:
        inner = module._modules.get("_orig_mod") or module._modules["module"]
        assert inner is not None
        module = inner
    return module
