"""A training that all ranks share: each has its share of every batch, and tensors are reduced over the ranks.

Outside `shared_batch` nothing is shared, and every function gives back what it takes. Where ranks divide the rows of a
batch, shares have the same size, so that the mean over ranks of a mean over rows is the mean over all rows. Elsewhere
`weigh_gradients` takes account of their sizes.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from recmodels import ranks
from recmodels.rank_group import Group, silence

_SHARED: Group | None = None  # the ranks, while they share a batch


@contextmanager
def connected(device: str) -> Iterator[None]:
    """Let the ranks exchange tensors of a device while the body runs: by NCCL where each has a GPU of its own."""
    group = ranks.together()
    if group is None:
        yield
        return
    places = ranks.gather([socket.gethostname(), torch.cuda.current_device() if device.startswith("cuda") else None])
    alone = all(place[1] is not None and places.count(place) == 1 for place in places)
    backend = "nccl" if alone and dist.is_nccl_available() else "gloo"
    store, limit = dist.PrefixStore(group.key(), group.store), timedelta(seconds=silence())
    dist.init_process_group(backend, store=store, rank=group.rank, world_size=group.size, timeout=limit)
    try:
        yield
    finally:
        dist.destroy_process_group()


@contextmanager
def shared_batch(rows: np.ndarray) -> Iterator[np.ndarray]:
    """This rank's share of the rows of a batch; what the body reduces is of all of them.

    If ranks do not divide their number, the first have one row more, and the last may have none. Ranks share only what
    they do together, within `connected`.
    """
    global _SHARED
    group = ranks.together()
    if group is None:
        yield rows
        return
    _SHARED = group
    try:
        yield np.array_split(rows, group.size)[group.rank]
    finally:
        _SHARED = None


def sharing() -> tuple[int, int]:
    """The number of this rank, and how many share a batch now."""
    return (0, 1) if _SHARED is None else (_SHARED.rank, _SHARED.size)


def average_gradients(module: nn.Module) -> None:
    """From now on, let every backward pass end in the gradients of the whole batch, before anything reads them."""

    def average(weights: Tensor) -> None:
        if _SHARED is not None and weights.grad is not None:
            weights.grad.copy_(mean(weights.grad))

    for weights in module.parameters():
        weights.register_post_accumulate_grad_hook(average)


def weigh_gradients(module: nn.Module, weight: float) -> None:
    """Replace gradients by their weighted mean over ranks, Σ weight · gradient / Σ weight, in one exchange.

    Args:
        module: on every rank the same; a parameter without a gradient counts as one of zeros.
        weight: of this rank's gradients, such as how many rows they are means of; 0 if it has none.
    """
    if _SHARED is None:
        return
    parameters = [weights for weights in module.parameters() if weights.requires_grad]
    own = [torch.zeros_like(weights) if weights.grad is None else weights.grad * weight for weights in parameters]
    *means, share = total(torch.cat([*map(torch.flatten, own), own[0].new_tensor([weight])])).split(
        [*map(torch.numel, own), 1]
    )
    for weights, gradient in zip(parameters, means, strict=True):
        weights.grad = gradient.view_as(weights).div_(share)


def total(x: Tensor) -> Tensor:
    """The sum over ranks, without a gradient."""
    return x if _SHARED is None else _reduced(x, dist.ReduceOp.SUM)


def mean(x: Tensor) -> Tensor:
    """The mean over ranks, without a gradient."""
    return x if _SHARED is None else total(x) / _SHARED.size


def with_mean(x: Tensor) -> Tensor:
    """The mean over ranks, with the gradient of this rank's own value."""
    return x if _SHARED is None else mean(x) + (x - x.detach())


def least(x: Tensor) -> Tensor:
    """The least over ranks of each entry, without a gradient."""
    return x if _SHARED is None else _reduced(x, dist.ReduceOp.MIN)


def joint(x: Tensor) -> Tensor:
    """[m] on every rank, as many on each, to [ranks · m], without a gradient."""
    if _SHARED is None:
        return x
    parts = x.new_zeros(_SHARED.size, len(x))  # gloo gathers no tensors of a GPU, but sums them
    parts[_SHARED.rank] = x.detach()
    return _reduced(parts, dist.ReduceOp.SUM).flatten()


def _reduced(x: Tensor, operation: Any) -> Tensor:
    """Raises: InputError: another rank has ended, or is silent."""
    assert _SHARED is not None
    result = x.detach().clone(memory_format=torch.contiguous_format)
    try:
        dist.all_reduce(result, operation)
    except RuntimeError:  # a connection was closed, or the time is over
        _SHARED.refuse()
    return result
