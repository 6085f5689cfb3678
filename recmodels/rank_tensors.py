"""A training that all ranks share: each has its share of every batch, and tensors are reduced over the ranks.

Outside `shared_batch` nothing is shared, and every function gives back what it takes. Each batch is cut into shares of
the same size, so that the mean over ranks of a mean over rows is the mean over all rows.
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
    """This rank's share of the rows of a batch, whose number the ranks divide; what the body reduces is of all of them.

    Ranks share only what they do together, within `connected`.
    """
    global _SHARED
    group = ranks.together()
    if group is None:
        yield rows
        return
    _SHARED = group
    try:
        yield np.split(rows, group.size)[group.rank]
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


def mean(x: Tensor) -> Tensor:
    """The mean over ranks, without a gradient."""
    return x if _SHARED is None else _reduced(x, dist.ReduceOp.SUM) / _SHARED.size


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
