"""Parts of transformer blocks that the fast paths of the last step share.

Axes: b histories, s steps, h heads, d hidden size.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def norm(layer: Any, x: Tensor) -> Tensor:
    """What a LayerNorm makes of [..., d]."""
    return F.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)


def heads(x: Tensor, n_heads: int) -> Tensor:
    """[b, s, d] to [b, h, s, d / h]."""
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def least(like: Tensor) -> float:
    """What is added to the logit of a key that is not seen."""
    return float(torch.finfo(like.dtype).min)


def padding_bias(real: Tensor, like: Tensor) -> Tensor:
    """What is added to attention logits so that only steps that are not padding are seen: float of bool [b, s]."""
    return torch.zeros(real.shape, dtype=like.dtype, device=like.device).masked_fill_(~real, least(like))
