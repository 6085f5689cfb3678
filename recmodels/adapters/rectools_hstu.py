"""The block of RecTools' HSTU (https://arxiv.org/abs/2402.17152), with its parameter names.

Source: https://github.com/MobileTeleSystems/RecTools, rectools/models/nn/transformers/hstu.py. Axes: b histories,
w steps, d width, h heads.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recmodels.adapters.rectools_blocks import Shape

TIME_BUCKETS = 128
BUCKET = 0.301  # the logarithms of two neighbouring time buckets differ by this


class RelativeAttention(nn.Module):
    """What is added to HSTU's attention for the distance and the time between two steps."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.longest = shape.session_max_len
        self.time_weights = nn.Parameter(torch.zeros(TIME_BUCKETS + 1)) if shape.relative_time_attention else None
        self.pos_weights = nn.Parameter(torch.zeros(2 * self.longest - 1)) if shape.relative_pos_attention else None

    def forward(self, times: Tensor | None, next_times: Tensor | None, w: int) -> Tensor | float:
        """What broadcasts to [b, h, w, w].

        Args:
            times: [b, w] seconds of each step.
            next_times: [b, w] seconds of the step after each.
            w: how many steps there are.
        """
        bias: Tensor | float = 0.0
        if self.time_weights is not None and times is not None and next_times is not None:
            gaps = (next_times[:, :, None] - times[:, None, :]).abs().clamp(min=1)
            bias = self.time_weights[(gaps.log() / BUCKET).long().clamp(max=TIME_BUCKETS)][:, None]
        if self.pos_weights is not None:
            steps = torch.arange(w, device=self.pos_weights.device)
            bias = bias + self.pos_weights[self.longest - 1 + steps[None, :] - steps[:, None]]
        return bias


class STUBlock(nn.Module):
    """A block of HSTU: attention without softmax, and a gate."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.n_heads, self.longest = shape.n_heads, shape.session_max_len
        self.rel_attn = RelativeAttention(shape)
        self.uvqk_proj = nn.Parameter(torch.zeros(shape.n_factors, 4 * shape.n_factors))
        self.output_mlp = nn.Linear(shape.n_factors, shape.n_factors)
        self.norm_input = nn.LayerNorm(shape.n_factors, eps=shape.epsilon)
        self.norm_attn_output = nn.LayerNorm(shape.n_factors, eps=shape.epsilon)

    def forward(
        self, hidden: Tensor, seen: Tensor, real: Tensor, times: Tensor | None, next_times: Tensor | None
    ) -> Tensor:
        """[b, w, d] to the same.

        Args:
            hidden: [b, w, d].
            seen: bool [b, w, w], which steps each sees.
            real: bool [b, w, 1], which steps are no padding.
            times: [b, w] seconds of each step, if the network reads them.
            next_times: [b, w] seconds of the step after each.
        """
        b, w, d = hidden.shape
        u, *parts = F.silu((self.norm_input(hidden) * real) @ self.uvqk_proj).chunk(4, dim=-1)
        v, q, k = (part.view(b, w, self.n_heads, -1).transpose(1, 2) for part in parts)
        attention = F.silu(q @ k.transpose(2, 3) + self.rel_attn(times, next_times, w)) / self.longest * seen[:, None]
        mixed = (attention @ v).transpose(1, 2).reshape(b, w, d)
        return self.output_mlp(u * self.norm_attn_output(mixed) * real) + hidden
