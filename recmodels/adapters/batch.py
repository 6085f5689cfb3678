"""What an adapter reads of a batch of histories, and where their steps lie in the tensors of its module.

Axes: b histories, s steps of the longest history, w steps that the module reads (w >= s), d width.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from recmodels.sequences import USER

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Batch:
    """Histories as codes, padded on the left.

    Attributes:
        codes: int64 [b, s] row of each step's item among the item ids; -1 is padding, `n_items` is a [MASK].
        n_items: how many items there are.
        side: on which side the module wants its padding.
        width: w, how many steps the module reads; None for as many as the longest history has.
        extras: further inputs of each step by name, float64 [b, s], padded with 0; see `Adapter.columns`.
        has_steps: whether the module has hidden states at each step, or one for each history.
    """

    codes: Tensor
    n_items: int
    side: Side = "left"
    width: int | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    has_steps: bool = True

    @property
    def users(self) -> Tensor:
        """The row of each history's user among the users that were given to `wrap`: int64 [b]."""
        return self.extras[USER][:, -1].long()

    @property
    def n_steps(self) -> int:
        """w, how many steps the module reads."""
        return self.width or self.codes.shape[1]

    @cached_property
    def lengths(self) -> Tensor:
        """How many steps each history has, a [MASK] included: int64 [b]."""
        return (self.codes >= 0).sum(dim=1)

    def tokens(self, first: int = 1, pad: int = 0, mask: int | None = None) -> Tensor:
        """Item tokens as the module numbers and pads them: int64 [b, w].

        Args:
            first: the token of code 0; code c has the token `first + c`.
            pad: the token of padding.
            mask: the token of a [MASK]; by default the one after the last item.
        """
        tokens = torch.where(self.codes >= 0, self.codes + first, pad)
        if mask is not None:
            tokens = torch.where(self.codes == self.n_items, mask, tokens)
        return self.spread(tokens, pad)

    def extra(self, name: str, pad: float = 0) -> Tensor:
        """A further input of each step as the module pads it: float64 [b, w]; turn it into the type that you need."""
        return self.spread(self.extras[name], pad)

    def real(self) -> Tensor:
        """Which of the module's steps are no padding: bool [b, w]."""
        return self.spread(self.codes >= 0, False)

    def spread(self, values: Tensor, pad: float) -> Tensor:
        """Values of our steps at the module's: [b, s] to [b, w]."""
        b, s = values.shape
        w = self.n_steps
        target = values.new_full((b, w), pad)
        if self.side == "left":
            target[:, w - s :] = values
        else:
            target[:, :s] = torch.zeros_like(values).scatter(1, self._place(s), values)
            target[~self._first(w)] = pad
        return target

    def _first(self, w: int) -> Tensor:
        """Which steps of a module that pads on the right hold something: bool [b, w]."""
        return torch.arange(w, device=self.codes.device) < self.lengths[:, None]

    def _place(self, s: int) -> Tensor:
        """Where each of our steps lies in a module that pads on the right: int64 [b, s], a permutation of each row."""
        return (torch.arange(s, device=self.codes.device) - (s - self.lengths[:, None])) % s

    def steps(self, hidden: Tensor) -> Tensor:
        """The module's hidden states at our steps: [b, w, d] to [b, s, d]; the last is each history's last.

        A module without steps gives [b, d] or [b, 1, d], which becomes [b, 1, d].
        """
        s = self.codes.shape[1]
        if not self.has_steps:
            return hidden.view(len(self.codes), 1, -1)
        if self.side == "left":
            return hidden[:, hidden.shape[1] - s :]
        return hidden.gather(1, self._place(s)[..., None].expand(-1, -1, hidden.shape[2]))

    def replaced(self, hidden: Tensor, steps: Tensor) -> Tensor:
        """The module's hidden states with other values at our steps: [b, w, d] and [b, s, d] to [b, w, d]."""
        s = self.codes.shape[1]
        if not self.has_steps:
            return steps.view_as(hidden)
        if self.side == "left":
            return torch.cat([hidden[:, : hidden.shape[1] - s], steps], dim=1)
        return hidden.scatter(1, self._place(s)[..., None].expand(-1, -1, hidden.shape[2]), steps)
