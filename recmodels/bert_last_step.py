"""Many values of the last step of BERT's hidden states through its further blocks, with as much shared as there is.

Every step sees the last one, so each value changes all steps. What is shared, or not needed:

- in the first block, queries, keys and values of the earlier steps, and what they read of each other: a value adds one
  key, whose weight against the others is a logistic function of its logit less the logarithm of their sum;
- in the last block, all but the last step's query. Its keys and values enter as sums over steps, so they are never
  made: q · (K x) = (Kᵀ q) · x, and Σ a (V x) = V Σ a x.

Equal to the blocks themselves up to rounding, in evaluation mode.

Axes: b histories, s earlier steps, e values, h heads, d hidden size, k size of a head.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from recmodels.block_parts import heads, norm, padding_bias

ROWS = 2048  # of the wide layer in one product, so that they stay in the processor's cache


def last_step_through(blocks: Sequence[Any], earlier: Tensor, real: Tensor, last: Tensor) -> Tensor:
    """What the last step's output is after some blocks, for each of its values.

    Args:
        blocks: consecutive ones, `transformers`' BertLayer.
        earlier: [b, s, d] hidden states of the steps before.
        real: bool [b, s], which of these are not padding.
        last: [b, e, d] values of the last step.

    Returns:
        [b, e, d].
    """
    padding = padding_bias(real, last)
    if not blocks:
        return last
    if len(blocks) == 1:
        return _last_alone(blocks[0], earlier[:, None], last, padding)
    earlier, last = _first(blocks[0], earlier, last, padding)
    for block in blocks[1:-1]:
        earlier, last = _whole(block, earlier, last, padding)
    return _last_alone(blocks[-1], earlier, last, padding)


def _first(block: Any, earlier: Tensor, last: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
    """A block whose earlier steps are the same for all values: [b, s, d] to [b, e, s, d], and [b, e, d]."""
    attention = block.attention.self
    n_heads = attention.num_attention_heads
    q, k, v = (heads(x, n_heads) for x in _three(attention, earlier))  # [b, h, s, k]
    new_q, new_k, new_v = (heads(x, n_heads) for x in _three(attention, last))  # [b, h, e, k]
    scale = q.shape[-1] ** -0.5
    logits = (q * scale) @ k.mT + padding[:, None, None]  # [b, h, s, s]
    among = logits.logsumexp(dim=-1)
    context = (logits - among[..., None]).exp() @ v
    weight = torch.sigmoid((new_k * scale) @ q.mT - among[:, :, None])[..., None]  # [b, h, e, s, 1]
    mixed = torch.lerp(context[:, :, None], new_v[:, :, :, None], weight)  # [b, h, e, s, k]
    read = mixed.permute(0, 2, 3, 1, 4).flatten(3)
    to_earlier = (new_q * scale) @ k.mT + padding[:, None, None]
    to_itself = (new_q * new_k).sum(dim=-1, keepdim=True) * scale
    weights = torch.cat([to_earlier, to_itself], dim=-1).softmax(dim=-1)
    own = weights[..., :-1] @ v + weights[..., -1:] * new_v
    return _rest(block, earlier[:, None], read), _rest(block, last, own.transpose(1, 2).flatten(2))


def _whole(block: Any, earlier: Tensor, last: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
    """A block in between: [b, e, s, d] and [b, e, d], to the same."""
    b, e, s, d = earlier.shape
    steps = torch.cat([earlier, last[:, :, None]], dim=2).flatten(0, 1)
    attention = block.attention.self
    bias = F.pad(padding, (0, 1)).repeat_interleave(e, dim=0)[:, None, None]
    q, k, v = (heads(x, attention.num_attention_heads) for x in _three(attention, steps))
    read = F.scaled_dot_product_attention(q, k, v, bias)
    output = _rest(block, steps, read.transpose(1, 2).flatten(2)).view(b, e, s + 1, d)
    return output[:, :, :-1], output[:, :, -1]


def _last_alone(block: Any, earlier: Tensor, last: Tensor, padding: Tensor) -> Tensor:
    """The last step's output of a block: from [b, e or 1, s, d] and [b, e, d] to [b, e, d]."""
    attention = block.attention.self
    n_heads = attention.num_attention_heads
    q = _linear(attention.query, last).unflatten(-1, (n_heads, -1))  # [b, e, h, k]
    # The bias of the keys adds the same to all logits of a head.
    key = attention.key.weight.unflatten(0, (n_heads, -1))  # [h, k, d]
    ask = torch.einsum("behk,hkd->behd", q * q.shape[-1] ** -0.5, key)
    if earlier.shape[1] == 1:  # all values see the same
        to_earlier = (ask.flatten(1, 2) @ earlier[:, 0].mT).unflatten(1, ask.shape[1:3])
    else:
        to_earlier = ask @ earlier.mT  # [b, e, h, s]
    to_itself = (ask * last[:, :, None]).sum(dim=-1, keepdim=True)
    weights = torch.cat([to_earlier + padding[:, None, None], to_itself], dim=-1).softmax(dim=-1)
    if earlier.shape[1] == 1:
        seen = (weights[..., :-1].flatten(1, 2) @ earlier[:, 0]).unflatten(1, ask.shape[1:3])
    else:
        seen = weights[..., :-1] @ earlier
    seen = seen + weights[..., -1:] * last[:, :, None]  # [b, e, h, d]
    value = attention.value.weight.unflatten(0, (n_heads, -1))
    read = torch.einsum("behd,hkd->behk", seen, value).flatten(2) + attention.value.bias
    return _rest(block, last, read)


def _rest(block: Any, residual: Tensor, read: Tensor) -> Tensor:
    """A block's output from its input and what its heads have read: [..., d]."""
    after, wide, output = block.attention.output, block.intermediate.dense, block.output
    parts = []
    residual = residual.expand(read.shape).flatten(0, -2)
    for x, before in zip(read.flatten(0, -2).split(ROWS), residual.split(ROWS), strict=True):
        hidden = norm(after.LayerNorm, _linear(after.dense, x) + before)
        inner = F.gelu(_linear(wide, hidden))
        parts.append(norm(output.LayerNorm, _linear(output.dense, inner) + hidden))
    return torch.cat(parts).view(read.shape)


def _three(attention: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    layers = attention.query, attention.key, attention.value
    q, k, v = (_linear(layer, x) for layer in layers)
    return q, k, v


def _linear(layer: Any, x: Tensor) -> Tensor:
    return F.linear(x, layer.weight, layer.bias)
