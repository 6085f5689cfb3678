"""Histories that the recommenders of two studies can both read; by default of test users.

Axes: n steps, v items.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from interp.study.record_config import data_of
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError, quote
from recmodels.sequences import Histories, histories_of

FEWEST = 20  # users who are test users of both studies, from which no more are looked for
STEPS = 20_000  # that features are matched on, at most: those of users drawn at random
SAME_TITLES = 0.5  # share of the items in both studies that have the same title in both, at least


@dataclass(frozen=True)
class SharedHistories:
    """The same histories as both recommenders read them, the old one's first.

    Attributes:
        rows: user and item, each history in its order; only items that both know.
        studies: the old and the new study.
        left_out: interactions whose item one of the two does not know.
        are_test_users: whether they are test users, and not histories that somebody gave.
    """

    rows: pd.DataFrame
    studies: tuple[StudyParts, StudyParts]
    left_out: int
    are_test_users: bool = True

    @property
    def seen_by(self) -> list[str]:
        """Which recommenders, "old" or "new", may have been trained on these test users: those trained elsewhere."""
        pairs = zip(("old", "new"), self.studies, strict=True)
        return [name for name, study in pairs if study.provenance.seen in ("all", "leave-one-out")]

    @cached_property
    def both(self) -> tuple[Histories, Histories]:
        """The histories in the codes of each recommender; the last item of each is to be predicted."""
        old, new = (
            histories_of(self.rows, study.recommender.recommender.vocabulary, is_ordered=True) for study in self.studies
        )
        return old, new

    @cached_property
    def inputs(self) -> tuple[Histories, Histories]:
        """What features are matched on: histories without their last items, as far as both models read them.

        Where that is more than 20,000 steps, those of users drawn at random.
        """
        length = min(study.recommender.recommender.model.config.max_history for study in self.studies)
        old, new = (histories.split_last()[0].last(length) for histories in self.both)
        order = np.random.default_rng(0).permutation(len(old))
        kept = np.sort(order[: max(1, int((old.lengths[order].cumsum() <= STEPS).sum()))])
        return old.select(kept), new.select(kept)

    @property
    def users(self) -> int:
        """How many histories there are."""
        return len(self.both[0])

    @cached_property
    def items(self) -> pd.Index:
        """Items that both recommenders know."""
        return shared_items(*self.studies)


def shared_items(old: StudyParts, new: StudyParts) -> pd.Index:
    """Ids of the items that both recommenders know, in the order of the new one.

    Raises:
        InputError: there are none, or most of them have another title in the other study.
    """
    items = new.items.index[new.items.index.isin(old.items.index)]
    if not len(items):
        raise InputError(
            f"{old.folder} and {new.folder} have no item in common, such as {quote(new.items.index[0])}: compare "
            f"studies of the same catalogue, with the same ids"
        )
    titles = [study.items.loc[items, "title"] for study in (old, new)]
    ids = items.astype(str)  # serve as titles where there are none
    titled = np.logical_and.reduce([title.to_numpy() != ids for title in titles])
    same = float((titles[0] == titles[1])[titled].mean()) if titled.any() else 1.0
    if same < SAME_TITLES:
        raise InputError(
            f"only {same:.0%} of the item ids in both studies have the same title in both, so they name other items: "
            f"compare studies of the same catalogue"
        )
    return items


def shared_histories(old: StudyParts, new: StudyParts, users: Any = None) -> SharedHistories:
    """Histories to compare two studies on.

    Args:
        old, new: the studies.
        users: histories in any form that the new recommender reads. By default the test users of both studies, with
            their histories of the new one. If these are fewer than 20, all test users of the new study on whom the old
            one trained nothing, for which the old study's data are read anew.

    Raises:
        InputError: there is no such user or no shared item, or the old study's data cannot be read.
    """
    items = shared_items(old, new)
    histories = new.recommender.recommender.histories(_unseen(old, new) if users is None else users)
    rows = pd.DataFrame(
        {
            "user": histories.users.to_numpy().repeat(histories.lengths),
            "item": new.recommender.recommender.vocabulary.decode(histories.codes),
        }
    )
    known = rows["item"].isin(items)
    kept = rows[known]
    kept = kept[kept.groupby("user")["item"].transform("size") >= 2].reset_index(drop=True)
    if kept.empty:
        raise InputError(
            "no history has two items that both recommenders know: in Python, give longer ones with users="
        )
    return SharedHistories(kept, (old, new), int((~known).sum()), users is None)


def _unseen(old: StudyParts, new: StudyParts) -> Histories:
    tested = new.users()
    of_both = np.flatnonzero(tested.users.isin(old.users().users))
    if len(of_both) >= FEWEST:
        return tested.select(of_both)
    try:
        seen = training_users(old)
    except InputError as error:
        raise InputError(
            f"{len(of_both)} users are test users of both studies, and who trained {old.folder} is not known "
            f"({error}): in Python, give histories that neither was trained on, with users="
        ) from None
    unseen = np.flatnonzero(~tested.users.isin(seen))
    if not len(unseen):
        raise InputError(
            "the old study was trained on every test user of the new one: compare a study with the same test users; or "
            "in Python, give other histories with users="
        )
    return tested.select(unseen)


def training_users(study: StudyParts) -> set[Any]:
    """The users on whom a study's recommender or dictionary was fitted or chosen; its data are read anew.

    Raises:
        InputError: the data cannot be read, or are not those of the study.
    """
    data = data_of(study)
    parts = [data.split.recommender, data.split.validation, data.split.sae, data.split.sae_validation]
    seen = set(pd.concat([part["user"] for part in parts]).tolist())
    if data.seen is not None:  # of a recommender that was trained elsewhere
        seen |= set(data.dataset.interactions["user"].tolist()) if data.seen.which == "all" else set(data.seen.users)
    return seen
