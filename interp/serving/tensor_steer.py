"""A steer as a few tensor operations: it encodes the steered features alone, at the steered steps alone.

Axes: b users, s steps that it changes, d hidden size, k steered features, c columns of values.

Each edit has a column of values, a row for each user. NaN leaves the user alone. So one module serves users with values
of their own and users whom a steer does not know, and an exported program gets the values as an input.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp.serving.dictionary_tensors import DictionaryTensors
from interp.steering.edits import Edit, Push, Steer
from interp.steering.validation import check_steer
from interp.steering.vocabulary import At, Op

RECONSTRUCT = "reconstruct"


@dataclass(frozen=True)
class Round:
    """Edits of different features that do the same with different values.

    Attributes:
        op, at, weight: as in `Edit`.
        columns: steered feature → its column of values.
    """

    op: Op
    at: At
    weight: float
    columns: dict[int, int]


class TensorSteer(nn.Module):
    """Changes hidden states [b, s, d] at a site as `Steer.apply` does.

    Args:
        steer: what is done.
        dictionary: of its site.

    Raises:
        InputError: the dictionary cannot carry out the steer.
    """

    def __init__(self, steer: Steer, dictionary: DictionaryTensors) -> None:
        super().__init__()
        self.steer = check_steer(steer, dictionary)
        edits = [(column, edit) for column, edit in enumerate(steer.edits) if isinstance(edit, Edit)]
        self.pushes = [(column, edit) for column, edit in enumerate(steer.edits) if isinstance(edit, Push)]
        for _, push in self.pushes:
            push.apply(torch.zeros(1, 1, len(dictionary.offset)))  # refuses a direction of another length
        self.directions = [push.direction.to(dictionary.offset) for _, push in self.pushes]
        self.columns: list[int | str] = list(range(len(steer.edits)))
        if steer.reconstruct != "none":
            self.columns.append(RECONSTRUCT)
        steered = sorted({int(edit.feature) for _, edit in edits})
        self.whole = steer.reconstruct != "none"  # a reconstruction needs every feature
        features = list(range(dictionary.n_features)) if self.whole else steered
        self.dictionary = dictionary
        self.part = dictionary if self.whole else dictionary.only(features)
        self.features = torch.tensor(features, dtype=torch.long)
        place, none = {feature: k for k, feature in enumerate(features)}, len(self.columns)
        self.rounds = _rounds(edits)
        # For each round, the column of every feature's value; those that it leaves alone have the last one, of NaN.
        self.of_feature = []
        for step in self.rounds:
            index = torch.full((len(features),), none)
            for feature, column in step.columns.items():
                index[place[feature]] = column
            self.of_feature.append(index)
        self.common = None if steer.by_user else self._common()

    @property
    def reach(self) -> int | None:
        """How many of the last steps it can change; None for all."""
        if self.steer.reconstruct == "all" or any(edit.at == "all" for edit in self.steer.edits):
            return None
        farthest = [min(map(int, edit.at)) for edit in self.steer.edits if isinstance(edit.at, tuple)]
        return -min(farthest, default=-1)

    def knows(self, user: Any) -> bool:
        """Whether it changes anything for a user."""
        if self.steer.empty:
            return False
        if self.steer.reconstruct != "none" or not self.steer.by_user:
            return True
        edits = self.steer.edits
        return any(not isinstance(e, Edit) or not isinstance(e.value, Mapping) or user in e.value for e in edits)

    def values(self, users: Sequence[Any]) -> Tensor:
        """float32 [b, c] for these users; [1, c] if it has no values by user."""
        if self.common is not None:
            return self.common
        row = self._common()[0]
        rows = row.repeat(len(users), 1)
        for column, edit in enumerate(self.steer.edits):
            if isinstance(edit, Edit) and isinstance(edit.value, Mapping):
                rows[:, column] = torch.tensor([float(edit.value.get(user, math.nan)) for user in users])
        return rows

    def forward(self, hidden: Tensor, values: Tensor) -> Tensor:
        """Steered hidden states [b, s, d] of the last s steps; s covers `reach`, or all steps of a history.

        Args:
            hidden: [b, s, d] output of the site.
            values: [b, c] or [1, c], as `values` makes them.
        """
        output = hidden
        if self.rounds or self.whole:
            before = self._encode(hidden)
            after = before
            padded = F.pad(values, (0, 1), value=math.nan)
            for step, index in zip(self.rounds, self.of_feature, strict=True):
                value = padded[:, index][:, None]
                changed = ~value.isnan()
                if (mask := _mask(step.at, hidden, self.reach)) is not None:
                    changed = changed & mask
                after = torch.where(changed, _changed(after, value, step), after)
            output = hidden + self.part.write(after - before)
            if self.whole:
                output = self._reconstructed(output, after, values[:, -1, None, None])
        for (column, push), direction in zip(self.pushes, self.directions, strict=True):
            factor = values[:, column, None, None].nan_to_num(0.0)
            change = factor * direction
            mask = _mask(push.at, hidden, self.reach)
            output = output + (change if mask is None else torch.where(mask, change, 0.0))
        return output

    def _encode(self, hidden: Tensor) -> Tensor:
        """[b, s, k] the steered features; the kind top_k needs all to know which are active."""
        if self.whole or not self.dictionary.strongest:
            return self.part.encode(hidden)
        pre = self.dictionary.before(hidden)
        return self.part.activations(pre[..., self.features], self.dictionary.least(pre))

    def _reconstructed(self, output: Tensor, features: Tensor, on: Tensor) -> Tensor:
        replaced = ~on.isnan()
        if self.steer.reconstruct == "last":
            features, mask = features[:, -1:], _mask("last", output, self.reach)
            replaced = replaced if mask is None else replaced & mask
        return torch.where(replaced, self.part.decode(features), output)

    def _common(self) -> Tensor:
        """[1, c] values that are the same for all users."""
        row = [_number(edit) for edit in self.steer.edits]
        return torch.tensor([row + [1.0] * self.whole], dtype=torch.float32)


def _number(edit: Edit | Push) -> float:
    if isinstance(edit, Push):
        return float(edit.factor)
    return math.nan if isinstance(edit.value, Mapping) else float(edit.value)


def _rounds(edits: list[tuple[int, Edit]]) -> list[Round]:
    """As few rounds as possible, in which the edits of each feature keep their order; others may change places."""
    rounds: list[Round] = []
    for column, edit in edits:
        kind, feature = (edit.op, edit.at, float(edit.weight)), int(edit.feature)
        last = max((n for n, step in enumerate(rounds) if feature in step.columns), default=-1)
        fitting = (step for step in rounds[last + 1 :] if (step.op, step.at, step.weight) == kind)
        step = next(fitting, None)
        if step is None:
            rounds.append(step := Round(*kind, {}))
        step.columns[feature] = column
    return rounds


def _changed(old: Tensor, value: Tensor, step: Round) -> Tensor:
    """Activations after a round, as `Edit` changes them."""
    if step.op == "set":
        new = torch.zeros_like(old) + value
    elif step.op == "add":
        new = old + value
    elif step.op == "scale":
        new = old * value
    else:
        new = torch.maximum(old, value) if step.op == "floor" else torch.minimum(old, value)
    return new if step.weight == 1 else torch.lerp(old, new, step.weight)


def _mask(at: At, hidden: Tensor, reach: int | None) -> Tensor | None:
    """Which of the steps `at` means: bool [s, 1]; None for all that are there."""
    if at == "all" or (at == "last" and reach == 1):
        return None
    from_end = torch.arange(hidden.shape[1], device=hidden.device) - hidden.shape[1]
    steps = (-1,) if at == "last" else tuple(map(int, cast(tuple[int, ...], at)))
    return (from_end[:, None] == torch.tensor(steps, device=hidden.device)).any(dim=1)[:, None]
