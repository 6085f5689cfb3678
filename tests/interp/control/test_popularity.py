"""On a recommender whose embeddings and a dictionary whose features carry popularity, because they were made so."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from interp.activations.collecting import collect
from interp.activations.feature_matrix import encode
from interp.concepts import Concepts
from interp.control.popularity import (
    SyntheticUsers,
    by_code,
    cohens_d,
    popularity_features,
    popularity_groups,
    popularity_steer,
    synthetic_histories,
)
from interp.control.receipts import steering_receipt
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import Provenance, SparseAutoencoder
from interp.sae.trainers import build_trainer
from interp.sae_config import SAEConfig
from interp.steering.edits import Edit
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError
from recmodels.gptrec import GPTRec, GPTRecConfig
from recmodels.recommender import Recommender
from recmodels.vocabulary import Vocabulary

SITE, ITEMS, HIDDEN = "blocks.0", 60, 16
POPULAR, UNPOPULAR = 7, 11  # the features that carry it
USERS = SyntheticUsers(users=60, length=6)


@pytest.fixture(scope="module")
def popularity():
    """Popularity of items "i00" to "i59", in no order."""
    counts = np.random.default_rng(0).permutation(np.arange(1, ITEMS + 1) ** 2)
    return pd.Series(counts, pd.Index([f"i{code:02d}" for code in range(ITEMS)]))


@pytest.fixture(scope="module")
def carrier(popularity):
    """Untrained, but for neuron 0: how popular the item of a step is, and as the embeddings are tied, what it asks for.

    Feature 7 of its dictionary reads neuron 0, feature 11 reads it with the other sign; no other feature sees it.
    """
    torch.manual_seed(0)
    model = GPTRec(GPTRecConfig(n_items=ITEMS, max_history=12, hidden_size=HIDDEN, num_hidden_layers=2))
    rank = torch.from_numpy(popularity.rank().to_numpy(dtype=np.float32)) / ITEMS - 0.5
    with torch.no_grad():
        model.get_input_embeddings().weight[1 : ITEMS + 1] *= 5
        model.get_input_embeddings().weight[1 : ITEMS + 1, 0] = rank
    recommender = Recommender(model, Vocabulary(popularity.index))
    config = SAEConfig(trainer="standard", n_features=24)
    dictionary = build_trainer(config, HIDDEN).ae
    weights = {name: torch.zeros_like(value) for name, value in dictionary.state_dict().items()}
    weights["encoder.weight"] = torch.randn(24, HIDDEN) * 0.3
    weights["encoder.weight"][:, 0] = 0
    for feature, sign in ((POPULAR, 1.0), (UNPOPULAR, -1.0)):
        weights["encoder.weight"][feature] = 0
        weights["encoder.weight"][feature, 0] = sign
        weights["decoder.weight"][0, feature] = sign
    dictionary.load_state_dict(weights)
    sae = SparseAutoencoder(dictionary, 0.0, 1.0, config, Provenance(recommender.fingerprint, SITE, "by hand"))
    return RecommenderEnvoy(recommender, sae)


@pytest.fixture(scope="module")
def real(popularity):
    """Histories of 80 users."""
    rng = np.random.default_rng(1)
    share = popularity / popularity.sum()
    return {user: rng.choice(popularity.index, 9, replace=False, p=share).tolist() for user in range(80)}


@pytest.fixture(scope="module")
def store(carrier, real, tmp_path_factory):
    return collect(carrier, real, tmp_path_factory.mktemp("activations") / SITE, SITE)


@pytest.fixture(scope="module")
def features(carrier, store, popularity):
    return popularity_features(carrier, store, encode(store, carrier.site(SITE).sae), popularity, USERS)


def test_the_planted_features_come_first(features):
    assert features["feature"].tolist()[:2] == [POPULAR, UNPOPULAR]
    found = features.set_index("feature")
    assert (found.loc[POPULAR, ["d", "real_d"]] > 1).all()
    assert (found.loc[UNPOPULAR, ["d", "real_d"]] < -1).all()
    assert features["d"].abs().is_monotonic_decreasing


def test_means_are_those_of_a_trace(carrier, features, popularity, store):
    counts = popularity.to_numpy()
    found = features.set_index("feature").sort_index()
    for name, histories in zip(("popular", "unpopular"), synthetic_histories(counts, USERS), strict=True):
        with torch.no_grad(), carrier.trace(histories):
            expected = carrier.blocks[0].features[:, -1].save()
        np.testing.assert_allclose(found[f"mean_{name}"], expected.mean(dim=0), atol=1e-6)
    encoded = carrier.site(SITE).sae.encode(torch.from_numpy(np.array(store.activations))).numpy()
    popular, _ = popularity_groups(counts)
    rows = popular[popularity.index.get_indexer(store.rows["item"])]
    np.testing.assert_allclose(found["real_mean_popular"], encoded[rows].mean(axis=0), atol=1e-6)


def test_steering_moves_exposure_to_the_long_tail(carrier, features, popularity, real):
    concepts = Concepts(["any"], popularity.index, np.ones((ITEMS, 1), bool))
    found = [
        steering_receipt(
            carrier,
            real,
            popularity_steer(features, SITE, strength, n=2),
            concepts,
            popularity,
            resampling=Resampling(resamples=200),
        ).measures.set_index("measure")
        for strength in (-2.0, 2.0, 4.0)
    ]
    popular = [table.loc["mean_popularity@10", "change"] for table in found]
    assert popular[0] > 0 > popular[1] > popular[2]
    tail = [table.loc["long_tail_share@10"] for table in found]
    assert tail[0]["change"] < 0 < tail[1]["change"] < tail[2]["change"]
    assert tail[2]["change_low"] > 0


def test_groups_by_hand():
    popularity = np.array([1, 50, 9, 20, 20])
    popular, unpopular = popularity_groups(popularity, 0.4)
    assert np.flatnonzero(popular).tolist() == [1]
    # Items 1 and 3 make 70 of the 60 that the rest must; what is left are the unpopular ones.
    assert np.flatnonzero(unpopular).tolist() == [0, 2, 4]


def test_synthetic_users_keep_to_their_group():
    popularity = np.random.default_rng(2).integers(0, 100, 50)
    config = SyntheticUsers(share=0.3, users=20, length=5)
    made = synthetic_histories(popularity, config)
    for histories, group in zip(made, popularity_groups(popularity, 0.3), strict=True):
        assert len(histories) == 20
        assert set(histories.lengths) == {5}
        assert group[histories.codes].all()
        assert all(len(set(histories[user])) == 5 for user in range(20))
    assert made[0].fingerprint == synthetic_histories(popularity, config)[0].fingerprint
    assert made[0].fingerprint != synthetic_histories(popularity, SyntheticUsers(0.3, 20, 5, seed=1))[0].fingerprint


def test_both_kinds_of_users_have_equally_long_histories():
    made = synthetic_histories(np.array([30, 10, 1, 1, 1, 1, 1, 1]), SyntheticUsers(users=3, length=5))
    assert [set(histories.lengths) for histories in made] == [{1}, {1}]


def test_cohens_d_by_hand():
    one = sparse.csr_array(np.array([[1.0, 2, 0.1, 0], [3, 2, 0.1, 0], [5, 2, 0.1, 0]]))
    other = sparse.csr_array(np.array([[0.0, 1, 0.1, 0], [2, 1, 0.1, 0]]))
    found = cohens_d(one, other)
    pooled = np.sqrt((2 * 4 + 1 * 2) / 3)
    assert found["d"].tolist() == pytest.approx([(3 - 1) / pooled, 0, 0, 0])
    assert found["std"].tolist() == pytest.approx([pooled, 0, 0, 0])
    assert found["mean_popular"].tolist() == pytest.approx([3, 2, 0.1, 0])


def test_cohens_d_of_many_rows():
    rng = np.random.default_rng(3)
    one, other = (rng.gamma(2, size=(n, 5)) * (rng.random((n, 5)) < 0.4) for n in (300, 200))
    found = cohens_d(sparse.csr_array(one), sparse.csr_array(other))
    pooled = np.sqrt((299 * one.var(axis=0, ddof=1) + 199 * other.var(axis=0, ddof=1)) / 498)
    np.testing.assert_allclose(found["d"], (one.mean(axis=0) - other.mean(axis=0)) / pooled)


def test_a_steer_by_hand():
    table = pd.DataFrame({"feature": [4, 9, 2, 0], "d": [-2.0, 1.0, 0.5, 0.0], "std": [0.3, 0.2, 0.1, 0.0]})
    steer = popularity_steer(table, SITE, strength=2.0, n=2)
    assert steer.site == SITE
    assert steer.edits == (Edit(4, pytest.approx(0.6), "add"), Edit(9, pytest.approx(-0.2), "add"))
    assert len(popularity_steer(table, SITE, n=10).edits) == 3


def test_mistakes(carrier, store, popularity, features):
    vocabulary = carrier.recommender.vocabulary
    assert by_code(popularity.sample(frac=1, random_state=0), vocabulary).tolist() == popularity.tolist()
    with pytest.raises(InputError, match="item 'i03' has no popularity"):
        by_code(popularity.drop("i03"), vocabulary)
    with pytest.raises(InputError, match="steer at least one"):
        popularity_steer(features, SITE, n=0)
    with pytest.raises(InputError, match="nothing to steer"):
        popularity_steer(features.assign(d=0.0), SITE)
    with pytest.raises(InputError, match="no item is"):
        synthetic_histories(np.zeros(5), USERS)
    with pytest.raises(InputError, match="at most"):
        SyntheticUsers(share=0.6)
    with pytest.raises(InputError, match="two users"):
        SyntheticUsers(users=1)
    activations = encode(store, carrier.site(SITE).sae)
    elsewhere = (~popularity.index.isin(store.rows["item"])).astype(int)
    assert elsewhere.any()
    with pytest.raises(InputError, match="no step of the store has a popular item"):
        popularity_features(carrier, store, activations, pd.Series(elsewhere, popularity.index), USERS)
