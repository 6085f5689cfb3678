"""A dictionary of any kind as a few tensors, in units of hidden states: what a service needs of it.

Axes: d hidden size, f features, k steered features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class DictionaryTensors:
    """A feature is `relu(scale · pre + shift)` where `pre` is above its threshold, and 0 elsewhere.

    `pre` is `(hidden − center) @ encoder + bias`. The normaliser of the dictionary is part of these tensors.

    Attributes:
        fingerprint: of the dictionary, which steers record.
        center: [d].
        encoder: [d, f].
        bias: [f].
        decoder: [f, d] what one unit of each feature adds to the hidden state.
        offset: [d] the reconstruction where no feature is active.
        threshold: [f], or None: none.
        scale, shift: [f] of gated kinds, or None: 1 and 0.
        strongest: how many features of a step are active at most, as in the kind top_k; 0 for any number.
    """

    fingerprint: str
    center: Tensor
    encoder: Tensor
    bias: Tensor
    decoder: Tensor
    offset: Tensor
    threshold: Tensor | None = None
    scale: Tensor | None = None
    shift: Tensor | None = None
    strongest: int = 0

    @property
    def n_features(self) -> int:
        """f."""
        return self.encoder.shape[1]

    def tensors(self) -> dict[str, Tensor]:
        """Its tensors by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    def only(self, features: Sequence[int]) -> "DictionaryTensors":
        """The dictionary of these features alone; all others stay unknown to it, so `strongest` is not known either."""
        index = torch.tensor(features, dtype=torch.long)
        by_feature: dict[str, Any] = {
            name: value[index]
            for name, value in self.tensors().items()
            if name in ("bias", "decoder", "threshold", "scale", "shift")
        }
        return replace(self, encoder=self.encoder[:, index].contiguous(), strongest=0, **by_feature)

    def before(self, hidden: Tensor) -> Tensor:
        """`pre`: [..., d] to [..., f]."""
        return (hidden - self.center) @ self.encoder + self.bias

    def activations(self, pre: Tensor, least: Tensor | None = None) -> Tensor:
        """Features of `pre` [..., f]; those below `least` [..., 1], if it is given, are not active."""
        features = torch.relu(pre if self.scale is None or self.shift is None else self.scale * pre + self.shift)
        if self.threshold is not None:
            features = features * (pre > self.threshold)
        return features if least is None else features * (pre >= least)

    def encode(self, hidden: Tensor) -> Tensor:
        """[..., d] hidden states to [..., f] features."""
        pre = self.before(hidden)
        return self.activations(pre, self.least(pre))

    def least(self, pre: Tensor) -> Tensor | None:
        """[..., 1] the smallest `pre` of an active feature in kinds such as top_k; features that tie there are active.

        None in kinds where each feature is decided by itself.
        """
        if not self.strongest:
            return None
        return pre.topk(self.strongest, dim=-1).values[..., -1:]

    def decode(self, features: Tensor) -> Tensor:
        """[..., f] features to [..., d] hidden states."""
        return features @ self.decoder + self.offset

    def write(self, change: Tensor) -> Tensor:
        """[..., f] change of features to the [..., d] change of hidden states it makes."""
        return change @ self.decoder
