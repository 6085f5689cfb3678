"""RePlay's SasRec and Bert4Rec in evaluation mode, with its parameter names.

SasRec is there twice: `replay.models.nn` (to 0.22) does not mask padding, `replay.nn` (from 0.21) does. Source:
https://github.com/sb-ai-lab/RePlay, replay/models/nn/sequential and replay/nn. Axes: b histories, w steps, d width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recmodels.adapters.attention import causal
from recmodels.adapters.multihead import MultiheadAttention


class PointWise(nn.Module):
    """Two layers with ReLU, and what went in."""

    def __init__(self, d: int, inner: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(d, inner, 1), nn.Conv1d(inner, d, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """[b, w, d] to the same."""
        return self.conv2(F.relu(self.conv1(hidden.transpose(1, 2)))).transpose(1, 2) + hidden


class SasRecLayers(nn.Module):
    """The blocks of SasRec."""

    def __init__(self, d: int, inner: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.attention_layers = nn.ModuleList(MultiheadAttention(d, heads) for _ in range(blocks))
        self.attention_layernorms = nn.ModuleList(nn.LayerNorm(d, eps=1e-8) for _ in range(blocks))
        self.forward_layers = nn.ModuleList(PointWise(d, inner) for _ in range(blocks))
        self.forward_layernorms = nn.ModuleList(nn.LayerNorm(d, eps=1e-8) for _ in range(blocks))

    def forward(self, hidden: Tensor, seen: Tensor, kept: Tensor | float) -> Tensor:
        """[b, w, d] to the same.

        Args:
            hidden: [b, w, d].
            seen: bool, which steps each sees, [1 or b, 1, w, w].
            kept: what each block's output is multiplied by.
        """
        for attention, norm, forward, forward_norm in zip(
            self.attention_layers, self.attention_layernorms, self.forward_layers, self.forward_layernorms, strict=True
        ):
            query = norm(hidden)
            hidden = forward(forward_norm(query + attention(query, hidden, seen))) * kept
        return hidden


class OldSasRec(nn.Module):
    """SasRec of `replay.models.nn`."""

    def __init__(self, n_items: int, d: int, inner: int, blocks: int, heads: int, longest: int) -> None:
        super().__init__()
        positions = nn.ModuleDict({"pe": nn.Embedding(longest, d)})
        self.item_embedder = nn.ModuleDict({"item_emb": nn.Embedding(n_items + 1, d), "pos_emb": positions})
        self.sasrec_layers = SasRecLayers(d, inner, blocks, heads)
        self.output_normalization = nn.ModuleDict({"last_layernorm": nn.LayerNorm(d, eps=1e-8)})
        self.embedding = nn.Identity()  # where activations are read

    @property
    def items(self) -> Tensor:
        """[v + 1, d] items' embeddings, and that of padding."""
        return self.get_parameter("item_embedder.item_emb.weight")

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        """Int64 [b, w] codes of items and bool [b, w] to [b, w, d]."""
        (w, d), kept = (tokens.shape[1], self.items.shape[1]), real[..., None]
        positions = self.get_parameter("item_embedder.pos_emb.pe.weight")[-w:]
        hidden = (self.embedding(self.items[tokens]) * d**0.5 + positions) * kept
        hidden = self.sasrec_layers(hidden, causal(w, tokens.device)[None, None], kept)
        return self.output_normalization["last_layernorm"](hidden)


class NewSasRec(nn.Module):
    """SasRec of `replay.nn`, as its `from_params` makes it."""

    def __init__(self, n_items: int, d: int, inner: int, blocks: int, heads: int, longest: int, feature: str) -> None:
        super().__init__()
        embedders = nn.ModuleDict({feature: nn.ModuleDict({"emb": nn.Embedding(n_items + 1, d)})})
        parts = {
            "embedder": nn.ModuleDict({"feature_embedders": embedders}),
            "embedding_aggregator": nn.ModuleDict({"pe": nn.Embedding(longest, d)}),
            "encoder": SasRecLayers(d, inner, blocks, heads),
            "output_normalization": nn.LayerNorm(d),
        }
        self.body = nn.ModuleDict(parts)
        self.feature = feature
        self.embedding = nn.Identity()  # where activations are read

    @property
    def items(self) -> Tensor:
        """[v + 1, d] items' embeddings, and that of padding."""
        return self.get_parameter(f"body.embedder.feature_embedders.{self.feature}.emb.weight")

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        """Int64 [b, w] codes of items and bool [b, w] to [b, w, d]."""
        w, d = tokens.shape[1], self.items.shape[1]
        positions = self.get_parameter("body.embedding_aggregator.pe.weight")[-w:]
        hidden = self.embedding(self.items[tokens]) * d**0.5 + positions
        itself = torch.eye(w, dtype=torch.bool, device=tokens.device)
        seen = causal(w, tokens.device) & real[:, None, None] | itself
        return self.body["output_normalization"](self.body["encoder"](hidden, seen, 1.0))


class BertBlock(nn.Module):
    """A block of Bert4Rec."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.attention = MultiheadAttention(d, heads)
        self.attention_norm = nn.LayerNorm(d)
        self.pff = BertForward(d)
        self.pff_norm = nn.LayerNorm(d)

    def forward(self, hidden: Tensor, seen: Tensor) -> Tensor:
        """[b, w, d] to the same."""
        normed = self.attention_norm(hidden)
        hidden = hidden + self.attention(normed, normed, seen)
        return hidden + self.pff(self.pff_norm(hidden))


class BertForward(nn.Module):
    """Two layers with GELU."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.w_1, self.w_2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, hidden: Tensor) -> Tensor:
        """[b, w, d] to the same."""
        return self.w_2(F.gelu(self.w_1(hidden)))


class Bert4Rec(nn.Module):
    """Bert4Rec; each block may be passed several times.

    Args:
        n_items: items.
        d: width.
        blocks: blocks.
        heads: attention heads.
        longest: steps, the [MASK] included.
        passes: how often each block is passed.
        feature: name of the item ids among the features.
        has_positions: whether steps have position embeddings.
        is_tied: whether items are scored by their input embeddings.
    """

    def __init__(
        self,
        n_items: int,
        d: int,
        blocks: int,
        heads: int,
        longest: int,
        passes: int,
        feature: str,
        has_positions: bool,
        is_tied: bool,
    ) -> None:
        super().__init__()
        parts = {
            "cat_embeddings": nn.ModuleDict({feature: nn.Embedding(n_items, d)}),
            "mask_embedding": nn.Embedding(1, d),
        }
        if has_positions:
            parts["position"] = nn.ModuleDict({"pe": nn.Embedding(longest, d)})
        self.item_embedder = nn.ModuleDict(parts)
        self.transformer_blocks = nn.ModuleList(BertBlock(d, heads) for _ in range(blocks))
        self._head = nn.Module() if is_tied else nn.ModuleDict({"linear": nn.Linear(d, n_items)})
        if is_tied:
            self._head.out_bias = nn.Parameter(torch.zeros(n_items))
        self.n_items, self.passes, self.feature = n_items, passes, feature
        self.embedding = nn.Identity()  # where activations are read, as below
        self.after_pass = nn.ModuleList(nn.Identity() for _ in range(blocks * passes))

    @property
    def items(self) -> Tensor:
        """[v, d] items' input embeddings."""
        return self.get_parameter(f"item_embedder.cat_embeddings.{self.feature}.weight")

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        """Int64 [b, w] codes, where `n_items` is [MASK], and bool [b, w] to [b, w, d]."""
        vectors = torch.cat([self.items, self.get_parameter("item_embedder.mask_embedding.weight")])
        hidden, seen = self.embedding(vectors[tokens]), real[:, None, None]
        if "position" in self.item_embedder:
            hidden = hidden + self.get_parameter("item_embedder.position.pe.weight")[-tokens.shape[1] :]
        for i, tap in enumerate(self.after_pass):
            hidden = tap(self.transformer_blocks[i // self.passes](hidden, seen))
        return hidden
