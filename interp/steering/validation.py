"""Whether a dictionary can carry out a steer: every mistake is told in one line, before anything is steered."""

from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from typing import Any, get_args

import torch

from interp.steering.edits import Coder, Edit, Push, Steer
from interp.steering.vocabulary import Op, Reconstruct
from recmodels.errors import InputError

LARGEST = 1e9  # a larger number overflows somewhere behind the site
SHOWN = 40  # characters of a wrong value


def checked(steer: Steer, coder: Coder) -> Steer:
    """The steer itself, if this dictionary can carry it out.

    Raises:
        InputError: it was written for another dictionary, a feature is out of range, a value is not a finite number, a
            word is unknown, or two edits contradict each other.
    """
    if steer.dictionary not in (None, coder.fingerprint):
        raise InputError(
            f"this steer is for the features of dictionary {str(steer.dictionary)[:12]}, not of "
            f"{coder.fingerprint[:12]}: write it again for this one, whose features mean something else"
        )
    check_word("reconstruct", steer.reconstruct, Reconstruct)
    for edit in steer.edits:
        if not isinstance(edit, Edit | Push):
            raise InputError(f"a steer holds {edit!r}: give it edits and pushes")
        check_at(edit.at)
        if isinstance(edit, Push):
            _check_push(edit)
        else:
            _check_edit(edit, coder)
    _check_consistent([edit for edit in steer.edits if isinstance(edit, Edit)])
    return steer


def check_word(name: str, word: object, allowed: object) -> None:
    """Refuse a word that is none of a Literal's.

    Raises:
        InputError: it is another one.
    """
    if word not in get_args(allowed):
        raise InputError(f"{name} is {word!r}: choose one of {', '.join(get_args(allowed))}")


def check_at(at: object) -> None:
    """Refuse steps that are none.

    Raises:
        InputError: neither "last", "all", nor a tuple of negative numbers.
    """
    if isinstance(at, tuple):
        if not at or not all(isinstance(step, Integral) and step < 0 for step in at):
            raise InputError(f"at is {at!r}: count steps from the end, such as (-1, -2) for the last two")
    elif at not in ("last", "all"):
        raise InputError(f'at is {at!r}: choose "last", "all" or steps from the end such as (-1, -2)')


def check_weight(weight: object) -> None:
    """Refuse a weight that is none.

    Raises:
        InputError: not a number from 0 to 1.
    """
    if not (_is_number(weight) and 0 <= weight <= 1):  # type: ignore[operator]
        raise InputError(f"the weight is {weight!r}: give a number from 0 to 1")


def _check_push(push: Push) -> None:
    if not isinstance(push.direction, torch.Tensor):
        raise InputError(f"a direction is a {type(push.direction).__name__}: give a tensor")
    if not (_is_number(push.factor) and bool((push.direction * push.factor).abs().max() <= LARGEST)):
        raise InputError(f"a direction or its factor is not finite: give numbers of at most {LARGEST:g}")


def _check_edit(edit: Edit, coder: Coder) -> None:
    feature = edit.feature
    if not _is_integer(feature) or not 0 <= feature < coder.n_features:
        raise InputError(f"there is no feature {feature!r}: this dictionary has features 0 to {coder.n_features - 1}")
    values = edit.value.values() if isinstance(edit.value, Mapping) else [edit.value]
    for value in values:
        if not _is_number(value):
            shown = " ".join(repr(value).split())[:SHOWN]
            raise InputError(f"feature {feature} is steered by {shown}: give a number between ±{LARGEST:g}")
    check_word("op", edit.op, Op)
    check_weight(edit.weight)


def _is_integer(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and bool(-LARGEST <= value <= LARGEST)  # type: ignore[operator]


def _check_consistent(edits: list[Edit]) -> None:
    """Refuse an edit that undoes an earlier one of the same feature."""
    earlier: dict[int, list[Edit]] = {}
    for edit in edits:
        for other in earlier.setdefault(edit.feature, []):
            if not _meet(edit, other):
                continue
            if _undoes(edit, other):
                raise InputError(f"feature {edit.feature} is {_told(other)} and then {_told(edit)}: keep one of these")
        earlier[edit.feature].append(edit)


def _undoes(edit: Edit, other: Edit) -> bool:
    """Whether nothing, or not what was asked, is left of an earlier edit; what says the same twice does no harm."""
    pairs = list(_pairs(other.value, edit.value))
    if edit.op == "set" and edit.weight == 1:
        return not (other.op == "set" and other.weight == 1 and all(before == after for before, after in pairs))
    if edit.op == "floor" and other.op in ("set", "cap"):
        return any(before < after for before, after in pairs)
    if edit.op == "cap" and other.op in ("set", "floor"):
        return any(before > after for before, after in pairs)
    return False


def _meet(one: Edit, other: Edit) -> bool:
    """Whether two edits act on the same steps of the same users."""
    chosen = [{"last": (-1,)}.get(at, at) if isinstance(at, str) else at for at in (one.at, other.at)]
    same_steps = "all" in chosen or bool(set(chosen[0]) & set(chosen[1]))
    return same_steps and bool(list(_pairs(one.value, other.value)))


def _pairs(one: Any, other: Any) -> Iterator[tuple[float, float]]:
    """The two values of every user whom both edits change."""
    if isinstance(one, Mapping):
        for user in one:
            if not isinstance(other, Mapping) or user in other:
                yield one[user], other[user] if isinstance(other, Mapping) else other
    elif isinstance(other, Mapping):
        yield from ((one, value) for value in other.values())
    else:
        yield one, other


def _told(edit: Edit) -> str:
    words = {"set": "set to", "add": "raised by", "scale": "scaled by", "floor": "kept above", "cap": "kept below"}
    value = "values by user" if isinstance(edit.value, Mapping) else f"{edit.value:g}"
    return f"{words[edit.op]} {value}" + (f" for {edit.concept}" if edit.concept else "")
