"""The least-collateral steer on the small recommender: what it says is what steering does."""

import numpy as np
import pytest

from interp.concepts import concepts_of
from interp.control.least_collateral import (
    AMOUNTS,
    FEATURES,
    LeastCollateral,
    learn_weights,
    set_of,
    share_of,
    store_histories,
)
from interp.control.score_equations import LastStates
from interp.model.envoys import RecommenderEnvoy
from interp.steering.serialization import from_json, to_json
from recmodels.errors import InputError

TARGET = "concept-02"


@pytest.fixture(scope="module")
def world(recommender, sae, stores, planted, histories):
    rec = RecommenderEnvoy(recommender, sae)
    concepts = concepts_of(planted.items, "concepts")
    has = concepts.labels(recommender.vocabulary.ids)[:, concepts.index(TARGET)]
    users = store_histories(stores["sae"], rec)
    weights = learn_weights(rec, users, "blocks.0", {TARGET: has}).set_index("feature")["weight"]
    return rec, histories, LeastCollateral(TARGET, weights, has, "blocks.0", sae.fingerprint, {})


def test_it_moves_the_set_by_few_features(world):
    rec, users, least = world
    assert 1 <= len(least.weights) <= FEATURES
    assert least.weights.index.is_unique
    shares = share_of(least.lists(rec, users, AMOUNTS, 5), least.has).mean(axis=1)
    assert shares[0] < shares[4] < shares[8]
    assert shares.max() > 2 * shares[0]


def test_lists_are_those_of_the_steer(world):
    rec, users, least = world
    some = users.select(np.arange(12))
    lists = least.lists(rec, some, [0.0, 0.5], 5)
    np.testing.assert_array_equal(lists[0], rec.rank(some, 5))
    with rec.steer(from_json(to_json(least.steer(0.5)))):
        np.testing.assert_array_equal(lists[1], rec.rank(some, 5))


def test_amounts_by_user_reach_the_share_at_less_cost(world):
    rec, users, least = world
    level = 0.5
    steer = least.for_users(rec, users, level, 5)
    with rec.steer(steer):
        lists = rec.rank(users, 5)
    assert share_of(lists, least.has).mean() >= level - 1e-9
    alike = least.lists(rec, users, AMOUNTS, 5)
    enough = next(a for a in alike if share_of(a, least.has).mean() >= level)
    states = LastStates.of(rec, users)
    assert states.expected_ndcg(lists).mean() >= states.expected_ndcg(enough).mean()


def test_bad_requests(world):
    rec, users, least = world
    with pytest.raises(InputError, match="out of reach"):
        least.for_users(rec, users, 1.0, 10)
    with pytest.raises(InputError, match="has no items"):
        learn_weights(rec, users, "blocks.0", {"x": np.zeros_like(least.has)})
    with pytest.raises(InputError):
        set_of(rec, ["no such item"])


def test_a_set_of_items(world):
    rec, _, least = world
    ids = rec.recommender.vocabulary.ids
    np.testing.assert_array_equal(set_of(rec, ids[least.has].tolist()), least.has)
