"""Multi-head attention with the parameter names of `torch.nn.MultiheadAttention`, which several packages build on.

Torch's own module takes another path through its code where no gradients are needed; this one has a single path.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recmodels.adapters.attention import attend


class MultiheadAttention(nn.Module):
    """Scaled dot-product attention (Vaswani et al. 2017, section 3.2).

    Args:
        d: width.
        n_heads: heads; d is a multiple of it.
    """

    def __init__(self, d: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.in_proj_weight = nn.Parameter(torch.zeros(3 * d, d))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * d))
        self.out_proj = nn.Linear(d, d)

    def forward(self, query: Tensor, source: Tensor, bias: Tensor) -> Tensor:
        """What each step gathers.

        Args:
            query: [b, w, d] of the steps that ask.
            source: [b, w, d] of the steps that are seen.
            bias: as in `recmodels.adapters.attention.attend`.

        Returns:
            [b, w, d].
        """
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = map(F.linear, (query, source, source), weights, biases)
        return self.out_proj(attend(q, k, v, self.n_heads, bias))
