"""A steer in the features of another dictionary: each feature becomes its match, each value the same dose of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from interp.steering.edits import Edit, Steer
from recmodels.errors import InputError


@dataclass(frozen=True)
class Counterpart:
    """A feature of another dictionary that stands for one of this.

    Attributes:
        feature: its number there.
        factor: its activation for one unit of activation here.
    """

    feature: int
    factor: float


def translate(steer: Steer, counterparts: Mapping[int, Counterpart], site: str, dictionary: str) -> Steer:
    """The steer for another dictionary.

    Values that are activations (of "set", "add", "floor" and "cap") are multiplied by the counterpart's factor; "scale"
    has no unit and stays.

    Args:
        steer: what is done to features here.
        counterparts: of every feature of the steer.
        site: where the other dictionary is.
        dictionary: its fingerprint.

    Raises:
        InputError: the steer pushes along a direction, which means nothing to another recommender.
    """
    edits = []
    for edit in steer.edits:
        if not isinstance(edit, Edit):
            raise InputError(
                "this steer pushes along a direction, which another recommender does not have: carry edits of features"
            )
        counterpart = counterparts[int(edit.feature)]
        factor = 1.0 if edit.op == "scale" else counterpart.factor
        edits.append(replace(edit, feature=counterpart.feature, value=_times(edit.value, factor), dictionary=None))
    return Steer(tuple(edits), site, steer.reconstruct, dictionary)


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, Mapping):
        return {user: float(amount) * factor for user, amount in value.items()}
    return float(value) * factor
