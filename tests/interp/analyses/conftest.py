"""What tables beyond the paper are computed from, on the planted world."""

import pytest

from interp.activations.feature_matrix import encode, statistics
from interp.concepts import concepts_of
from interp.concepts.alignment import align


@pytest.fixture(scope="module")
def concepts(planted):
    return concepts_of(planted.items, "concepts")


@pytest.fixture(scope="module")
def activations(stores, sae):
    return encode(stores["test"], sae)


@pytest.fixture(scope="module")
def features(activations):
    """The columns of the table `features` that are read."""
    return statistics(activations).reset_index()


@pytest.fixture(scope="module")
def aligned(activations, stores, concepts):
    return align(activations, concepts.labels(stores["test"].rows["item"]), concepts.names).table()


@pytest.fixture(scope="module")
def counts(split, recommender):
    ids = recommender.vocabulary.ids
    return split.recommender["item"].value_counts().reindex(ids, fill_value=0)


@pytest.fixture(scope="module")
def items_table(counts):
    """The columns of the table `items` that are read."""
    return counts.rename("popularity").rename_axis("item").reset_index()


@pytest.fixture
def test_users(histories):
    return histories.select(slice(0, 30))
