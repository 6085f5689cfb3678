import itertools

import numpy as np
import pandas as pd
import pytest

from recmodels import datasets
from recmodels.datasets import planted
from recmodels.datasets.planted import PlantedConfig, catalogue, stream
from recmodels.errors import InputError

SMALL = PlantedConfig(users=2500, items=80, concepts=5, mean_length=12, seed=3)


def whole(config, chunk_users=10**6):
    """All rows of a config: user, item, time, concept."""
    chunks = list(stream(config, chunk_users))
    return [np.concatenate(column) for column in zip(*chunks, strict=True)]


def test_the_chunking_does_not_change_the_data():
    sizes = [[len(np.unique(chunk.user)) for chunk in stream(SMALL, users)] for users in (1, 1025, 10**6)]
    assert sizes == [[1024, 1024, 452], [2048, 452], [2500]]
    for users in (1, 1025):
        for one, other in zip(whole(SMALL, users), whole(SMALL), strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_seed_decides():
    again = PlantedConfig(users=2500, items=80, concepts=5, mean_length=12, seed=3)
    other = PlantedConfig(users=2500, items=80, concepts=5, mean_length=12, seed=4)
    assert all(map(np.array_equal, whole(SMALL), whole(again)))
    assert not np.array_equal(whole(SMALL)[1][:500], whole(other)[1][:500])
    assert not np.array_equal(catalogue(SMALL).primary, catalogue(other).primary)


def test_blocks_differ():
    user, item, _, _ = whole(SMALL)
    assert not np.array_equal(item[user <= 1024][:200], item[(user > 1024) & (user <= 2048)][:200])


def test_users_arrive_one_after_another_and_meet_no_item_twice():
    user, item, time, _ = whole(SMALL)
    assert (np.diff(time) > 0).all()
    assert (np.diff(user) >= 0).all()
    assert np.unique(user).tolist() == list(range(1, 2501))
    assert (item.min(), item.max()) == (1, 80)
    assert not pd.DataFrame({"user": user, "item": item}).duplicated().any()


def test_lengths():
    length = np.bincount(whole(PlantedConfig(users=5000, items=400, mean_length=40))[0])[1:]
    # Gamma of shape 4: mean 40, standard deviation 20; 0.28 is the standard error of the mean.
    assert length.mean() == pytest.approx(40, abs=1.2)
    assert length.std() == pytest.approx(20, abs=1.2)
    short = np.bincount(whole(PlantedConfig(users=500, items=8, concepts=2, mean_length=2))[0])[1:]
    assert (short.min(), short.max()) == (2, 4)


def test_every_row_has_the_concept_it_was_drawn_for():
    _, item, _, concept = whole(SMALL)
    truth = catalogue(SMALL)
    drawn = concept >= 0
    assert truth.has_concept[item[drawn] - 1, concept[drawn]].all()
    assert set(concept) == {-1, 0, 1, 2, 3, 4}


def test_concepts_per_item():
    truth = catalogue(PlantedConfig(items=4000, concepts=20, extra_concepts=0.4))
    assert np.bincount(truth.primary).tolist() == [200] * 20
    assert truth.has_concept[np.arange(4000), truth.primary].all()
    # Two chances of 0.2 each: 0, 1 or 2 more concepts with probability 0.64, 0.32, 0.04.
    count = np.bincount(truth.has_concept.sum(axis=1), minlength=4) / 4000
    np.testing.assert_allclose(count, [0, 0.64, 0.32, 0.04], atol=0.03)
    assert catalogue(PlantedConfig(extra_concepts=0)).has_concept.sum(axis=1).tolist() == [1] * 800
    assert catalogue(PlantedConfig(concepts=2, extra_concepts=2)).has_concept.all()


def test_popularity_is_zipfian():
    weight = np.sort(catalogue(PlantedConfig(items=8, concepts=2, mean_length=2, popularity=1)).weight)[::-1]
    harmonic = 1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5 + 1 / 6 + 1 / 7 + 1 / 8
    np.testing.assert_allclose(weight, 1 / np.arange(1, 9) / harmonic)


def test_first_items_follow_popularity_within_their_concept():
    config = PlantedConfig(users=40_000, items=20, concepts=2, mean_length=2, noise=0, extra_concepts=1)
    user, item, _, concept = whole(config)
    first = np.diff(user, prepend=0) > 0
    truth = catalogue(config)
    for number in range(2):
        drawn = np.bincount(item[first & (concept == number)] - 1, minlength=20)
        weight = truth.weight * truth.has_concept[:, number]
        np.testing.assert_allclose(drawn / drawn.sum(), weight / weight.sum(), atol=0.015)


@pytest.mark.parametrize("retries", [0, 1, planted.RETRIES])
def test_later_items_follow_popularity_among_those_not_met(monkeypatch, retries):
    """Second items against the exact law of drawing twice without replacement."""
    monkeypatch.setattr(planted, "RETRIES", retries)
    config = PlantedConfig(users=60_000, items=8, concepts=2, mean_length=2, noise=1, popularity=1.5)
    user, item, _, _ = whole(config)
    first = np.flatnonzero(np.diff(user, prepend=0) > 0)
    weight = catalogue(config).weight
    law = np.zeros((8, 8))
    for one, two in itertools.permutations(range(8), 2):
        law[one, two] = weight[one] * weight[two] / (1 - weight[one])
    drawn = np.zeros((8, 8))
    np.add.at(drawn, (item[first] - 1, item[first + 1] - 1), 1)
    np.testing.assert_allclose(drawn / drawn.sum(), law, atol=0.01)


def test_first_moods_follow_the_taste():
    config = PlantedConfig(users=4000, concepts=4, drift=0, noise=0)
    user, _, _, concept = whole(config)
    first = concept[np.diff(user, prepend=0) > 0]
    np.testing.assert_allclose(np.bincount(first) / 4000, 0.25, atol=0.03)


def test_a_concept_without_unmet_items_gives_way_to_any_item():
    config = PlantedConfig(
        users=300, items=16, concepts=8, mean_length=4, drift=0, noise=0, extra_concepts=0, taste=0.01
    )
    user, _, _, concept = whole(config)
    step = np.arange(len(user)) - np.flatnonzero(np.diff(user, prepend=0) > 0)[user - 1]
    # Two items per concept and no drift: the third item can only come from elsewhere.
    assert (concept[step < 2] >= 0).all()
    assert (concept[step >= 2] == -1).all()


def test_noise_is_the_share_of_unrelated_rows():
    _, item, _, concept = whole(PlantedConfig(users=3000, noise=0.25))
    assert (concept == -1).mean() == pytest.approx(0.25, abs=0.01)
    _, item, _, concept = whole(PlantedConfig(users=500, items=80, mean_length=12, noise=1))
    assert (concept == -1).all()
    assert len(np.unique(item)) == 80


def test_drift_sets_how_long_a_mood_lasts():
    def stays(drift):
        config = PlantedConfig(users=3000, noise=0, drift=drift, extra_concepts=0, taste=100)
        user, _, _, concept = whole(config)
        same_user = np.diff(user) == 0
        return (np.diff(concept) == 0)[same_user].mean()

    # An even taste over 16 concepts redraws the same one in 1 of 16 cases.
    assert stays(0.0) > 0.99
    assert stays(0.2) == pytest.approx(0.8 + 0.2 / 16, abs=0.01)
    assert stays(1.0) == pytest.approx(1 / 16, abs=0.01)


def test_tastes_are_dirichlet():
    config = PlantedConfig(users=3000, concepts=4, drift=1, noise=0, extra_concepts=0, taste=0.5)
    user, _, _, concept = whole(config)
    first = np.flatnonzero(np.diff(user, prepend=0) > 0)
    # Two draws from one Dirichlet(a, …, a) taste over K concepts agree with probability (a + 1) / (K a + 1).
    agree = (concept[first] == concept[first + 1]).mean()
    assert agree == pytest.approx(1.5 / 3, abs=0.04)


def test_load():
    dataset = planted.load(SMALL)
    user, item, time, _ = whole(SMALL)
    expected = pd.DataFrame({"user": user, "item": item, "time": time})
    pd.testing.assert_frame_equal(dataset.interactions, expected)
    assert (dataset.name, dataset.attribute) == ("planted", "concepts")
    truth = catalogue(SMALL)
    assert dataset.items.index.tolist() == list(range(1, 81))
    assert dataset.items.loc[17, "title"] == "Item 17"
    for row, concepts in enumerate(dataset.items["concepts"]):
        assert concepts[0] == f"concept-{truth.primary[row]:02d}"
        assert sorted(concepts) == [f"concept-{number:02d}" for number in np.flatnonzero(truth.has_concept[row])]


def test_load_by_name():
    dataset = datasets.load("planted")
    assert dataset.fingerprint == planted.load(PlantedConfig()).fingerprint
    rows = dataset.interactions
    assert (rows["user"].nunique(), len(dataset.items)) == (4000, 800)
    assert len(rows) / 4000 == pytest.approx(60, abs=1.5)
    assert len({name for names in dataset.items["concepts"] for name in names}) == 16


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"users": 0}, "users of at least 1, not 0"),
        ({"items": 4}, "items of at least 8, not 4"),
        ({"concepts": 1}, "concepts of at least 2, not 1"),
        ({"items": 10, "mean_length": 2, "concepts": 11}, "cannot have 11 concepts on 10 items"),
        ({"mean_length": 201}, "mean_length from 2 to a quarter of the 800 items, not 201"),
        ({"mean_length": 1.5}, "mean_length from 2"),
        ({"drift": 1.1}, "drift from 0 to 1, not 1.1"),
        ({"noise": -0.1}, "noise from 0 to 1, not -0.1"),
        ({"noise": float("nan")}, "noise from 0 to 1, not nan"),
        ({"extra_concepts": 3}, "extra_concepts from 0 to 2, not 3"),
        ({"taste": 0}, "taste above 0"),
        ({"popularity": -1}, "popularity and seed not below 0"),
        ({"seed": -1}, "popularity and seed not below 0"),
    ],
)
def test_impossible_settings_are_refused(setting, message):
    with pytest.raises(InputError, match=message):
        PlantedConfig(**setting)


def test_a_chunk_without_users_is_refused():
    with pytest.raises(InputError, match="chunk_users is 0"):
        next(stream(SMALL, 0))
