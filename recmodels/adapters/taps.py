"""Small modules without weights in which a trace reads and writes what a foreign module computes.

A hook on the foreign module passes its hidden states at our steps through a tap, and writes them back if the tap's
output was changed.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from recmodels.adapters.batch import Batch


class Tap(nn.Module):
    """Gives back what it gets: a place where a trace reads and writes."""

    def forward(self, hidden: Tensor) -> Tensor:
        """[b, s, d] to the same."""
        return hidden


class AdapterScorer(nn.Module):
    """Scores items as an adapter says; the weights stay where they are in its module."""

    def __init__(self, score: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.score = score

    def forward(self, hidden: Tensor) -> Tensor:
        """[..., d] to [..., v]."""
        return self.score(hidden)


def add_tap(taps: nn.Module, name: str) -> Tap:
    """Make the tap of a site below `taps`, and the modules above it."""
    parent, path = taps, name.split(".")
    for place, part in enumerate(path):
        if part not in dict(parent.named_children()):
            is_list = place == 0 and len(path) > 1  # "blocks", which is no site itself
            parent.add_module(part, nn.Module() if is_list else Tap())
        parent = parent.get_submodule(part)
    assert isinstance(parent, Tap)
    return parent


def through(tap: Tap, batch: Batch, output: Any, sequence_first: bool) -> Any:
    """Pass a module's output through a tap.

    Args:
        tap: the tap.
        batch: what the module reads.
        output: [b, w, d], or [w, b, d] if `sequence_first`; or a tuple that begins with it.
        sequence_first: whether steps are the first axis.

    Returns:
        What the module's output is instead; None for no change.
    """
    hidden = output[0] if isinstance(output, tuple) else output
    hidden = hidden.transpose(0, 1) if sequence_first else hidden
    steps = batch.steps(hidden)
    version = steps._version  # counts edits in place
    changed = tap(steps)
    if changed is steps and steps._version == version:
        return None
    hidden = batch.replaced(hidden, changed)
    hidden = hidden.transpose(0, 1) if sequence_first else hidden
    return (hidden, *output[1:]) if isinstance(output, tuple) else hidden
