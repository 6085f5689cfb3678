"""Lists of a large catalogue from hidden states, a block of items at a time: no scores of users × items are held.

Axes: n rows (users, or users and steers), d hidden size, v items.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from recmodels.best_items import best_items, check_length
from recmodels.model import SequentialRecommender
from recmodels.ranking import own_places
from recmodels.sequences import Histories

MANY = 100_000  # items, above which lists are made in blocks
BLOCK = 2**14  # items of a block
ROWS = 64  # that are scored at once: their scores of a block stay in a processor's cache


def in_blocks(model: SequentialRecommender) -> bool:
    """Whether lists are made in blocks: of many items, with scores that are linear in the hidden state."""
    return model.config.n_items > MANY and model.has_linear_scores


@torch.no_grad()
def rank_in_blocks(
    model: SequentialRecommender,
    final: Callable[[Histories], Tensor],
    histories: Histories,
    k: int = 10,
    keep_seen: bool = False,
) -> np.ndarray:
    """Top-k lists of item codes, their own items left out unless `keep_seen`: int [user, k], as `ranking.rank`.

    Args:
        model: one of which `in_blocks` holds.
        final: gives what the scorer reads of some histories, [b, d].
        histories: the users.
        k: list length.
        keep_seen: whether lists may repeat the items of a history.
    """
    k = check_length(k)
    lists = [
        best_in_blocks(model, final(batch), k, None if keep_seen else own_places(batch))
        for batch in histories.batches(ROWS)
    ]
    return torch.cat(lists).cpu().numpy()


def best_in_blocks(
    model: SequentialRecommender, hidden: Tensor, k: int, own: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """The k best items of hidden states at "final" [n, d], equal scores by code: int64 [n, k], −1 where none is left.

    Args:
        model: whose scores are linear.
        hidden: [n, d].
        k: list length.
        own: rows [m] and codes [m] of items that a row's list must not have.

    Raises:
        InputError: a score is NaN or infinite.
    """
    weights, bias = model.output_weights().detach(), model.output_bias()
    best, values = hidden.new_empty(len(hidden), 0, dtype=torch.int64), hidden.new_empty(len(hidden), 0)
    rows, codes, bounds = _sorted(own, len(weights), hidden.device)
    for block, start in enumerate(range(0, len(weights), BLOCK)):
        items = slice(start, start + BLOCK)
        scores = F.linear(hidden, weights[items], None if bias is None else bias[items])
        mine = slice(bounds[block], bounds[block + 1])
        scores[rows[mine], codes[mine] - start] = -torch.inf
        more, more_values = best_items(scores, k)
        # Earlier codes come first, so that a stable sort keeps equal scores in the order of their codes.
        values, order = torch.cat([values, more_values], dim=1).sort(dim=1, descending=True, stable=True)
        best = torch.cat([best, torch.where(more < 0, -1, more + start)], dim=1).gather(1, order)[:, :k]
        values = values[:, :k]
    return F.pad(best, (0, k - best.shape[1]), value=-1)


def _sorted(own: tuple[Tensor, Tensor] | None, v: int, device: torch.device) -> tuple[Tensor, Tensor, list[int]]:
    """Rows and codes in the order of codes, and where the codes of each block start."""
    empty = torch.zeros(0, dtype=torch.int64)
    rows, codes = (empty, empty) if own is None else own
    codes, order = codes.to(device).sort()
    starts = torch.arange(0, v + BLOCK, BLOCK, device=device)
    return rows.to(device)[order], codes, torch.searchsorted(codes, starts).tolist()
