"""How far two computations of the same scores or hidden states may differ: rounding depends on kernels and batches."""

import torch
from torch import Tensor

RELATIVE = 1e-3  # of each value
OF_SPREAD = 1e-4  # of the spread of the expected values
QUARTERS = 8  # inner quarters of a normal distribution in its spread


def is_close(values: Tensor, expected: Tensor, share: float = 1.0) -> Tensor:
    """Which values equal the expected ones up to a share of the tolerance: bool, of their shape."""
    return torch.isclose(values.to(expected.dtype), expected, share * RELATIVE, share * OF_SPREAD * spread(expected))


def spread(values: Tensor) -> float:
    """How far values lie apart, those far from all others left out.

    The score of an item that is out of sale may be −1e9: of the distance from the largest to the smallest value, no
    other difference would be seen. So it is 8 times the narrowest quarter of the sorted values, as in a normal
    distribution, and at most that distance. Quarters of equal values say nothing.
    """
    if not values.numel():
        return 0.0
    ordered = values.flatten().sort().values
    quarters = [float(part[-1] - part[0]) for part in ordered.tensor_split(4) if len(part)]
    narrowest = min((width for width in quarters if width > 0), default=float("inf"))
    return min(QUARTERS * narrowest, float(ordered[-1] - ordered[0]))
