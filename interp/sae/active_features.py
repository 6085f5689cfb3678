"""Encoding and decoding by active features alone, with gradients; a top-k dictionary computes nothing else of itself.

Of a batch a top-k dictionary uses k features a row. Which they are takes the product of every row with every encoder
direction, without a gradient; everything after it is sums of the few directions, or rows, of active entries
(`torch.nn.functional.embedding_bag`), whose order is fixed, on a GPU too.

Axes: n rows, d hidden size, f features, m active entries, g groups of features.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from recmodels import rank_tensors

SPLIT = 4  # blocks of scores that `strongest` compares before it looks into them


def strongest(scores: Tensor, k: int) -> Tensor:
    """Places of the k largest scores of each row, in any order: [r, c] to int64 [r, k].

    The k largest are in the k columns of blocks whose own maximum is largest, so that a few candidates are sorted.
    """
    r, c = scores.shape
    width = c // SPLIT
    if c % SPLIT or width < k:
        return _largest(scores, k)
    columns = strongest(scores.view(r, SPLIT, width).amax(dim=1), k)
    starts = torch.arange(0, c, width, device=scores.device)
    candidates = (columns[:, None] + starts[:, None]).view(r, -1)
    return candidates.gather(1, _largest(scores.gather(1, candidates), k))


def strongest_of_batch(scores: Tensor, k: int) -> Tensor:
    """Places, row · f + feature, of the k · n largest scores [n, f] of a batch, of all ranks that share it: [m]."""
    flat, (rank, size) = scores.view(-1), rank_tensors.sharing()
    count = k * len(scores) * size
    places = strongest(flat[None], min(count, len(flat))).squeeze(0)
    if size == 1:
        return places
    # The same on all ranks, so that of equal scores, as of a row that is twice in a batch, as many are kept as by one.
    among_all = strongest(rank_tensors.joint(flat[places])[None], count).squeeze(0)
    return places[among_all[among_all // len(places) == rank] - rank * len(places)]


def _largest(scores: Tensor, k: int) -> Tensor:
    """`strongest`, at once."""
    if scores.device.type != "cpu":
        return scores.topk(k, sorted=False).indices
    # Twice as fast as torch, on a CPU.
    return torch.from_numpy(np.argpartition(scores.numpy(), -k, axis=1)[:, -k:])


@dataclass(frozen=True)
class Entries:
    """Which features of which rows are active: m entries, by row and, within a row, by group.

    Attributes:
        rows, features: int64 [m].
        bags: row · g + group of each entry, int64 [m], rising.
        shape: n, f and g.
    """

    rows: Tensor
    features: Tensor
    bags: Tensor
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, places: Tensor, n: int, f: int, ends: Tensor | None = None) -> "Entries":
        """Entries from row · f + feature, [m], and the feature after the last of each group, [g], or None for one."""
        places = _sort(places)[0]
        rows = places // f
        features = places - rows * f
        if ends is None:
            return cls(rows, features, rows, (n, f, 1))
        groups = torch.searchsorted(ends, features, right=True)
        return cls(rows, features, rows * len(ends) + groups, (n, f, len(ends)))

    @cached_property
    def starts(self) -> Tensor:
        """The first entry of each row and group, [n · g]."""
        n, _, g = self.shape
        return torch.searchsorted(self.bags, torch.arange(n * g, device=self.bags.device))

    @cached_property
    def by_feature(self) -> tuple[Tensor, Tensor]:
        """The order of entries by feature, [m], and the first of each feature in it, [f]."""
        features, order = _sort(self.features)
        return order, torch.searchsorted(features, torch.arange(self.shape[1], device=features.device))

    def sum_by_feature(self, values: Tensor, places: Tensor, vectors: Tensor) -> Tensor:
        """Σ value · vectors[place] over the entries of each feature: values and places [m], [·, d] to [f, d]."""
        order, starts = self.by_feature
        return _sums(values[order], places[order], starts, vectors)


class _Encode(torch.autograd.Function):
    """Scores of the active entries, [m]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, scores: Tensor, entries: Entries) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.entries = entries
        return scores[entries.rows, entries.features]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        (x, weight), entries = ctx.saved_tensors, ctx.entries
        starts = entries.starts[:: entries.shape[2]]
        of_weight = entries.sum_by_feature(grad, entries.rows, x)
        of_bias = entries.sum_by_feature(grad, entries.rows, x.new_ones(len(x), 1)).squeeze(1)
        return _sums(grad, entries.features, starts, weight), of_weight, of_bias, None, None


class _Decode(torch.autograd.Function):
    """Σ value · direction over the active features of each row and group, [n · g, d]."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, directions: Tensor, entries: Entries) -> Tensor:
        ctx.save_for_backward(values, directions)
        ctx.entries = entries
        return _sums(values, entries.features, entries.starts, directions)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        (values, directions), entries = ctx.saved_tensors, ctx.entries
        with torch.enable_grad():
            weights = values.detach().requires_grad_()
            sums = _sums(weights, entries.features, entries.starts, directions)
        (of_values,) = torch.autograd.grad(sums, weights, grad)
        return of_values, entries.sum_by_feature(values, entries.bags, grad), None


def encode(x: Tensor, weight: Tensor, bias: Tensor, scores: Tensor, entries: Entries) -> Tensor:
    """Activations of the active entries, never negative: [m].

    Args:
        x: [n, d] rows.
        weight: [f, d] encoder directions.
        bias: [f].
        scores: x @ weight.T + bias, [n, f], without a gradient.
        entries: which entries are active.
    """
    return torch.relu(_Encode.apply(x, weight, bias, scores, entries))


def decode(values: Tensor, directions: Tensor, entries: Entries) -> Tensor:
    """What the active features of each group add up to: [m] activations and [f, d] directions to [n, g, d]."""
    n, _, g = entries.shape
    return _Decode.apply(values, directions, entries).view(n, g, -1)


def _sums(values: Tensor, places: Tensor, starts: Tensor, vectors: Tensor) -> Tensor:
    """Σ value · vectors[place] over each stretch of entries that begins at `starts`; vectors take no gradient."""
    return F.embedding_bag(places, vectors.detach(), starts, mode="sum", per_sample_weights=values)


def _sort(keys: Tensor) -> tuple[Tensor, Tensor]:
    """Whole numbers [m] in rising order, and where each was; numpy sorts them ten times as fast as torch on a CPU."""
    if keys.device.type != "cpu":
        return keys.sort(stable=True)
    order = torch.from_numpy(np.argsort(keys.numpy()))
    return keys[order], order
