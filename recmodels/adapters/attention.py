"""The attention that adapted transformers share.

Axes: b histories, q steps that ask, k steps that are seen, d width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

MASKED = -10000.0  # what BERT, and RecBole after it, adds to the logit of a step that must not be seen


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, bias: Tensor) -> Tensor:
    """What each step gathers from the steps that it sees, by each head, beside each other.

    Args:
        query: [b, q, d] what each step asks for.
        key: [b, k, d] what it is compared with.
        value: [b, k, d] what is gathered.
        heads: heads, each of which reads its share of the d columns.
        bias: what is added to the logits, or which keys are seen (bool); it broadcasts to [b, heads, q, k].

    Returns:
        [b, q, d].
    """
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(-2)


def causal(steps: int, device: torch.device) -> Tensor:
    """Which steps each step sees if it does not look ahead: bool [q, k], itself included."""
    return torch.ones(steps, steps, dtype=torch.bool, device=device).tril()
