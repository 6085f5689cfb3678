"""Parsing what users write into edits: concepts by name, several features, values in a feature's own units."""

import operator
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from interp.concepts.alignment import UNALIGNED
from interp.concepts.suggestions import unknown_concept
from interp.steering.edits import Edit, Push, Steer
from interp.steering.feature_names import feature_number, feature_or_concept
from interp.steering.validation import LARGEST, check_at, check_dictionary, check_weight, check_word
from interp.steering.vocabulary import At, Op, Reconstruct, Unit, Verb
from recmodels.errors import InputError, quote
from recmodels.scalars import as_number, as_whole_number

USUAL = {"op": "set", "at": "last", "unit": "activation", "weight": 1.0, "reconstruct": "none"}
DICTIONARY = "dictionary"  # the attribute of a series of features with the fingerprint of its dictionary
MOST_IN_UNITS = 1e300  # of a feature that is hardly active
MOST = 1_000_000  # edits of one steer; an iterator may never end


@dataclass(frozen=True)
class Meanings:
    """The meaning of names and units for the features of a dictionary.

    Attributes:
        concepts: concept → its aligned features, best first.
        units: std and p99 of every feature's activations, indexed by feature.
        dictionary: fingerprint of the dictionary with these features; None for any.
    """

    concepts: Mapping[str, tuple[int, ...]]
    units: pd.DataFrame
    dictionary: str | None = None

    @classmethod
    def of_tables(cls, features: pd.DataFrame, concepts: pd.DataFrame, dictionary: str | None = None) -> "Meanings":
        """From a study's tables `features` and `concepts`, which know their dictionary.

        A concept's aligned features are its top feature and all others whose best concept it is, with a correlation of
        0.2 or more.
        """
        units = features.set_index("feature")[["std", "p99"]]
        aligned = features[features["correlation"] >= UNALIGNED].sort_values(
            "correlation", ascending=False, kind="stable"
        )
        by_concept = {
            row.concept: (int(row.feature), *aligned.loc[aligned["concept"] == row.concept, "feature"].astype(int))
            for row in concepts.itertuples()
        }
        owner = _same(features.attrs.get(DICTIONARY), dictionary)
        return cls({name: tuple(dict.fromkeys(numbers)) for name, numbers in by_concept.items()}, units, owner)

    def features(self, name: str) -> tuple[int, ...]:
        """The aligned features of a concept, best first.

        Raises:
            InputError: there is no such concept.
        """
        if not isinstance(name, str) or name not in self.concepts:
            raise InputError(unknown_concept(name, self.concepts))
        return self.concepts[name]

    def unit(self, feature: int, unit: Unit) -> float:
        """One unit of a feature in activation.

        Raises:
            InputError: the feature is never active, so it has no unit.
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

    `meanings` resolves names and units, `dictionary` is the fingerprint of the dictionary whose features are meant.
    `interp.steering.validation.check_steer` checks whether the dictionary can carry the steer out.

    Raises:
        InputError: edits of another form, or an unknown concept, word or unit.
    """
    check_word("op", op, Verb)
    check_word("unit", unit, Unit)
    steps = _steps(at)
    check_at(steps)
    check_weight(weight)
    weight = float(weight)
    if isinstance(edits, pd.Series):
        dictionary = _same(edits.attrs.get(DICTIONARY), dictionary)
    entries: list[Edit | Push] = []
    for key, value in _entries(edits, op):
        if isinstance(key, Edit | Push):
            if (op, steps, unit, weight) != tuple(USUAL[word] for word in ("op", "at", "unit", "weight")):
                raise InputError("an Edit already says its op, at and weight, in activation: give edits without these")
            if isinstance(key, Edit):
                dictionary = _same(key.dictionary or _owner(key.feature), dictionary)
                key = replace(key, feature=_read(key.feature, None))
            entries.append(key)
            continue
        dictionary = _same(_owner(key), dictionary)
        key = _read(key, meanings)
        concept = key if isinstance(key, str) else None
        subject = f"feature {key}" if isinstance(key, int) else quote(key)
        operands = _operands(op, value, subject)
        for feature in _features(key, meanings):
            size = _size(feature, op, unit, meanings)
            entries += [
                Edit(feature, _times(operand, size, subject), kind, steps, weight, concept)
                for kind, operand in operands
            ]
    return Steer(tuple(entries), site, reconstruct, dictionary)


def is_usual(word: str, value: Any) -> bool:
    """Whether an option is at its default."""
    usual = USUAL[word]
    return value == usual if isinstance(value, str) else as_number(value) == usual


def _steps(at: Any) -> Any:
    """Steps as a word or a tuple of Python's own whole numbers; anything else as it is, for the check to refuse."""
    number = as_whole_number(at)
    if number is not None:
        return (number,)
    if isinstance(at, np.ndarray) and at.ndim == 1:
        at = at.tolist()
    if not isinstance(at, tuple | list | range):
        return at
    whole = [as_whole_number(step) for step in at]
    return tuple(step if number is None else number for step, number in zip(at, whole, strict=True))


def _owner(key: Any) -> Any:
    """The fingerprint that a `Feature` carries; None for a number or a name."""
    return getattr(key, DICTIONARY, None) if hasattr(type(key), "__index__") else None


def _same(written_for: Any, dictionary: str | None) -> str | None:
    """The fingerprint of the dictionary that is meant; edits for another dictionary are refused."""
    check_dictionary(written_for, dictionary)
    return dictionary if written_for is None else written_for


def _entries(edits: Any, op: Verb) -> Iterable[tuple[Any, Any]]:
    if isinstance(edits, Mapping | pd.Series):
        if op == "ablate":
            raise InputError('op is "ablate", which takes no values: give a list of features')
        return _once(edits, "feature").items()
    if isinstance(edits, Iterable) and not isinstance(edits, str | bytes | bytearray | memoryview | pd.DataFrame):
        try:
            entries = list(islice(edits, MOST + 1))
        except (TypeError, RuntimeError) as error:  # such as an array without axes
            raise InputError(f"cannot read edits from {quote(edits)} ({error}): give a list") from None
        if len(entries) > MOST:
            raise InputError(f"a steer has at most {MOST} edits: give fewer")
        if op == "ablate" or all(isinstance(edit, Edit | Push) for edit in entries):
            return [(edit, 0.0) for edit in entries]
        raise InputError(
            f'{quote(entries)} has no values: give a mapping such as {{"Horror": 1.0}}, or op="ablate" to set them to 0'
        )
    form = 'a list of features, such as ["Horror"]' if op == "ablate" else 'a mapping, such as {"Horror": 1.0}'
    raise InputError(f"cannot read edits from {quote(edits)}: give {form}")


def _once(series: Any, kind: str) -> Any:
    """Check that a mapping or series names nothing twice, and return it."""
    if isinstance(series, pd.Series):
        try:
            unique = series.index.is_unique
        except Exception:  # of a key's own code, or because it has no hash
            raise InputError(f"the index of a series holds no {kind}s: it is {quote(series.index)}") from None
        if not unique:
            twice = Counter(map(quote, series.index)).most_common(1)[0][0]
            raise InputError(f"{kind} {twice} is there twice: keep one of the two")
    return series


def _read(key: Any, meanings: Meanings | None) -> Any:
    """The key of an edit: a whole number, the name of a concept, or anything else, which the check refuses later."""
    if isinstance(key, str):
        return feature_or_concept(str(key), meanings.concepts if meanings else ())
    number = feature_number(key)
    if number is None and hasattr(type(key), "__index__") and not isinstance(key, bool):
        try:
            return operator.index(key)
        except Exception:  # the key's own code, or an array with several entries
            return key
    return key if number is None else number


def _features(key: Any, meanings: Meanings | None) -> tuple[Any, ...]:
    """The numbers of the features that a key means."""
    if isinstance(key, str):
        if meanings is None:
            raise InputError(
                f"what {quote(key)} means is not known here: name features by number, or take `study.recommender`"
            )
        return meanings.features(key)
    return (key,)


def _size(feature: Any, op: Verb, unit: Unit, meanings: Meanings | None) -> float:
    if unit == "activation":
        return 1.0
    if as_whole_number(feature) is None:
        return 1.0  # the check refuses it later
    if op in ("scale", "ablate"):
        raise InputError(f'{op} has no unit: leave out unit="{unit}"')
    if meanings is None:
        raise InputError(f"the {unit} of features is not known here: give activations, or take `study.recommender`")
    return meanings.unit(feature, unit)


def _operands(op: Verb, value: Any, subject: str) -> list[tuple[Op, Any]]:
    """The edits that a verb stands for."""
    if op == "ablate":
        return [("set", 0.0)]
    if op != "clamp":
        return [(op, value)]
    by_user = isinstance(value, Mapping | pd.Series)
    for pair in _once(value, "user").values() if isinstance(value, Mapping) else value if by_user else [value]:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InputError(f"{subject} is clamped by {quote(pair)}: give a pair (floor, cap)")
        floor, cap = map(as_number, pair)
        if floor is not None and cap is not None and floor > cap:
            raise InputError(f"{subject} is clamped by {quote(pair)}, whose floor is above its cap: swap them")
    ends = [{user: pair[end] for user, pair in value.items()} if by_user else value[end] for end in (0, 1)]
    return [("floor", ends[0]), ("cap", ends[1])]


def _times(value: Any, size: float, subject: str) -> Any:
    """A value, or the value of every user, in activation; `subject` is what messages call its feature."""
    if not isinstance(value, Mapping | pd.Series):
        return _amount(value, size, subject)
    values = {user: _amount(amount, size, subject) for user, amount in _once(value, "user").items()}
    if not values:
        raise InputError(f"{subject} has a value for no user, so nothing would change: give one, or leave it out")
    return values


def _amount(value: Any, size: float, subject: str) -> float:
    number = as_number(value)
    # An unknown feature has no size, which the check says later.
    reach = min(LARGEST / size, MOST_IN_UNITS) if size == size else LARGEST
    if number is None or not abs(number) <= reach:
        raise InputError(f"{subject} is steered by {quote(value)}: give a number between ±{reach:.3g}")
    return float(number) * size


def read_edits(texts: list[str], op: Verb, concepts: Collection[str] = ()) -> Any:
    """Read edits of a command line for `steer_of`: FEATURE=VALUE, FEATURE=FLOOR:CAP to clamp, FEATURE to ablate.

    Args:
        texts: the edits as text.
        op: what the edits do.
        concepts: names of all concepts; a number may be the name of a concept.

    Raises:
        InputError: a text has another form or two meanings, or two texts name the same feature.
    """
    if not texts:
        raise InputError("nothing to do: give an edit such as 412=1")
    if op == "ablate":
        return [feature_or_concept(text, concepts, plain_numbers=True) for text in texts]
    edits: dict[Any, Any] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            numbers = [float(part) for part in value.split(":")]
        except ValueError:
            numbers = []
        form = "FEATURE=FLOOR:CAP" if op == "clamp" else "FEATURE=VALUE"
        if len(numbers) != (2 if op == "clamp" else 1) or not name.strip():
            raise InputError(f"cannot read the edit {quote(text)}: write it as {form}")
        feature = feature_or_concept(name, concepts, plain_numbers=True)
        if "=" in name and concepts and feature not in concepts:
            raise InputError(f"cannot read the edit {quote(text)}, which has two values: write it as {form}")
        if feature in edits:
            raise InputError(f"{name} is steered twice: keep one of the two")
        edits[feature] = tuple(numbers) if op == "clamp" else numbers[0]
    return edits
