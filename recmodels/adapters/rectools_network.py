"""RecTools' SASRec, BERT4Rec and HSTU (0.12 to 0.19) in evaluation mode, with its parameter names.

Source: https://github.com/MobileTeleSystems/RecTools, rectools/models/nn. Axes: b histories, w steps, d width,
i tokens (items and extra tokens).
"""

import torch
from torch import Tensor, nn

from recmodels.adapters.attention import causal
from recmodels.adapters.rectools_blocks import LiGRBlock, PreLNBlock, SASRecBlock, Shape
from recmodels.adapters.rectools_hstu import STUBlock

BLOCKS = {"sasrec": SASRecBlock, "preln": PreLNBlock, "ligr": LiGRBlock}


class IdEmbeddings(nn.Module):
    """A vector for each token."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.ids_emb = nn.Embedding(shape.n_tokens, shape.n_factors)

    def forward(self) -> Tensor:
        """[i, d]."""
        return self.ids_emb.weight


class CategoryEmbeddings(nn.Module):
    """The sum of the vectors of each token's feature values."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embedding_bag = nn.EmbeddingBag(shape.n_values, shape.n_factors, mode="sum")
        self.register_buffer("offsets", torch.zeros(shape.n_tokens, dtype=torch.int64))
        self.register_buffer("emb_bag_inputs", torch.zeros(shape.n_stored, dtype=torch.int64))
        self.register_buffer("input_lengths", torch.zeros(shape.n_tokens, dtype=torch.int64))

    def forward(self) -> Tensor:
        """[i, d]."""
        return self.embedding_bag(self.get_buffer("emb_bag_inputs"), self.get_buffer("offsets"))


class ItemModel(nn.Module):
    """The sum of the blocks above."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        blocks: list[nn.Module] = [IdEmbeddings(shape)] if shape.id_block else []
        self.item_net_blocks = nn.ModuleList([*blocks, CategoryEmbeddings(shape)] if shape.n_values else blocks)

    def forward(self) -> Tensor:
        """[i, d]."""
        return torch.stack([block() for block in self.item_net_blocks]).sum(dim=0)


class Positions(nn.Module):
    """Adds a vector for each step's distance from the end."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.pos_emb = nn.Embedding(shape.session_max_len, shape.n_factors) if shape.use_pos_emb else None
        self.scale = shape.n_factors**0.5 if shape.use_scale_factor else 1.0

    def forward(self, hidden: Tensor) -> Tensor:
        """[b, w, d] to the same."""
        hidden = hidden * self.scale
        return hidden if self.pos_emb is None else hidden + self.pos_emb.weight[: hidden.shape[1]].flip(0)


class Layers(nn.Module):
    """The blocks of SASRec, BERT4Rec or LiGR."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        block = BLOCKS[shape.layers]
        self.transformer_blocks = nn.ModuleList(block(shape) for _ in range(shape.n_blocks))
        if shape.layers == "sasrec":
            self.last_layernorm = nn.LayerNorm(shape.n_factors, eps=1e-8)

    def forward(self, hidden: Tensor, real: Tensor) -> Tensor:
        """[b, w, d] and bool [b, w] of the steps that are no padding to [b, w, d]."""
        w = hidden.shape[1]
        seen = torch.ones(1, 1, w, w, dtype=torch.bool, device=hidden.device)
        if self.shape.use_causal_attn:
            seen = causal(w, hidden.device)[None, None]
        if self.shape.use_key_padding_mask:
            seen = seen & real[:, None, None]
            if self.shape.use_causal_attn:  # padding sees itself
                seen = seen | torch.eye(w, dtype=torch.bool, device=hidden.device)
        is_sasrec = self.shape.layers == "sasrec"
        for block in self.transformer_blocks:
            hidden = block(hidden * real[..., None] if is_sasrec else hidden, seen)
        return self.last_layernorm(hidden * real[..., None]) if is_sasrec else hidden


class STULayers(nn.Module):
    """The blocks of HSTU."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stu_blocks = nn.ModuleList(STUBlock(shape) for _ in range(shape.n_blocks))

    def forward(
        self, hidden: Tensor, real: Tensor, times: Tensor | None = None, next_times: Tensor | None = None
    ) -> Tensor:
        """[b, w, d], bool [b, w], and [b, w] seconds of each step and of the one after it, to [b, w, d]."""
        w, mask = hidden.shape[1], real[..., None]
        seen = causal(w, hidden.device) & real[:, None] & mask
        for block in self.stu_blocks:
            hidden = block(hidden * mask, seen, mask, times, next_times)
        return hidden * mask


class Network(nn.Module):
    """From tokens to the hidden states that are compared with items."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.item_model = ItemModel(shape)
        self.embedding = nn.Identity()  # where activations are read
        self.pos_encoding_layer = Positions(shape)
        self.transformer_layers: nn.Module = STULayers(shape) if shape.layers == "stu" else Layers(shape)

    def forward(self, tokens: Tensor, *times: Tensor | None) -> Tensor:
        """Int64 [b, w] tokens, 0 where there is padding, and the times that HSTU reads, to [b, w, d]."""
        hidden = self.pos_encoding_layer(self.embedding(self.item_model()[tokens]))
        return self.transformer_layers(hidden, tokens != 0, *times)
