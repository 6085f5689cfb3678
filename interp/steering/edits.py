"""What a steering edit does to hidden states: pure tensor functions, no tracing.

Axes: b users, s steps, d hidden size, f features.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from interp.steering.vocabulary import At, Op, Reconstruct
from recmodels.errors import InputError

if TYPE_CHECKING:
    import pandas as pd  # a service applies steers without it


class Coder(Protocol):
    """The part of a dictionary that edits use."""

    @property
    def n_features(self) -> int:
        """f, the size of the dictionary."""

    @property
    def fingerprint(self) -> str:
        """Identifies the dictionary."""

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
        value: the operand of `op`, in units of activation; a mapping from user to value gives each user their own and
            leaves those it does not name alone.
        op: "set" the activation to the value, "add" the value, "scale" by it, or keep it from falling below ("floor")
            or rising above it ("cap").
        at: each user's "last" real step (as in the paper), "all" steps, or a tuple of steps counted from the end:
            (-1,) is the last step, (-1, -2) the last two.
        weight: how far the activation moves towards the result of `op`: 1 all the way, 0.5 half of the way.
        concept: the concept that the edit was written for, if any.
        dictionary: fingerprint of the dictionary with this feature; None for any. A `Steer` writes its own here, so
            that edits which are taken out of it are refused by another dictionary too.
    """

    feature: int
    value: float | Mapping[Any, float]
    op: Op = "set"
    at: At = "last"
    weight: float = 1.0
    concept: str | None = None
    dictionary: str | None = field(default=None, compare=False, repr=False)

    def apply(self, features: Tensor, users: "pd.Index | None" = None) -> None:
        """Change [b, s, f] features in place; `users` are the labels of the rows, by default 0, 1, 2, …"""
        steps, feature = steps_of(self.at, features.shape[1]), int(self.feature)
        old = features[:, steps, feature]
        if not isinstance(self.value, Mapping):
            features[:, steps, feature] = self._changed(old, float(self.value))
            return
        labels = range(len(old)) if users is None else users
        user_values = old.new_tensor([float(self.value.get(user, math.nan)) for user in labels])[:, None]
        features[:, steps, feature] = torch.where(user_values.isnan(), old, self._changed(old, user_values))

    def _changed(self, old: Tensor, value: float | Tensor) -> Tensor:
        """Activations [b, s] after the edit, by a value for all or one for each row [b, 1]."""
        if self.op == "set":
            new = torch.zeros_like(old) + value
        elif self.op == "add":
            new = old + value
        elif self.op == "scale":
            new = old * value
        else:
            new = old.clamp(min=value) if self.op == "floor" else old.clamp(max=value)
        weight = float(self.weight)
        return new if weight == 1 else torch.lerp(old, new, weight)


@dataclass(frozen=True, eq=False)
class Push:
    """A direction that is added to hidden states, from a dictionary or from elsewhere (paper section 8.2.3).

    Attributes:
        direction: [d], in units of the hidden state.
        factor: how much of it is added.
        at: as in `Edit`.
    """

    direction: Tensor
    factor: float
    at: At = "last"

    def __eq__(self, other: object) -> bool:
        """Whether two pushes are the same; plain comparison of tensors would be entry by entry."""
        if not isinstance(other, Push):
            return NotImplemented
        return (self.factor, self.at) == (other.factor, other.at) and torch.equal(self.direction, other.direction)

    def __hash__(self) -> int:
        return hash((float(self.factor), self.at))

    def apply(self, hidden: Tensor) -> None:
        """Change [b, s, d] hidden states in place."""
        if self.direction.shape != hidden.shape[-1:]:
            raise InputError(
                f"a direction here has {hidden.shape[-1]} entries, not shape {tuple(self.direction.shape)}"
            )
        hidden[:, steps_of(self.at, hidden.shape[1])] += float(self.factor) * self.direction.to(hidden)


@dataclass(frozen=True)
class Steer:
    """Edits at one site, and what happens to the reconstruction error of the dictionary there.

    Attributes:
        edits: applied in order, first the edits of features, then the pushes.
        site: where, such as "blocks.0".
        reconstruct: "none" keeps the reconstruction error, so that only the edited features change;
            "all" replaces the site's output by its reconstruction at every step (the paper's way,
            section 4.3), "last" at the last step only.
        dictionary: fingerprint of the dictionary whose features are meant; None for any.
    """

    edits: tuple[Edit | Push, ...]
    site: str
    reconstruct: Reconstruct = "none"
    dictionary: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.dictionary, str) and isinstance(self.edits, tuple | list):
            object.__setattr__(self, "edits", tuple(_stamped(edit, self.dictionary) for edit in self.edits))

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.edits and self.reconstruct == "none"

    @property
    def concepts(self) -> list[str]:
        """The concepts that its edits were written for, each once."""
        names = (edit.concept for edit in self.edits if isinstance(edit, Edit))
        return list(dict.fromkeys(name for name in names if name is not None))

    @property
    def by_user(self) -> bool:
        """Whether an edit has values by user."""
        return any(isinstance(edit, Edit) and isinstance(edit.value, Mapping) for edit in self.edits)

    @property
    def users(self) -> set[Any]:
        """The users for whom an edit has a separate value."""
        mappings = (edit.value for edit in self.edits if isinstance(edit, Edit) and isinstance(edit.value, Mapping))
        return set().union(*mappings)

    def apply(
        self, hidden: Tensor, coder: Coder, users: "pd.Index | None" = None, features: Tensor | None = None
    ) -> Tensor:
        """Steered [b, s, d] hidden states; the input is left alone.

        Args:
            hidden: [b, s, d] output of the site.
            coder: the site's dictionary.
            users: labels of the rows, by default 0, 1, 2, …
            features: [b, s, f] the features of `hidden`, if they are already computed.
        """
        start = 0 if self.reconstruct == "all" else min((_first(e.at, hidden.shape[1]) for e in self.edits), default=-1)
        start %= hidden.shape[1]
        part = hidden[:, start:]
        before = coder.encode(part) if features is None else features[:, start:]
        after = before.clone()
        for edit in self.edits:
            if isinstance(edit, Edit):
                edit.apply(after, users)
        output = part + coder.write(after - before)
        if self.reconstruct == "all":
            output = coder.decode(after)
        elif self.reconstruct == "last":
            output = torch.cat([output[:, :-1], coder.decode(after[:, -1:])], dim=1)
        for edit in self.edits:
            if isinstance(edit, Push):
                edit.apply(output)
        return torch.cat([hidden[:, :start], output], dim=1)


def _stamped(edit: Any, dictionary: str) -> Any:
    """An edit with the fingerprint of its dictionary, unless it has one."""
    return replace(edit, dictionary=dictionary) if isinstance(edit, Edit) and edit.dictionary is None else edit


def steps_of(at: At, n: int) -> slice | list[int]:
    """The positions of the steps `at` among n; steps before the first are left out."""
    if isinstance(at, str):
        return slice(-1, None) if at == "last" else slice(None)
    return [n + int(step) for step in at if n + int(step) >= 0]


def _first(at: At, n: int) -> int:
    """The first of the steps `at` among n, counted from the end."""
    if isinstance(at, str):
        return -1 if at == "last" else -n
    return max(min(map(int, at)), -n)
