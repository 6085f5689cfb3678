"""A group of users, in whatever form it is written: ids, a boolean for each user, histories, or a predicate."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from interp.study.study_parts import StudyParts
from interp.study.users import places_of
from recmodels.errors import InputError, quote
from recmodels.lists import members
from recmodels.plain import as_frame
from recmodels.sequences import Histories
from recmodels.wording import counted

FORMS = "give user ids, a boolean for each user, histories, a table with a column user, or a function of a history"


def members_of(study: StudyParts, group: Any, histories: Histories, name: str) -> np.ndarray:
    """Which of many users are in a group: bool [n].

    Args:
        study: whose items the histories have.
        group: see `Study.compare_groups`.
        histories: of all users, each once.
        name: what messages call the group.

    Raises:
        InputError: another form, a user who is not among them, or a function that fails.
    """
    if isinstance(group, Histories):
        _check_same(group, histories, name)
        return _mask(group.users.tolist(), histories, name)
    if callable(group):
        return _chosen(study, group, histories, name)
    if isinstance(group, pd.Series) and _is_by_user(group, histories):
        return _mask(group.index[group.astype(bool)].tolist(), histories, name)
    frame = as_frame(group, f"group {name}")
    if frame is not None:
        if "user" not in frame:
            raise InputError(f"group {name} is a table without a column user: {FORMS}")
        return _mask(frame["user"].tolist(), histories, name)
    ids = members(group)
    if ids is None:
        raise InputError(f"group {name} is {quote(group)}: {FORMS}")
    if ids and all(isinstance(entry, bool | np.bool_) for entry in ids):
        if len(ids) != len(histories):
            text = f"{counted(len(ids), 'boolean')} for {counted(len(histories), 'user')}"
            raise InputError(f"group {name} has {text}: give one for each")
        return np.array(ids, dtype=bool)
    if len(ids) > 2 and _are_truths(ids):
        raise InputError(f"group {name} is a list of 0 and 1: give True and False, or the ids of its users")
    return _mask(ids, histories, name)


def history_frame(study: StudyParts, histories: Histories) -> pd.DataFrame:
    """The steps of histories in order: user, item, title, concepts."""
    ids = study.recommender.recommender.vocabulary.decode(histories.codes)
    return study.titles(pd.DataFrame({"user": histories.users.repeat(histories.lengths), "item": ids}))


def _is_by_user(group: pd.Series, histories: Histories) -> bool:
    """Whether a Series says of users, its index, whether they belong: True and False, or 1 and 0 for each of them."""
    if isinstance(group.index, pd.RangeIndex) and not group.index.isin(histories.users).all():
        return False  # no ids: in the order of the histories
    return _are_truths(group.tolist()) and (group.dtype == bool or len(group) == len(histories))


def _are_truths(entries: list[Any]) -> bool:
    """Whether all entries are True or False, or the numbers 1 and 0."""
    return all(isinstance(entry, bool | np.bool_ | int | float) and entry in (0, 1) for entry in entries)


def _check_same(group: Histories, histories: Histories, name: str) -> None:
    """Refuse histories of a group that are not among those that are compared.

    Raises:
        InputError: a user is not among them, or has another history there.
    """
    places = histories.users.get_indexer(group.users)
    if (places < 0).any():
        raise InputError(
            f"group {name} has histories of other users than those that are compared, such as "
            f"{quote(group.users[int((places < 0).argmax())])}: give both groups as histories, or all users with users="
        )
    for row, place in enumerate(places):
        if place >= 0 and not np.array_equal(group[row], histories[place]):
            raise InputError(
                f"group {name} has another history of user {quote(group.users[row])} than the one that is compared: "
                f"give all histories with users=, or ids of users"
            )


def _mask(users: list[Any], histories: Histories, name: str) -> np.ndarray:
    mask = np.zeros(len(histories), dtype=bool)
    if users:
        mask[places_of(users, histories.users, f"the histories that group {name} is a part of")] = True
    return mask


def _chosen(study: StudyParts, predicate: Callable[[pd.DataFrame], Any], histories: Histories, name: str) -> np.ndarray:
    """The users of whose history a function says true."""
    frame = history_frame(study, histories)
    mask = np.zeros(len(histories), dtype=bool)
    for place, (start, end) in enumerate(zip(histories.offsets, histories.offsets[1:], strict=False)):
        try:
            answer = predicate(frame.iloc[start:end].reset_index(drop=True))
        except Exception as error:  # the function is the user's own
            raise InputError(
                f"the function of group {name} fails for user {quote(histories.users[place])} ({error}): it is given a "
                f"frame with user, item, title and concepts"
            ) from error
        if not isinstance(answer, bool | np.bool_):
            raise InputError(
                f"the function of group {name} says {quote(answer)} of a history: let it say True or False"
            )
        mask[place] = answer
    return mask
