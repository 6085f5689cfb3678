"""What a study is about: a data set, its concepts, and who trains and tests what."""

from dataclasses import dataclass

import pandas as pd

from interp.concepts import Concepts, concepts_of, non_constant_columns
from interp.config import StudyConfig
from recmodels import datasets
from recmodels.datasets.tables import from_tables
from recmodels.datasets.tmdb import with_tmdb
from recmodels.errors import InputError
from recmodels.interactions import Dataset, without_repeats
from recmodels.splits import Split, paper_split

MOST_FREQUENT = 20  # values taken of each further attribute, as in the paper's Appendix C


@dataclass(frozen=True)
class StudyData:
    """The data of a study, read as its configuration says.

    Attributes:
        dataset: interactions and items.
        attribute: the attribute whose values are the concepts.
        concepts: those concepts.
        others: further attributes, each with its most frequent values as concepts.
        split: the parts of the users.
    """

    dataset: Dataset
    attribute: str
    concepts: Concepts
    others: dict[str, Concepts]
    split: Split


def study_data(config: StudyConfig, dataset: Dataset | None = None) -> StudyData:
    """Read and split the data.

    Args:
        config: which data and concepts.
        dataset: your own data, in place of the one that the configuration names.

    Raises:
        InputError: the data cannot be had, an attribute is not there, or it tells nothing apart.
    """
    if dataset is None and config.dataset == "own" and config.items is None:
        raise InputError("your own data are two tables: give --data INTERACTIONS and --items ITEMS")
    if dataset is None and config.items is not None:
        dataset = from_tables(config.data, config.items, config.columns, config.dataset)
    dataset = dataset or datasets.load(config.dataset, config.data)
    if config.tmdb is not None:
        dataset = with_tmdb(dataset, config.tmdb, config.data)
    interactions = without_repeats(dataset.interactions, config.repeats)
    attribute = config.attribute or dataset.attribute
    concepts = concepts_of(dataset.items, attribute, config.min_support, config.most_frequent)
    others = {
        name: concepts_of(dataset.items, name, config.min_support, MOST_FREQUENT) for name in config.other_attributes
    }
    split = paper_split(interactions, config.split)
    for part in (split.sae, split.sae_validation):
        _told_apart(attribute, concepts, part)
    in_test = _told_apart(attribute, concepts, split.test)
    for name, other in others.items():
        _told_apart(name, other, split.test)
    for name in config.steered:
        if name not in concepts.names:
            raise InputError(f"steered names no concept: {name!r}; choose of {', '.join(concepts.names)}")
        if name not in in_test:
            raise InputError(f"steered names {name!r}, which no test user, or every step of theirs, has: leave it out")
    return StudyData(dataset, attribute, concepts, others, split)


def _told_apart(attribute: str, concepts: Concepts, part: pd.DataFrame) -> set[str]:
    """The concepts that some rows of a part have and others lack.

    Raises:
        InputError: there is none.
    """
    labels = concepts.labels(part["item"])
    kept = non_constant_columns(labels)
    if not len(kept):
        raise InputError(
            f"no value of attribute {attribute!r} is had by some of the {part['user'].nunique()} users' items in one "
            f"part of the split and not by others: choose another attribute, or give more users"
        )
    return {concepts.names[c] for c in kept}
