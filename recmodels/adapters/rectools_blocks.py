"""Blocks of RecTools' transformers, with its parameter names.

Source: https://github.com/MobileTeleSystems/RecTools, rectools/models/nn/transformers. Axes: b histories, w steps,
d width.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from recmodels.adapters.multihead import MultiheadAttention

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "swiglu": F.silu}


@dataclass(frozen=True)
class Shape:
    """What a network of RecTools is made of; the names are RecTools' own.

    Attributes:
        layers: "sasrec", "preln", "ligr" or "stu" (HSTU).
        n_tokens: items and extra tokens.
        n_extra: extra tokens, padding first.
        n_blocks: transformer blocks.
        n_heads: attention heads.
        n_factors: width of the residual stream.
        n_factors_ff: width inside the feed-forward part.
        ff_activation: "relu", "gelu" or "swiglu".
        ff_bias: whether the feed-forward part has biases.
        session_max_len: steps that the network reads.
        use_pos_emb: whether positions have embeddings.
        use_scale_factor: whether items' embeddings are scaled by the root of the width.
        use_causal_attn: whether steps do not read later ones.
        use_key_padding_mask: whether steps do not read padding.
        relative_time_attention: whether attention of HSTU depends on times.
        relative_pos_attention: whether attention of HSTU depends on distances.
        epsilon: of HSTU's layer norms.
        distance: "dot" or "cosine".
        id_block: whether items have embeddings of their own.
        n_values: values of categorical features; 0 if there are none.
        n_stored: (item, value) pairs.
    """

    layers: str
    n_tokens: int
    n_extra: int
    n_blocks: int
    n_heads: int
    n_factors: int
    n_factors_ff: int
    ff_activation: str
    ff_bias: bool
    session_max_len: int
    use_pos_emb: bool
    use_scale_factor: bool
    use_causal_attn: bool
    use_key_padding_mask: bool
    relative_time_attention: bool
    relative_pos_attention: bool
    epsilon: float
    distance: str
    id_block: bool
    n_values: int
    n_stored: int


class FeedForward(nn.Module):
    """Two layers, or three with a gate."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        d, inner, bias = shape.n_factors, shape.n_factors_ff, shape.ff_bias
        self.ff_linear_1 = nn.Linear(d, inner, bias)
        self.ff_linear_2 = nn.Linear(inner, d, bias)
        self.ff_linear_3 = nn.Linear(d, inner, bias) if shape.ff_activation == "swiglu" else None
        self.activation = ACTIVATIONS[shape.ff_activation]

    def forward(self, hidden: Tensor) -> Tensor:
        """[b, w, d] to the same."""
        inner = self.activation(self.ff_linear_1(hidden))
        return self.ff_linear_2(inner if self.ff_linear_3 is None else inner * self.ff_linear_3(hidden))


class SASRecBlock(nn.Module):
    """The block of SASRec's authors: the residual stream goes through the layer norms."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.multi_head_attn = MultiheadAttention(shape.n_factors, shape.n_heads)
        self.q_layer_norm = nn.LayerNorm(shape.n_factors)
        self.ff_layer_norm = nn.LayerNorm(shape.n_factors)
        self.feed_forward = FeedForward(shape)

    def forward(self, hidden: Tensor, seen: Tensor) -> Tensor:
        """[b, w, d] to the same."""
        query = self.q_layer_norm(hidden)
        normed = self.ff_layer_norm(query + self.multi_head_attn(query, hidden, seen))
        return self.feed_forward(normed) + normed


class PreLNBlock(nn.Module):
    """A block with layer norms before its parts (https://arxiv.org/abs/2002.04745)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.multi_head_attn = MultiheadAttention(shape.n_factors, shape.n_heads)
        self.layer_norm_1 = nn.LayerNorm(shape.n_factors)
        self.layer_norm_2 = nn.LayerNorm(shape.n_factors)
        self.feed_forward = FeedForward(shape)

    def forward(self, hidden: Tensor, seen: Tensor) -> Tensor:
        """[b, w, d] to the same."""
        normed = self.layer_norm_1(hidden)
        hidden = hidden + self.multi_head_attn(normed, normed, seen)
        return hidden + self.feed_forward(self.layer_norm_2(hidden))


class LiGRBlock(PreLNBlock):
    """A block whose parts pass gates (https://arxiv.org/abs/2502.03417)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.gating_linear_1 = nn.Linear(shape.n_factors, shape.n_factors)
        self.gating_linear_2 = nn.Linear(shape.n_factors, shape.n_factors)

    def forward(self, hidden: Tensor, seen: Tensor) -> Tensor:
        """[b, w, d] to the same."""
        normed = self.layer_norm_1(hidden)
        hidden = hidden + self.gating_linear_1(hidden).sigmoid() * self.multi_head_attn(normed, normed, seen)
        return hidden + self.gating_linear_2(hidden).sigmoid() * self.feed_forward(self.layer_norm_2(hidden))
