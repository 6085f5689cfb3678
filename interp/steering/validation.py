"""Checks whether a dictionary can carry out a steer: each mistake gives a one-line error before anything is steered."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_args

import torch

from interp.steering.edits import Coder, Edit, Push, Steer
from interp.steering.vocabulary import Op, Reconstruct
from recmodels.errors import InputError, an, quote
from recmodels.scalars import as_number, as_whole_number

LARGEST = 1e9  # a larger number overflows in the layers after the site


def check_steer(steer: Steer, coder: Coder) -> Steer:
    """Check that this dictionary can carry out the steer, and return the steer.

    Raises:
        InputError: it was written for another dictionary, a feature is out of range, a value is not a finite number, a
            word is unknown, or two edits contradict each other.
    """
    check_dictionary(steer.dictionary, coder.fingerprint)
    check_word("reconstruct", steer.reconstruct, Reconstruct)
    if not isinstance(steer.edits, tuple | list):
        raise InputError(f"the edits of a steer are {quote(steer.edits)}: give a tuple of edits and pushes")
    for edit in steer.edits:
        if not isinstance(edit, Edit | Push):
            raise InputError(f"a steer holds {quote(edit)}: give it edits and pushes")
        check_at(edit.at)
        if isinstance(edit, Push):
            _check_push(edit)
        else:
            check_dictionary(edit.dictionary, coder.fingerprint)
            _check_edit(edit, coder)
    _check_consistent([edit for edit in steer.edits if isinstance(edit, Edit)])
    return steer


def check_dictionary(written_for: object, fingerprint: str | None) -> None:
    """Refuse a steer for the features of another dictionary; None stands for any.

    Raises:
        InputError: it was written for another dictionary.
    """
    if written_for is None or fingerprint is None:
        return
    if not isinstance(written_for, str) or written_for != fingerprint:
        owner = written_for[:12] if isinstance(written_for, str) else quote(written_for)
        raise InputError(
            f"this steer is for the features of dictionary {owner}, not of {fingerprint[:12]}, which mean something "
            f"else: carry it there by interp.carry, or write it again"
        )


def check_not_empty(edits: Any, steer: Steer) -> None:
    """Refuse edits that name no feature; a `Steer` of nothing, such as `rec.steer_of({})`, is taken as it is.

    Raises:
        InputError: nothing would change, and the edits are no `Steer`.
    """
    if steer.empty and not isinstance(edits, Steer):
        raise InputError("no feature is named, so nothing would change: name one; a steer of nothing is steer_of({})")


def check_reach(steer: Steer, users: Collection[Any], steps: int = 0) -> None:
    """Refuse a steer without effect: it only has values for other users, or its steps are before the first ones.

    Args:
        steer: what is done.
        users: the users of the lists; empty if unknown.
        steps: steps of the longest history; 0 if unknown.

    Raises:
        InputError: all its edits are for other users or other steps.
    """
    if not steer.edits or steer.reconstruct != "none":
        return
    if steps and all(isinstance(edit.at, tuple) and max(map(int, edit.at)) < -steps for edit in steer.edits):
        raise InputError(
            f"this steer changes step {max(max(map(int, edit.at)) for edit in steer.edits)} and no later one, and the "
            f"longest of these histories has {steps}: choose later steps"
        )
    own_users = steer.users
    by_user = all(isinstance(edit, Edit) and isinstance(edit.value, Mapping) for edit in steer.edits)
    if by_user and len(users) and not any(user in own_users for user in users):
        raise InputError(
            f"none of these users, such as {quote(next(iter(users)))}, has a value in this steer: "
            f"name users as the histories do"
        )


def check_word(name: str, word: object, allowed: object) -> None:
    """Refuse a word that is not in a Literal.

    Raises:
        InputError: it is another word.
    """
    if not isinstance(word, str) or word not in get_args(allowed):
        raise InputError(f"{name} is {quote(word)}: choose one of {', '.join(get_args(allowed))}")


def check_at(at: object) -> None:
    """Refuse steps that are not valid.

    Raises:
        InputError: neither "last", "all", nor a tuple of negative numbers.
    """
    if isinstance(at, tuple):
        steps = [as_whole_number(step) for step in at]
        if not steps or any(step is None or step >= 0 for step in steps):
            raise InputError(f"at is {quote(at)}: count steps from the end, such as (-1, -2) for the last two")
    elif not isinstance(at, str) or at not in ("last", "all"):
        raise InputError(f'at is {quote(at)}: choose "last", "all" or steps from the end such as (-1, -2)')


def check_weight(weight: object) -> None:
    """Refuse a weight that is not valid.

    Raises:
        InputError: not a number from 0 to 1.
    """
    number = as_number(weight)
    if number is None or not 0 <= number <= 1:
        raise InputError(f"the weight is {quote(weight)}: give a number from 0 to 1")


def _check_push(push: Push) -> None:
    direction = push.direction
    if not isinstance(direction, torch.Tensor):
        raise InputError(f"a direction is {an(type(direction).__name__)}: give a tensor")
    if direction.ndim != 1 or not direction.numel() or not direction.dtype.is_floating_point or direction.is_meta:
        kind = str(direction.dtype).removeprefix("torch.")
        raise InputError(
            f"a direction has shape {tuple(direction.shape)} and type {kind}: give one number of type float for each "
            f"entry of a hidden state"
        )
    factor = as_number(push.factor)
    if factor is None or not abs(factor) <= LARGEST or not bool((direction * factor).abs().max() <= LARGEST):
        raise InputError(f"a direction or its factor is not finite: give numbers of at most {LARGEST:g}")


def _check_edit(edit: Edit, coder: Coder) -> None:
    number = as_whole_number(edit.feature)
    if number is None or not 0 <= number < coder.n_features:
        raise InputError(
            f"there is no feature {quote(edit.feature)}: this dictionary has features 0 to {coder.n_features - 1}"
        )
    values = edit.value.values() if isinstance(edit.value, Mapping) else [edit.value]
    for value in values:
        if not _is_number(value):
            raise InputError(f"feature {number} is steered by {quote(value)}: give a number between ±{LARGEST:g}")
    check_word("op", edit.op, Op)
    check_weight(edit.weight)
    if not isinstance(edit.concept, str | None):
        raise InputError(f"the concept of an edit is {quote(edit.concept)}: give its name, or None")


def _is_number(value: object) -> bool:
    number = as_number(value)
    return number is not None and -LARGEST <= number <= LARGEST


def _check_consistent(edits: list[Edit]) -> None:
    """Refuse an edit that undoes an earlier one of the same feature."""
    earlier: dict[int, list[Edit]] = {}
    for edit in edits:
        for prior in earlier.setdefault(int(edit.feature), []):
            if not _overlap(edit, prior):
                continue
            if _undoes(edit, prior):
                raise InputError(
                    f"feature {int(edit.feature)} is {_phrase(prior)} and then {_phrase(edit)}: keep one of these"
                )
        earlier[int(edit.feature)].append(edit)


def _undoes(edit: Edit, prior: Edit) -> bool:
    """Whether an edit cancels an earlier one, wholly or in part; saying the same twice is allowed."""
    pairs = list(_pairs(prior.value, edit.value))
    if edit.op == "set" and float(edit.weight) == 1:
        return not (prior.op == "set" and float(prior.weight) == 1 and all(before == after for before, after in pairs))
    if edit.op == "floor" and prior.op in ("set", "cap"):
        return any(before < after for before, after in pairs)
    if edit.op == "cap" and prior.op in ("set", "floor"):
        return any(before > after for before, after in pairs)
    return False


def _overlap(first: Edit, second: Edit) -> bool:
    """Whether two edits act on the same steps of the same users."""
    steps = [{"last": (-1,)}.get(at, at) if isinstance(at, str) else [*map(int, at)] for at in (first.at, second.at)]
    same_steps = "all" in steps or bool(set(steps[0]) & set(steps[1]))
    return same_steps and bool(list(_pairs(first.value, second.value)))


def _pairs(first: Any, second: Any) -> Iterator[tuple[float, float]]:
    """The two values of every user whom both edits change."""
    if isinstance(first, Mapping):
        for user in first:
            if not isinstance(second, Mapping) or user in second:
                yield float(first[user]), float(second[user] if isinstance(second, Mapping) else second)
    elif isinstance(second, Mapping):
        yield from ((float(first), float(value)) for value in second.values())
    else:
        yield float(first), float(second)


def _phrase(edit: Edit) -> str:
    words = {"set": "set to", "add": "raised by", "scale": "scaled by", "floor": "kept above", "cap": "kept below"}
    value = "values by user" if isinstance(edit.value, Mapping) else f"{float(edit.value):g}"
    return f"{words[edit.op]} {value}" + (f" for {edit.concept}" if edit.concept else "")
