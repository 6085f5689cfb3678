"""What a steering edit does to hidden states: pure tensor functions, no tracing.

Axes: b users, s steps, d hidden size, f features.
"""

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor

from recmodels.errors import InputError

Op = Literal["set", "add", "scale"]
At = Literal["last", "all"]
Reconstruct = Literal["none", "last", "all"]


class Coder(Protocol):
    """What an edit needs of a dictionary."""

    @property
    def n_features(self) -> int:
        """f, the size of the dictionary."""

    def encode(self, hidden: Tensor) -> Tensor:
        """[..., d] hidden states to [..., f] features."""

    def decode(self, features: Tensor) -> Tensor:
        """[..., f] features to [..., d] hidden states."""

    def write(self, change: Tensor) -> Tensor:
        """[..., f] change of features to the [..., d] change of hidden states it makes."""


@dataclass(frozen=True)
class Edit:
    """One change to one feature.

    Attributes:
        feature: which one.
        value: the operand of `op`, in units of activation; a [b] tensor gives every user of one
            forward pass their own.
        op: "set" the activation to the value, "add" the value, or "scale" by it.
        at: at each user's "last" real step (the paper's way) or at "all" steps.
    """

    feature: int
    value: float | Tensor
    op: Op = "set"
    at: At = "last"

    def apply(self, features: Tensor) -> None:
        """Change [b, s, f] features in place."""
        if isinstance(self.value, Tensor) and self.value.numel() not in (1, len(features)):
            raise InputError(
                f"feature {self.feature} is steered by {self.value.numel()} values, but {len(features)} histories "
                f"are scored at once: give one value, or one for each"
            )
        steps = slice(-1, None) if self.at == "last" else slice(None)
        value = self.value.reshape(-1, 1) if isinstance(self.value, Tensor) else self.value
        if self.op == "set":
            features[:, steps, self.feature] = value
        elif self.op == "add":
            features[:, steps, self.feature] += value
        else:
            features[:, steps, self.feature] *= value


@dataclass(frozen=True)
class Push:
    """A direction that is added to hidden states, whether a dictionary knows it or not (paper section 8.2.3).

    Attributes:
        direction: [d], in units of the hidden state.
        factor: how much of it is added.
        at: at each user's "last" real step or at "all" steps.
    """

    direction: Tensor
    factor: float
    at: At = "last"

    def apply(self, hidden: Tensor) -> None:
        """Change [b, s, d] hidden states in place."""
        if self.direction.shape != hidden.shape[-1:]:
            raise InputError(
                f"a direction here has {hidden.shape[-1]} entries, not shape {tuple(self.direction.shape)}"
            )
        steps = slice(-1, None) if self.at == "last" else slice(None)
        hidden[:, steps] += self.factor * self.direction.to(hidden)


@dataclass(frozen=True)
class Steer:
    """Edits at one site, and what happens to the part of the hidden state that the dictionary misses.

    Attributes:
        edits: applied in order; what they do to features comes first, then what is pushed.
        site: where, such as "blocks.0".
        reconstruct: "none" keeps the reconstruction error, so that only the edited features change;
            "all" replaces the site's output by its reconstruction at every step (the paper's way,
            section 4.3), "last" at the last step only.
    """

    edits: tuple[Edit | Push, ...]
    site: str
    reconstruct: Reconstruct = "none"

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.edits and self.reconstruct == "none"

    def apply(self, hidden: Tensor, coder: Coder) -> Tensor:
        """Steered [b, s, d] hidden states; the input is left alone."""
        everywhere = self.reconstruct == "all" or any(edit.at == "all" for edit in self.edits)
        start = 0 if everywhere else hidden.shape[1] - 1
        part = hidden[:, start:]
        before = coder.encode(part)
        after = before.clone()
        for edit in self.edits:
            if isinstance(edit, Edit):
                edit.apply(after)
        changed = part + coder.write(after - before)
        if self.reconstruct == "all":
            changed = coder.decode(after)
        elif self.reconstruct == "last":
            changed = torch.cat([changed[:, :-1], coder.decode(after[:, -1:])], dim=1)
        for edit in self.edits:
            if isinstance(edit, Push):
                edit.apply(changed)
        return torch.cat([hidden[:, :start], changed], dim=1)

    def checked(self, coder: Coder) -> "Steer":
        """Itself, if this dictionary can carry it out.

        Raises:
            InputError: a feature is out of range, a value is not a finite number, or a word is unknown.
        """
        for edit in self.edits:
            _check_word("at", edit.at, At)
            if isinstance(edit, Push):
                if not torch.isfinite(edit.direction * edit.factor).all():
                    raise InputError("a direction or its factor is not finite: give finite numbers")
                continue
            if not isinstance(edit.feature, Integral) or not 0 <= edit.feature < coder.n_features:
                raise InputError(
                    f"there is no feature {edit.feature!r}: this dictionary has features 0 to {coder.n_features - 1}"
                )
            if not _is_operand(edit.value):
                shown = " ".join(repr(edit.value).split())
                raise InputError(f"feature {edit.feature} is steered by {shown}: give a finite number")
            _check_word("op", edit.op, Op)
        _check_word("reconstruct", self.reconstruct, Reconstruct)
        return self


def steer_of(edits: Mapping[Any, float] | Steer, site: str, op: Op, at: At, reconstruct: Reconstruct) -> Steer:
    """A `Steer` from a mapping feature → value, or the given one itself."""
    if isinstance(edits, Steer):
        return edits
    if not isinstance(edits, Mapping):
        raise InputError(f"steer takes a mapping from feature to value, not a {type(edits).__name__}")
    return Steer(
        tuple(Edit(_number(feature), _value(value), op, at) for feature, value in edits.items()), site, reconstruct
    )


def _number(feature: Any) -> Any:
    """A feature's number, from an integer of any kind or an object that stands for one; else what was given."""
    return operator.index(feature) if hasattr(feature, "__index__") else feature


def _value(value: Any) -> Any:
    return float(value) if isinstance(value, Real) else value


def _is_operand(value: object) -> bool:
    """Whether it is a finite number, or a tensor of one per user."""
    if isinstance(value, Tensor):
        return value.ndim <= 1 and bool(torch.isfinite(value).all())
    return isinstance(value, Real) and math.isfinite(value)


def _check_word(name: str, word: str, allowed: object) -> None:
    if word not in get_args(allowed):
        raise InputError(f"{name} is {word!r}: choose one of {', '.join(get_args(allowed))}")
