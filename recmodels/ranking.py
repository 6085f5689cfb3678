"""Ranked lists and their evaluation, for anything that can score items."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from recmodels import metrics
from recmodels.best_items import best_items, check_length
from recmodels.sequences import Histories
from recmodels.steady import steady

SCORES = 2**24  # of the users who are scored at once: 64 MB, of which a list takes a few copies
Score = Callable[[Histories], torch.Tensor]
"""Scores of all items for a batch of histories: float [user, item]."""


def users_at_once(n_items: int, most: int = 256) -> int:
    """How many users are scored at once: `most`, or fewer in a large catalogue, so that their scores are `SCORES`."""
    return min(max(SCORES // n_items, 1), most)


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
        rows, codes = own_places(histories)
        scores = scores.index_put((rows.to(scores.device), codes.to(scores.device)), scores.new_tensor(-torch.inf))
    codes, values = best_items(scores, k)
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
        mask[own_places(histories)] = True
    return mask.to(like.device)


def own_places(histories: Histories) -> tuple[torch.Tensor, torch.Tensor]:
    """The row and the code of every item of every history: int64 [item]."""
    rows = np.repeat(np.arange(len(histories)), histories.lengths)
    return torch.from_numpy(rows), torch.from_numpy(histories.codes).long()


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
    lists = rank(score, inputs, k, users_at_once(len(catalogue)), keep_seen)
    return list_metrics(lists, truth, catalogue)


def list_metrics(lists: np.ndarray, truth: np.ndarray, catalogue: np.ndarray) -> dict[str, float]:
    """All four metrics of finished lists. Shapes as in `recmodels.metrics`."""
    k = lists.shape[1]
    return {
        f"ndcg@{k}": metrics.ndcg(lists, truth),
        f"hit_rate@{k}": metrics.hit_rate(lists, truth),
        f"coverage@{k}": metrics.coverage(lists, catalogue),
        f"diversity@{k}": metrics.inter_list_diversity(lists),
    }
