"""The order of ranked lists: the one rule by which scores become places. It needs torch alone, as a service does."""

from typing import Any

import torch
from torch import Tensor

from recmodels.errors import InputError, quote
from recmodels.scalars import as_whole_number

LONGEST_LIST = 1_000_000
RUN = 64  # items that one largest score stands for, in a catalogue of many
MANY = 4096  # items, from which this is faster


def best_items(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k best items of every row; equal scores are ordered by item code.

    Args:
        scores: float [user, item]; −inf for an item that the list must not have.
        k: list length.

    Returns:
        Item codes, int64 [user, min(k, item)], and their scores; the code is −1 where the score is −inf.

    Raises:
        InputError: a score is NaN or infinite.
    """
    # One more than k, to see whether two items share the last place.
    values, codes = _largest(scores, min(k + 1, scores.shape[1]))
    if not (values < torch.inf).all():  # nor for NaN, which topk takes first
        raise InputError("the scores are not finite: steer by smaller values, or train the recommender again")
    tied = (values[:, k - 1] == values[:, k]).nonzero().squeeze(1) if values.shape[1] > k else codes[:0, 0]
    values, codes = values[:, :k].clone(), codes[:, :k].clone()
    # topk leaves open which of equal scores it takes: sort rows in which more share the last score than fit.
    codes[tied] = scores[tied].sort(dim=1, descending=True, stable=True).indices[:, : codes.shape[1]]
    # It also leaves open their order: sort by code, then stably by score.
    codes, by_code = codes.sort(dim=1)
    values, by_score = values.gather(1, by_code).sort(dim=1, descending=True, stable=True)
    return torch.where(values.isneginf(), -1, codes.gather(1, by_score)), values


def _largest(scores: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """`scores.topk(n, dim=1)`, of many items first by the largest score of every run of them.

    The n largest scores lie in the n runs whose own largest scores are largest, so only these are searched. Which of
    equal scores are taken is open, as in topk.
    """
    v = scores.shape[1]
    runs = v // RUN
    if v < MANY or n > runs // 4:
        return scores.topk(n, dim=1)
    whole, rest = scores[:, : runs * RUN], scores[:, runs * RUN :]
    best = whole.unflatten(1, (runs, RUN)).amax(dim=2).topk(n, dim=1).indices
    codes = (best[:, :, None] * RUN + torch.arange(RUN, device=scores.device)).flatten(1)
    tail = torch.arange(runs * RUN, v, device=scores.device).expand(len(scores), -1)
    codes = torch.cat([codes, tail], dim=1)
    values, places = torch.cat([whole.gather(1, codes[:, : n * RUN]), rest], dim=1).topk(n, dim=1)
    return values, codes.gather(1, places)


def check_length(k: Any) -> int:
    """A list length as Python's own int.

    Raises:
        InputError: k is not a whole number, less than 1, or above `LONGEST_LIST`.
    """
    length = as_whole_number(k)
    if length is None:
        raise InputError(f"k is {quote(k)}: give a whole number of items, such as 10")
    if length < 1:
        raise InputError(f"k is {quote(k)}: ask for at least one item")
    if length > LONGEST_LIST:
        raise InputError(f"k is {quote(k)}: ask for at most {LONGEST_LIST:,} items")
    return length
