"""The form of tokens that are given as they are, without histories."""

import torch
from torch import Tensor

from recmodels.errors import InputError
from recmodels.sequences import PAD


def check_tokens(tokens: Tensor, n_tokens: int, most: int) -> Tensor:
    """Check tokens and return them: int64 [user, step], padding on the left.

    Args:
        tokens: the tokens.
        n_tokens: how many tokens the model knows, padding included.
        most: how many of a history the model reads.

    Raises:
        InputError: another shape or type, a token that no item has, padding elsewhere, or too many steps.
    """
    form = f"shape {tuple(tokens.shape)} and type {str(tokens.dtype).removeprefix('torch.')}"
    whole = not (tokens.dtype.is_floating_point or tokens.dtype.is_complex or tokens.dtype == torch.bool)
    if tokens.ndim != 2 or not tokens.numel() or not whole or tokens.is_meta:
        raise InputError(f"these tokens have {form}: give whole numbers [user, step], or lists of item ids")
    tokens = tokens.long()
    least, largest = int(tokens.min()), int(tokens.max())
    if least < 0 or largest >= n_tokens:
        raise InputError(
            f"there is no token {least if least < 0 else largest}: tokens are 0 (padding) to {n_tokens - 1}; or give "
            f"lists of item ids"
        )
    real = tokens != PAD
    if not real[:, -1].all() or (real[:, :-1] & ~real[:, 1:]).any():
        raise InputError("the padding of these tokens, 0, is not on the left: put it before each history's tokens")
    longest = int(real.sum(dim=1).max())
    if longest > most:
        raise InputError(f"a history has {longest} tokens: this model reads {most} at most")
    return tokens
