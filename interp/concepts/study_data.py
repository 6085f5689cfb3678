"""The data of a study: a data set, its concepts, and the parts of users for training and testing."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from interp.concepts import Concepts, concepts_of, non_constant_columns
from interp.concepts.known_items import with_ids_of, with_items_of
from interp.config import StudyConfig
from recmodels import datasets
from recmodels.datasets.tables import from_tables
from recmodels.datasets.tmdb import OF_EVERY_FILM, with_tmdb
from recmodels.errors import InputError
from recmodels.interactions import Dataset, core, without_repeats
from recmodels.recommender import Recommender
from recmodels.seen_users import SeenUsers, seen_users
from recmodels.splits import MIN_ROWS, Split, leave_one_out_split, paper_split, trained_split
from recmodels.wording import counted

NO_CONCEPTS = (
    "The items have no attribute, so there are no concepts: features are known by their items, and steered by number; "
    "whatever compares features with attributes is left out."
)
MOST_FREQUENT = 20  # values taken of each further attribute, as in the paper's Appendix C


@dataclass(frozen=True)
class StudyData:
    """The data of a study, read as its configuration says.

    Attributes:
        dataset: interactions and items.
        attribute: the attribute whose values are the concepts; empty if the items have none.
        concepts: those concepts.
        other_concepts: further attributes, each with its most frequent values as concepts.
        split: the parts of the users.
        recommender: the one that the study was given, with its items' ids as the data write them; None for one that is
            trained.
        seen: which users it was trained on.
        notes: what the data lack and what lists leave out, a plain line each; all pages show them.
    """

    dataset: Dataset
    attribute: str
    concepts: Concepts
    other_concepts: dict[str, Concepts]
    split: Split
    recommender: Recommender | None = None
    seen: SeenUsers | None = None
    notes: tuple[str, ...] = ()


def study_data(
    config: StudyConfig, dataset: Dataset | None = None, recommender: Recommender | None = None, seen: Any = None
) -> StudyData:
    """Read and split the data.

    Args:
        config: which data and concepts.
        dataset: your own data, in place of the one that the configuration names.
        recommender: one that is trained already. The data are cut to its items, and no users are kept to train it.
        seen: the users it was trained on, as `recmodels.seen_users` reads them; by default what `config` says.

    Raises:
        InputError: the data cannot be loaded, or an attribute is missing or the same for all items; or the data have
            none of the recommender's items or none of its users.
    """
    if dataset is None and config.dataset == "own" and config.data is None:
        raise InputError("your own data are one table or two: give --data INTERACTIONS, and --items ITEMS if you can")
    if dataset is None and is_own(config):
        dataset = from_tables(config.data, config.items, config.columns, config.dataset, config.reading)
    dataset = dataset or datasets.load(config.dataset, config.data)
    if config.tmdb is not None:
        dataset = with_tmdb(dataset, config.tmdb, config.links or config.data)
    notes: list[str] = []
    if recommender is not None:
        recommender = with_ids_of(recommender, dataset)
        dataset, notes = with_items_of(dataset, recommender.vocabulary)
    interactions = core(without_repeats(dataset.interactions, config.repeats), config.k_core)
    attribute = config.attribute or dataset.attribute
    if attribute:
        concepts = concepts_of(dataset.items, attribute, config.min_support, config.most_frequent)
    elif config.other_attributes:
        raise InputError("other_attributes is set without attribute: name the one whose values are the concepts first")
    else:
        concepts = Concepts.none(dataset.items.index)
    other_concepts = {
        # TMDB does not know all films. What it does not know of a film, the film does not lack.
        name: concepts_of(dataset.items, name, config.min_support, MOST_FREQUENT, of_every_item=name in OF_EVERY_FILM)
        for name in config.other_attributes
    }
    if config.split.kind == "leave-one-out":
        if config.seen_users is not None or seen is not None:
            raise InputError("seen_users is set with leave-one-out, where the recommender knows everyone: leave it out")
        users = None if recommender is None else SeenUsers("leave-one-out")
        split = leave_one_out_split(interactions, config.split)
    elif recommender is None:
        users, split = None, paper_split(interactions, config.split)
    else:
        users = seen_users(_seen(config, recommender) if seen is None else seen, interactions["user"])
        split = trained_split(interactions, users.may_test(interactions["user"]), config.split)
    for part in (split.sae, split.sae_validation):
        _distinguishable(attribute, concepts, part)
    test_concepts = _distinguishable(attribute, concepts, split.test)
    for name, more in other_concepts.items():
        _distinguishable(name, more, split.test)
    for name in config.steered:
        if name not in concepts.names:
            raise InputError(f"steered has the unknown concept {name!r}: choose from {', '.join(concepts.names)}")
        if name not in test_concepts:
            raise InputError(f"steered has {name!r}, which all steps of test users have, or none: leave it out")
    lacks = (*dataset.lacks, *([] if attribute else [NO_CONCEPTS]))
    return StudyData(
        dataset,
        attribute,
        concepts,
        other_concepts,
        split,
        recommender,
        users,
        (*lacks, *notes, *_left_out(interactions, split, config.split.kind), *_repeats(split.test, config.keep_seen)),
    )


def _seen(config: StudyConfig, recommender: Recommender) -> Any:
    """Which users a recommender was trained on, by the configuration or by its own files; "all" where nobody knows."""
    if config.seen_users is not None:
        return config.seen_users
    adapter = getattr(recommender.model, "adapter", None)
    users = None if adapter is None else adapter.users
    return "all" if users is None else list(users)


def is_own(config: StudyConfig) -> bool:
    """Whether `data` is a table of the user's own, and not a copy of a data set that has a reader of its own."""
    return config.items is not None or (config.data is not None and config.dataset not in datasets.names())


def _left_out(interactions: pd.DataFrame, split: Split, kind: str) -> tuple[str, ...]:
    """How many users are in no part, and why."""
    parts = (split.recommender, split.validation, split.sae, split.sae_validation, split.test)
    kept = pd.concat([pd.Series(part["user"].unique()) for part in parts]).nunique()
    n = interactions["user"].nunique()
    if kept == n:
        return ()
    few = (
        f"fewer than {MIN_ROWS + 1} interactions, which leave-one-out needs"
        if kind == "leave-one-out"
        else f"fewer than {MIN_ROWS} interactions in their part with items that the recommender knows"
    )
    return (f"Left out {'is' if n - kept == 1 else 'are'} {n - kept:,} of {counted(n, 'user')}, with {few}.",)


def _repeats(test: pd.DataFrame, keep_seen: bool) -> tuple[str, ...]:
    """Whether lists may repeat the items of a history, and for how many test users this matters."""
    rows = test.sort_values("time", kind="stable")
    is_last = ~rows.duplicated("user", keep="last")
    again, n = int((is_last & rows.duplicated(["user", "item"])).sum()), int(is_last.sum())
    whose = f"for {again:,} of {n:,} test users the held-out item is one of their history"
    if keep_seen:
        return (f"Lists may repeat the items of a history (keep_seen): {whose}.",)
    if not again:
        return ()
    return (f"Lists leave out the items of a history: {whose}, so no list can hit it. --keep-seen lets lists repeat.",)


def _distinguishable(attribute: str, concepts: Concepts, part: pd.DataFrame) -> set[str]:
    """The concepts that some rows of a part have and others lack.

    Raises:
        InputError: there are none.
    """
    if not concepts.names:
        return set()
    labels = concepts.labels(part["item"])[concepts.is_known(part["item"])]
    columns = non_constant_columns(labels)
    if not len(columns):
        raise InputError(
            f"in one part of the split, with {part['user'].nunique()} users, all items or none have each value of "
            f"attribute {attribute!r}: choose another attribute, or give more users"
        )
    return {concepts.names[c] for c in columns}
