"""RecBole's networks, with its names of parameters: SASRec, BERT4Rec, GRU4Rec and BPR.

Dropout is left out, as it does nothing after training. Histories are padded on the right with token 0.

Zhao et al., *RecBole: Towards a Unified, Comprehensive and Efficient Framework for Recommendation Algorithms*, CIKM
2021; checked against releases 1.1.1 and 1.2.1.

Axes: b histories, s steps, d width.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recmodels.adapters.attention import MASKED, attend, causal

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "relu": F.relu,
    "swish": F.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


class Attention(nn.Module):
    """Attention of a layer, its sum with the input, and the layer norm after it."""

    def __init__(self, d: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.dense = (nn.Linear(d, d) for _ in range(4))
        self.LayerNorm = nn.LayerNorm(d, eps=eps)

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """[b, s, d] and what is added to the logits to [b, s, d]."""
        context = attend(self.query(hidden), self.key(hidden), self.value(hidden), self.heads, bias)
        return self.LayerNorm(self.dense(context) + hidden)


class FeedForward(nn.Module):
    """The two dense layers of a layer, their sum with the input, and the layer norm after it."""

    def __init__(self, d: int, inner: int, act: str, eps: float) -> None:
        super().__init__()
        self.dense_1, self.dense_2 = nn.Linear(d, inner), nn.Linear(inner, d)
        self.LayerNorm = nn.LayerNorm(d, eps=eps)
        self.act = ACTIVATIONS[act]

    def forward(self, hidden: Tensor) -> Tensor:
        """[b, s, d] to the same."""
        return self.LayerNorm(self.dense_2(self.act(self.dense_1(hidden))) + hidden)


class Layer(nn.Module):
    """One transformer layer."""

    def __init__(self, d: int, heads: int, inner: int, act: str, eps: float) -> None:
        super().__init__()
        self.multi_head_attention = Attention(d, heads, eps)
        self.feed_forward = FeedForward(d, inner, act, eps)

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """[b, s, d] to the same."""
        return self.feed_forward(self.multi_head_attention(hidden, bias))


class Encoder(nn.Module):
    """The layers, one after another."""

    def __init__(self, layers: int, *layer: int | str | float) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(*layer) for _ in range(layers))  # type: ignore[arg-type]

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """[b, s, d] to the same."""
        for layer in self.layer:
            hidden = layer(hidden, bias)
        return hidden


class SASRec(nn.Module):
    """RecBole's SASRec: each step sees itself and what comes before."""

    def __init__(
        self, tokens: int, positions: int, d: int, layers: int, heads: int, inner: int, act: str, eps: float
    ) -> None:
        super().__init__()
        self.item_embedding = nn.Embedding(tokens, d)
        self.position_embedding = nn.Embedding(positions, d)
        self.trm_encoder = Encoder(layers, d, heads, inner, act, eps)
        self.LayerNorm = nn.LayerNorm(d, eps=eps)

    def forward(self, tokens: Tensor) -> Tensor:
        """[b, s] tokens to hidden states [b, s, d]."""
        steps = torch.arange(tokens.shape[1], device=tokens.device)
        hidden = self.LayerNorm(self.item_embedding(tokens) + self.position_embedding(steps))
        allowed = causal(tokens.shape[1], tokens.device) & (tokens != 0)[:, None]
        return self.trm_encoder(hidden, torch.where(allowed, 0.0, MASKED)[:, None])


class BERT4Rec(SASRec):
    """RecBole's BERT4Rec: each step sees all others.

    From release 1.2 on, an output layer with a bias stands before the scores, and RecBole drops the first item of the
    history that it scores, a short one's too: here its step is there, but no other step sees it.

    Args:
        head: whether it has the output layer.
    """

    def __init__(
        self,
        tokens: int,
        positions: int,
        d: int,
        layers: int,
        heads: int,
        inner: int,
        act: str,
        eps: float,
        head: bool,
    ) -> None:
        super().__init__(tokens, positions, d, layers, heads, inner, act, eps)
        self.head, self.unseen = head, int(head)
        if head:
            self.output_ffn = nn.Linear(d, d)
            self.output_ln = nn.LayerNorm(d, eps=eps)
            self.output_bias = nn.Parameter(torch.zeros(tokens - 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """[b, s] tokens, the last one of each history being [MASK], to hidden states [b, s, d]."""
        steps = torch.arange(tokens.shape[1], device=tokens.device)
        places = (steps - self.unseen).clamp(min=0)
        hidden = self.LayerNorm(self.item_embedding(tokens) + self.position_embedding(places))
        allowed = (tokens != 0) & (steps >= self.unseen)
        hidden = self.trm_encoder(hidden, torch.where(allowed, 0.0, MASKED)[:, None, None])
        return self.output_ln(F.gelu(self.output_ffn(hidden))) if self.head else hidden


class GRU4Rec(nn.Module):
    """RecBole's GRU4Rec. Its stacked layers are one GRU each here, so that each can be read (`GRU_NAMES`)."""

    def __init__(self, tokens: int, d: int, width: int, layers: int) -> None:
        super().__init__()
        self.item_embedding = nn.Embedding(tokens, d)
        self.gru_layers = nn.ModuleList(
            nn.GRU(width if layer else d, width, bias=False, batch_first=True) for layer in range(layers)
        )
        self.dense = nn.Linear(width, d)

    def forward(self, tokens: Tensor) -> Tensor:
        """[b, s] tokens to hidden states [b, s, d]."""
        hidden = self.item_embedding(tokens)
        for layer in self.gru_layers:
            hidden, _ = layer(hidden)
        return self.dense(hidden)


class BPR(nn.Module):
    """RecBole's BPR: a vector for each user and each item, and no steps."""

    def __init__(self, users: int, tokens: int, d: int) -> None:
        super().__init__()
        self.user_embedding = nn.Embedding(users, d)
        self.item_embedding = nn.Embedding(tokens, d)

    def forward(self, users: Tensor) -> Tensor:
        """[b] users to their vectors [b, d]."""
        return self.user_embedding(users)
