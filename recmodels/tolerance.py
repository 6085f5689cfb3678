"""How far two computations of the same scores or hidden states may differ: rounding depends on kernels and batches."""

import torch
from torch import Tensor

RELATIVE = 1e-3  # of each value
OF_SPREAD = 1e-4  # of the spread of all expected values


def is_close(values: Tensor, expected: Tensor, share: float = 1.0) -> Tensor:
    """Which values equal the expected ones up to a share of the tolerance: bool, of their shape."""
    spread = float(expected.max() - expected.min()) if expected.numel() else 0.0
    return torch.isclose(values.to(expected.dtype), expected, share * RELATIVE, share * OF_SPREAD * spread)
