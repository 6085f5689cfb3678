"""Small modules without weights in which a trace reads and writes what a foreign module computes.

A hook on the foreign module passes its hidden states at our steps through a tap, and writes them back if the tap's
output was changed.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from recmodels.adapters.batch import Batch
from recmodels.errors import InputError


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


def checked(hidden: Any, batch: Batch, where: str, sequence_first: bool = False) -> Tensor:
    """Hidden states [b, w, d] that a module gave, or [b, d] or [b, 1, d] if it has no steps.

    Raises:
        InputError: they have another shape.
    """
    b, w = batch.codes.shape[0], batch.n_steps  # not len, which torch.export would take for a constant
    shape = tuple(hidden.shape) if isinstance(hidden, Tensor) else None
    if not batch.has_steps:
        if shape is not None and shape[:-1] in ((b,), (b, 1)):
            return hidden
        raise InputError(f"{where} gives {_form(hidden)} for {b} histories, not one vector for each, [{b}, width]")
    if shape is None or len(shape) != 3 or shape[:2] != ((w, b) if sequence_first else (b, w)):
        axes = f"[{w}, {b}, width]" if sequence_first else f"[{b}, {w}, width]"
        is_run = where.endswith(".run")
        advice = "return them from `run`" if is_run else "name a module that does"
        if is_run and shape is not None and shape[:-1] in ((b,), (b, 1)):
            advice = "return the states of all steps, not of the last alone, or set has_steps = False if there are none"
        if shape is not None and len(shape) == 3 and shape[:2] == (w, b):
            advice = "name the site in sequence_first, if steps are its first axis"
        raise InputError(f"{where} gives {_form(hidden)} for {b} histories of {w} steps, not {axes}: {advice}")
    return hidden.transpose(0, 1) if sequence_first else hidden


def through(tap: Tap, batch: Batch, output: Any, where: str, sequence_first: bool) -> Any:
    """Pass a module's output through a tap.

    Args:
        tap: the tap.
        batch: what the module reads.
        output: [b, w, d], or [w, b, d] if `sequence_first`; or a tuple that begins with it.
        where: what to call the module in messages.
        sequence_first: whether steps are the first axis.

    Returns:
        What the module's output is instead; None for no change.

    Raises:
        InputError: the output has another shape.
    """
    hidden = checked(output[0] if isinstance(output, tuple) else output, batch, where, sequence_first)
    steps = batch.steps(hidden)
    version = steps._version  # counts edits in place
    changed = tap(steps)
    unchanged = changed is steps and steps._version == version
    return None if unchanged else written(output, batch, changed, sequence_first)


def written(output: Any, batch: Batch, steps: Tensor, sequence_first: bool) -> Any:
    """A module's output with other hidden states [b, s, d] at our steps; arguments as in `through`."""
    hidden = output[0] if isinstance(output, tuple) else output
    hidden = batch.replaced(hidden.transpose(0, 1) if sequence_first else hidden, steps)
    hidden = hidden.transpose(0, 1) if sequence_first else hidden
    return (hidden, *output[1:]) if isinstance(output, tuple) else hidden


def _form(value: Any) -> str:
    return f"the shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
