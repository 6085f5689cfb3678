"""Ranked lists and their evaluation, for anything that can score items."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from recmodels import metrics
from recmodels.errors import InputError, quote
from recmodels.scalars import as_whole_number
from recmodels.sequences import Histories
from recmodels.steady import steady

LONGEST_LIST = 1_000_000
Score = Callable[[Histories], torch.Tensor]
"""Scores of all items for a batch of histories: float [user, item]."""


@steady()
def top_k(
    scores: torch.Tensor, histories: Histories | None, k: int, keep_seen: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The k best items of every row; equal scores are ordered by item code.

    Args:
        scores: float [user, item].
        histories: the items of each row's history are left out; None to leave out nothing.
        k: list length.
        keep_seen: leave out nothing, as where people take the same item again.

    Returns:
        Item codes, int [user, k], and their scores, float [user, k]. Where a user has fewer than k items
        left, the rest is code −1 with score −inf.

    Raises:
        InputError: k is not a valid list length, or a score is NaN or infinite.
    """
    k = check_length(k)
    if histories is not None and not keep_seen:
        scores = scores.masked_fill(own_items(histories, scores), -torch.inf)
    # One more than k, to see whether two items share the last place.
    values, codes = scores.topk(min(k + 1, scores.shape[1]), dim=1)
    if not (values < torch.inf).all():  # nor for NaN, which topk takes first
        raise InputError("the scores are not finite: steer by smaller values, or train the recommender again")
    tied = (values[:, k - 1] == values[:, k]).nonzero().squeeze(1) if values.shape[1] > k else codes[:0, 0]
    values, codes = values[:, :k].clone(), codes[:, :k].clone()
    # topk leaves open which of equal scores it takes: sort rows in which more share the last score than fit.
    codes[tied] = scores[tied].sort(dim=1, descending=True, stable=True).indices[:, : codes.shape[1]]
    # It also leaves open their order: sort by code, then stably by score.
    codes, by_code = codes.sort(dim=1)
    values, by_score = values.gather(1, by_code).sort(dim=1, descending=True, stable=True)
    codes = torch.where(values.isneginf(), -1, codes.gather(1, by_score))
    short = k - codes.shape[1]
    codes, values = F.pad(codes, (0, short), value=-1), F.pad(values, (0, short), value=-torch.inf)
    return codes.cpu().numpy(), values.cpu().numpy()


def own_items(histories: Histories, like: torch.Tensor, keep_seen: bool = False) -> torch.Tensor:
    """Which items no list of these histories has: those of the history, or none if `keep_seen`.

    Args:
        histories: the users.
        like: scores [user, item], for the shape and the device.
        keep_seen: whether lists may repeat the items of a history.

    Returns:
        bool [user, item].
    """
    mask = torch.zeros(like.shape, dtype=torch.bool)
    if not keep_seen:
        rows = np.repeat(np.arange(len(histories)), histories.lengths)
        mask[torch.from_numpy(rows), torch.from_numpy(histories.codes).long()] = True
    return mask.to(like.device)


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


def rank(score: Score, histories: Histories, k: int = 10, batch_size: int = 256, keep_seen: bool = False) -> np.ndarray:
    """Top-k lists of item codes for many histories, their own items left out unless `keep_seen`: int [user, k]."""
    lists = [top_k(score(batch), batch, k, keep_seen)[0] for batch in histories.batches(batch_size)]
    return np.concatenate(lists)


def evaluate(
    score: Score, histories: Histories, catalogue: np.ndarray, k: int = 10, keep_seen: bool = False
) -> dict[str, float]:
    """The paper's recommendation metrics: each history's last item is to be predicted from the others.

    Args:
        score: what scores items.
        histories: test users with at least two items each.
        catalogue: item codes the recommender was trained on.
        k: list length.
        keep_seen: whether lists may repeat the items of a history.

    Returns:
        `ndcg@k`, `hit_rate@k`, `coverage@k` and `diversity@k` (inter-list diversity).
    """
    inputs, truth = histories.split_last()
    return list_metrics(rank(score, inputs, k, keep_seen=keep_seen), truth, catalogue)


def list_metrics(lists: np.ndarray, truth: np.ndarray, catalogue: np.ndarray) -> dict[str, float]:
    """All four metrics of finished lists. Shapes as in `recmodels.metrics`."""
    k = lists.shape[1]
    return {
        f"ndcg@{k}": metrics.ndcg(lists, truth),
        f"hit_rate@{k}": metrics.hit_rate(lists, truth),
        f"coverage@{k}": metrics.coverage(lists, catalogue),
        f"diversity@{k}": metrics.inter_list_diversity(lists),
    }
