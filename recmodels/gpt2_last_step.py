"""Many values of the last step of GPT-2's hidden states through its further blocks, without running the others again.

No step sees later ones, so what precedes the last step is computed once, and in the last block only its keys and
values are. Equal to the blocks themselves up to rounding, in evaluation mode.

Axes: b histories, s earlier steps, e values, h heads, d hidden size.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from recmodels.block_parts import heads, least, norm, padding_bias


def last_step_through(blocks: Sequence[Any], earlier: Tensor, real: Tensor, last: Tensor) -> Tensor:
    """What the last step's output is after some blocks, for each of its values.

    Args:
        blocks: consecutive ones, `transformers`' GPT2Block.
        earlier: [b, s, d] hidden states of the steps before.
        real: bool [b, s], which of these are not padding.
        last: [b, e, d] values of the last step.

    Returns:
        [b, e, d].
    """
    padding = padding_bias(real, last)
    for place, block in enumerate(blocks):
        attention, n_heads = block.attn, block.attn.num_heads
        q, k, v = (heads(x, n_heads) for x in _projected(attention.c_attn, norm(block.ln_1, last)).chunk(3, dim=-1))
        seen = norm(block.ln_1, earlier)
        if place < len(blocks) - 1:
            earlier_q, keys, values = (heads(x, n_heads) for x in _projected(attention.c_attn, seen).chunk(3, dim=-1))
            context = F.scaled_dot_product_attention(earlier_q, keys, values, _causal(padding))
            earlier = _rest(block, earlier, context)
        else:
            d = last.shape[-1]
            both = torch.addmm(attention.c_attn.bias[d:], seen.flatten(0, 1), attention.c_attn.weight[:, d:])
            keys, values = (heads(x, n_heads) for x in both.view(*seen.shape[:2], 2 * d).chunk(2, dim=-1))
        scale = q.shape[-1] ** -0.5
        to_earlier = (q * scale) @ keys.mT + padding[:, None, None]  # [b, h, e, s]
        to_itself = (q * k).sum(dim=-1, keepdim=True) * scale
        weights = torch.cat([to_earlier, to_itself], dim=-1).softmax(dim=-1)
        last = _rest(block, last, weights[..., :-1] @ values + weights[..., -1:] * v)
    return last


def _rest(block: Any, residual: Tensor, context: Tensor) -> Tensor:
    """A block's output from its input [b, s, d] and what its heads have read [b, h, s, d / h]."""
    hidden = residual + _projected(block.attn.c_proj, context.transpose(1, 2).flatten(2))
    inner = F.gelu(_projected(block.mlp.c_fc, norm(block.ln_2, hidden)), approximate="tanh")
    return hidden + _projected(block.mlp.c_proj, inner)


def _projected(layer: Any, x: Tensor) -> Tensor:
    return torch.addmm(layer.bias, x.flatten(0, 1), layer.weight).view(*x.shape[:-1], layer.weight.shape[1])


def _causal(padding: Tensor) -> Tensor:
    """What is added to the logits of the earlier steps: [b, 1, s, s]; a step of padding sees itself."""
    s = padding.shape[1]
    later = torch.ones(s, s, dtype=torch.bool, device=padding.device).triu(1)
    bias = padding[:, None].expand(-1, s, -1).masked_fill(later, least(padding))
    return bias.masked_fill(torch.eye(s, dtype=torch.bool, device=padding.device), 0)[:, None]
