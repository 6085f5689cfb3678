"""What a study is about: a data set, its concepts, and who trains and tests what."""

from dataclasses import dataclass

from interp.concepts import Concepts, concepts_of
from interp.config import StudyConfig
from recmodels import datasets
from recmodels.datasets.tables import from_tables
from recmodels.datasets.tmdb import with_tmdb
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
        InputError: the data cannot be had, or an attribute is not there.
    """
    if dataset is None and config.items is not None:
        dataset = from_tables(config.data, config.items, config.columns, config.dataset)
    dataset = dataset or datasets.load(config.dataset, config.data)
    if config.tmdb is not None:
        dataset = with_tmdb(dataset, config.tmdb, config.data)
    interactions = without_repeats(dataset.interactions, config.repeats)
    attribute = config.attribute or dataset.attribute
    return StudyData(
        dataset,
        attribute,
        concepts_of(dataset.items, attribute, config.min_support, config.most_frequent),
        {name: concepts_of(dataset.items, name, config.min_support, MOST_FREQUENT) for name in config.other_attributes},
        paper_split(interactions, config.split),
    )
