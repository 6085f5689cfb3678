"""What people write, as edits: concepts by name, several features, strengths in a feature's own units."""

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from interp.concepts.alignment import UNALIGNED
from interp.concepts.suggestions import unknown_concept
from interp.steering.edits import Edit, Push, Steer
from interp.steering.validation import check_at, check_weight, check_word
from interp.steering.vocabulary import At, Op, Reconstruct, Unit, Verb
from recmodels.errors import InputError

USUAL = {"op": "set", "at": "last", "unit": "activation", "weight": 1.0, "reconstruct": "none"}


@dataclass(frozen=True)
class Meanings:
    """What names and units mean for the features of a dictionary.

    Attributes:
        concepts: concept → its aligned features, best first.
        units: std and p99 of every feature's activations, indexed by feature.
    """

    concepts: Mapping[str, tuple[int, ...]]
    units: pd.DataFrame

    @classmethod
    def of_tables(cls, features: pd.DataFrame, concepts: pd.DataFrame) -> "Meanings":
        """From a study's tables `features` and `concepts`.

        A concept's aligned features are its top feature and all others whose best concept it is, with a correlation of
        0.2 or more.
        """
        units = features.set_index("feature")[["std", "p99"]]
        aligned = features[features["correlation"] >= UNALIGNED].sort_values(
            "correlation", ascending=False, kind="stable"
        )
        found = {
            row.concept: (int(row.feature), *aligned.loc[aligned["concept"] == row.concept, "feature"].astype(int))
            for row in concepts.itertuples()
        }
        return cls({name: tuple(dict.fromkeys(numbers)) for name, numbers in found.items()}, units)

    def features(self, name: str) -> tuple[int, ...]:
        """The aligned features of a concept, best first.

        Raises:
            InputError: there is no such concept.
        """
        if name not in self.concepts:
            raise InputError(unknown_concept(name, self.concepts))
        return self.concepts[name]

    def unit(self, feature: int, unit: Unit) -> float:
        """One unit of a feature in activation.

        Raises:
            InputError: the feature is never active, so that it has no unit of its own.
        """
        size = float(self.units[unit].get(feature, np.nan))
        if size == 0:
            raise InputError(f"feature {feature} is never active, so it has no {unit}: give its value in activation")
        return size


def steer_of(
    edits: Any,
    site: str,
    *,
    op: Verb = "set",
    at: At | int = "last",
    reconstruct: Reconstruct = "none",
    weight: float = 1.0,
    unit: Unit = "activation",
    meanings: Meanings | None = None,
    dictionary: str | None = None,
) -> Steer:
    """The `Steer` that was written for a site; see `interp.model.envoys.RecommenderEnvoy.steer`.

    `meanings` tells what names and units mean, `dictionary` is the fingerprint of the dictionary whose features are
    meant. `interp.steering.validation.checked` says whether it can be carried out.

    Raises:
        InputError: edits of another form, an unknown concept or word, or a unit that is not known.
    """
    check_word("op", op, Verb)
    check_word("unit", unit, Unit)
    steps: Any = (at,) if isinstance(at, int) else tuple(at) if isinstance(at, list) else at
    check_at(steps)
    check_weight(weight)
    made: list[Edit | Push] = []
    for key, value in _entries(edits, op):
        if isinstance(key, Edit | Push):
            if (op, steps, unit, weight) != tuple(USUAL[word] for word in ("op", "at", "unit", "weight")):
                raise InputError("an Edit already says its op, at and weight, in activation: give edits without these")
            made.append(key)
            continue
        concept = key if isinstance(key, str) else None
        for feature in _features(key, meanings):
            size = _size(feature, op, unit, meanings)
            made += [
                Edit(feature, _times(operand, size), kind, steps, weight, concept)
                for kind, operand in _operands(op, value)
            ]
    return Steer(tuple(made), site, reconstruct, dictionary)


def _entries(edits: Any, op: Verb) -> Iterable[tuple[Any, Any]]:
    if isinstance(edits, Mapping | pd.Series):
        if op == "ablate":
            raise InputError('op is "ablate", which takes no values: give a list of features')
        return edits.items()
    if isinstance(edits, Iterable) and not isinstance(edits, str):
        entries = list(edits)
        if op == "ablate" or all(isinstance(edit, Edit | Push) for edit in entries):
            return [(edit, 0.0) for edit in entries]
    raise InputError(
        f"steer takes a mapping from feature to value, a list of edits or, to ablate, of features, not a "
        f"{type(edits).__name__}"
    )


def _features(key: Any, meanings: Meanings | None) -> tuple[Any, ...]:
    """Feature numbers of what was written for them."""
    if isinstance(key, str):
        if meanings is None:
            raise InputError(
                f"what {key!r} means is not known here: name features by number, or take `study.recommender`"
            )
        return meanings.features(key)
    return (operator.index(key) if hasattr(key, "__index__") and not isinstance(key, bool) else key,)


def _size(feature: Any, op: Verb, unit: Unit, meanings: Meanings | None) -> float:
    if unit == "activation":
        return 1.0
    if op in ("scale", "ablate"):
        raise InputError(f'{op} has no unit: leave out unit="{unit}"')
    if meanings is None:
        raise InputError(f"the {unit} of features is not known here: give activations, or take `study.recommender`")
    return meanings.unit(feature, unit)


def _operands(op: Verb, value: Any) -> list[tuple[Op, Any]]:
    """The edits that a verb stands for."""
    if op == "ablate":
        return [("set", 0.0)]
    if op != "clamp":
        return [(op, value)]
    by_user = isinstance(value, Mapping | pd.Series)
    for pair in value.values() if isinstance(value, Mapping) else value if by_user else [value]:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InputError(f"clamp is given {pair!r}: give a pair (floor, cap)")
    ends = [{user: pair[end] for user, pair in value.items()} if by_user else value[end] for end in (0, 1)]
    return [("floor", ends[0]), ("cap", ends[1])]


def _times(value: Any, size: float) -> Any:
    """A value, or the value of every user, in activation; anything else as it is, to be refused by name."""
    if isinstance(value, Mapping | pd.Series):
        return {user: _times(one, size) for user, one in value.items()}
    try:
        return float(value) * size if isinstance(value, Real) and not isinstance(value, bool) else value
    except OverflowError:
        return value


def read_edits(texts: list[str], op: Verb) -> Any:
    """What was written on a command line, for `steer_of`: FEATURE=VALUE, FEATURE=FLOOR:CAP to clamp, FEATURE to ablate.

    Raises:
        InputError: a text has another form, or two are about the same feature.
    """
    if not texts:
        raise InputError("nothing to do: give an edit such as 412=1")
    if op == "ablate":
        return [_feature(text) for text in texts]
    edits: dict[Any, Any] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        try:
            numbers = [float(part) for part in value.split(":")]
        except ValueError:
            numbers = []
        if not equals or len(numbers) != (2 if op == "clamp" else 1):
            form = "FEATURE=FLOOR:CAP" if op == "clamp" else "FEATURE=VALUE"
            raise InputError(f"cannot read the edit {text!r}: write it as {form}")
        feature = _feature(name)
        if feature in edits:
            raise InputError(f"{name} is steered twice: keep one of the two")
        edits[feature] = tuple(numbers) if op == "clamp" else numbers[0]
    return edits


def _feature(text: str) -> int | str:
    return int(text) if re.fullmatch(r"\s*-?[0-9]+\s*", text) else text.strip()
