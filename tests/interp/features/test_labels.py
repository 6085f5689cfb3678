"""Labels: counts, scores and hard negatives by hand; chosen labels on activations that are known."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import f1_score, precision_score, recall_score

from interp.activations.feature_matrix import encode
from interp.concepts import concepts_of
from interp.concepts.attributes import title_words
from interp.features import labels
from interp.features.item_activity import SIMILAR, ItemCounts, count_by_item, counts, exceeds, hard_negatives, medians
from interp.features.label_folds import share_of_halves
from interp.features.labels import by_chance, choose, examples, label_features, score
from interp.features.neighbours import cosines, nearest
from interp.features.predicates import MIN_STEPS, pairs, predicates

# ---- by hand: six steps of three items, three features ----

ITEMS = pd.Series(["a", "a", "b", "b", "b", "c"])
ACTIVATIONS = sparse.csc_array(
    np.array([[1, 0, 4], [3, 0, 0], [0, 0, 2], [5, 0, 0], [0, 0, 3], [2, 0, 0]], dtype=np.float32)
)


@pytest.fixture
def active():
    return exceeds(ACTIVATIONS, medians(ACTIVATIONS))


def test_a_feature_is_active_above_the_median_of_its_positive_activations(active):
    assert medians(ACTIVATIONS).tolist() == [2.5, np.inf, 3]
    assert active.toarray().tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    counted = counts(active, ITEMS)
    assert counted.items.tolist() == ["a", "b", "c"]
    assert counted.steps.tolist() == [2, 3, 1]
    assert counted.active.toarray().tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 0]]


def test_hard_negatives_are_near_items_and_active_neighbours(active):
    """Feature 0's neighbour is 2, which is active at the first step, of a; c is an item near to it."""
    counted = counts(active, ITEMS)
    near = np.array([[False, False, True], [False] * 3, [True, False, False]])
    found = hard_negatives(active, ITEMS, counted, np.array([[2], [2], [1]]), near)
    assert found.toarray().tolist() == [[1, 0, 1], [1, 0, 0], [1, 0, 0]]


def test_scores_by_hand(active):
    """Feature 0 is active at a and b; its label speaks of both steps of a. One of its two hard negatives is of a."""
    counted = counts(active, ITEMS)
    hard = sparse.csr_array(np.array([[1.0, 0, 1], [0, 0, 0], [0, 3, 0]]))
    table = score(np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=bool), counted, hard)
    first = table.loc[0, ["support", "active", "precision", "recall", "f1", "lift", "hard_precision"]]
    assert first.tolist() == pytest.approx([2, 2, 1 / 2, 1 / 2, 1 / 2, 1.5, 0.5 / (0.5 + 0.5)])
    assert table.loc[1, ["precision", "recall", "f1", "lift", "hard_precision"]].tolist() == [0] * 5
    assert table.loc[2, ["support", "active", "hard_precision"]].tolist() == [0, 1, 0]
    assert not table["labelled"].any()


def test_examples_speak_for_and_against(active):
    found = examples(np.array([[1, 0, 1], [0, 0, 0], [0, 0, 0]], dtype=bool), counts(active, ITEMS))
    rows = [list(row) for row in found.itertuples(index=False)]
    assert rows == [
        [0, "hit", 1, "a", 1],
        [0, "false alarm", 1, "a", 1],
        [0, "false alarm", 2, "c", 1],
        [0, "missed", 1, "b", 1],
        [2, "missed", 1, "a", 1],
    ]


def test_examples_in_blocks_are_those_of_each_feature(world, monkeypatch):
    _, _, learnt, _, single = world
    fits = choose(learnt, single, learnt.items).fits
    whole = examples(fits, learnt)
    monkeypatch.setattr(labels, "CELLS", 1)  # a feature at a time
    pd.testing.assert_frame_equal(examples(fits, learnt), whole)
    active = learnt.active.toarray()
    for (feature, role), rows in whole.groupby(["feature", "role"]):
        steps = {
            "hit": active[feature] * fits[feature],
            "false alarm": (learnt.steps - active[feature]) * fits[feature],
            "missed": active[feature] * ~fits[feature],
        }[role]
        by_item = pd.Series(steps, learnt.items)
        best = by_item[by_item > 0].sort_values(ascending=False, kind="stable").head(labels.EXAMPLES)
        assert rows["item"].tolist() == best.index.tolist()
        assert rows["steps"].tolist() == best.tolist()


def test_title_words():
    assert title_words("The Wrath of Khan: Star Trek 2 (Again) (1982)") == ["wrath", "khan", "star", "trek"]
    assert title_words("") == []


# ---- a made world ----

KNOWN = {0: "Horror", 1: "1980s", 2: "Saga", 3: "only Film 77", 4: "“moon” in the title", 5: "War & 1970s"}
NOISE, COMMON, TURNED, DEAD = 6, 7, 8, 9


@pytest.fixture(scope="module")
def world():
    """Activations of 60 and of 40 users: six features that know something, others that do not."""
    rng = np.random.default_rng(0)
    n = 120
    genre, year = rng.permutation(n) % 4, 1970 + rng.permutation(n) % 30
    titles = [f"Film {i}" for i in range(n)]
    titles[:6] = [f"Saga: Part {i}" for i in range(1, 7)]
    moon = np.isin(range(n), rng.choice(np.arange(6, n), 8, replace=False))
    titles = [f"{title} Moon {chr(97 + i % 26) * 3}" if moon[i] else title for i, title in enumerate(titles)]
    titles[77] = "Film 77"
    moon[77] = False
    items = pd.DataFrame(
        {"title": titles, "genres": np.array(["War", "Drama", "Horror", "Comedy"])[genre], "year": year},
        index=pd.Index(range(n), name="item"),
    )

    def part(users):
        item = np.concatenate([rng.permutation(n) for _ in range(users)])
        knows = np.stack(
            [
                genre[item] == 2,
                (year[item] >= 1980) & (year[item] < 1990),
                item < 6,
                item == 77,
                moon[item],
                (year[item] < 1980) & (genre[item] == 0),
                rng.random(len(item)) < 0.1,
                rng.random(len(item)) < 0.9,
                # Horror on the users it is learnt on, War on the others.
                genre[item] == (2 if users == 60 else 0),
                np.zeros(len(item), bool),
            ],
            axis=1,
        )
        # Every second step is faint by itself; above the median are those that a feature knows.
        faint = (rng.random(knows.shape) < knows.mean(axis=0)) & ~knows
        strength = knows * (1 + rng.random(knows.shape)) + faint * 0.1 * rng.random(knows.shape)
        return sparse.csc_array(strength.astype(np.float32)), pd.Series(item)

    learnt, unseen = part(60), part(40)
    floor = medians(learnt[0])
    told = [counts(exceeds(values, floor), item) for values, item in (learnt, unseen)]
    concepts = concepts_of(items, "genres")
    return items, concepts, *told, predicates(items, concepts, "genres", told[0].by_item)


def test_what_features_know_is_found_and_holds(world):
    _, _, learnt, unseen, single = world
    labels = choose(learnt, single, unseen.items)
    assert {feature: labels.names[feature] for feature in KNOWN} == KNOWN
    assert labels.kinds[:6].tolist() == ["concept", "decade", "franchise", "item", "word", "both"]
    table = score(labels.fits, unseen, sparse.csr_array(unseen.active.shape))
    known = table.loc[list(KNOWN)]
    assert known["labelled"].all()
    assert (known["precision"] > 0.6).all()
    assert (known["recall"] > 0.9).all()


def test_what_does_not_hold_on_unseen_users_is_no_label(world):
    """Noise, a feature that is active at most steps, one that means something else there, and a dead one."""
    _, _, learnt, unseen, single = world
    labels = choose(learnt, single, unseen.items)
    table = score(labels.fits, unseen, sparse.csr_array(unseen.active.shape))
    assert not table.loc[[NOISE, COMMON, TURNED, DEAD], "labelled"].any()
    assert labels.names[TURNED] == "Horror"
    assert table.loc[TURNED, "recall"] == 0
    assert labels.names[DEAD] == ""


def test_a_label_that_fits_hard_negatives_alike_is_none(world):
    """As true of Horror as before, but now all its other steps are hard negatives, and none of the others'."""
    _, _, learnt, unseen, single = world
    fits = choose(learnt, single, unseen.items).fits
    hard = sparse.csr_array(fits * (unseen.steps - unseen.active.toarray()))
    table = score(fits, unseen, hard)
    assert (table.loc[list(KNOWN), "hard_precision"] <= 0.5).all()
    assert not table["labelled"].any()


def test_labels_of_other_features_do_not_hold(world):
    _, _, learnt, unseen, single = world
    fits = choose(learnt, single, unseen.items).fits
    none = sparse.csr_array(unseen.active.shape)
    assert by_chance(fits[:6], unseen.select(np.arange(6)), none[:6]) == 0
    # Of two features that are active at the same steps, each holds as the other's label.
    both = unseen.select(np.array([0, 0]))
    broader = np.stack([fits[0], fits[0] | fits[3]])
    assert by_chance(broader, both, none[:2]) == 1


def test_predicates_are_common_enough_and_say_what_they_say(world):
    items, concepts, learnt, _, single = world
    steps = single.fits.T @ learnt.by_item.reindex(single.items).to_numpy()
    assert (steps >= MIN_STEPS).all()
    assert (steps < learnt.steps.sum()).all()
    column = single.names.tolist().index("Horror")
    assert (single.fits[:, [column]].toarray()[:, 0] == concepts.labels(items.index)[:, concepts.index("Horror")]).all()
    assert "“saga” in the title" in single.names


def says(kind, name, item):
    """Whether a predicate by this name holds of an item, as a person reads it."""
    return {
        "concept": lambda: name == item.genres,
        "decade": lambda: name == f"{item.year // 10}0s",
        "year": lambda: name == str(item.year),
        "item": lambda: name == f"only {item.title}",
        "franchise": lambda: bool(re.fullmatch(rf"{re.escape(name)}(:.*| \d\d?)", item.title)),
        "word": lambda: name in [f"“{word}” in the title" for word in title_words(item.title)],
    }[kind]()


def test_sparse_predicates_are_those_of_one_item_after_another(world):
    items, _, learnt, _, single = world
    kinds, names, fits = single.kinds.tolist(), single.names.tolist(), single.fits.toarray().astype(bool)
    rows = list(items.itertuples())
    for kind, name, column in zip(kinds, names, fits.T, strict=True):
        assert column.tolist() == [says(kind, name, item) for item in rows], name
    assert set(kinds) == {"concept", "decade", "item", "word", "franchise", "year"}
    steps = learnt.by_item.reindex(single.items).to_numpy()
    both = {}
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            column = fits[:, a] & fits[:, b]
            if {kinds[a], kinds[b]} <= {"concept", "decade"} and MIN_STEPS <= steps[column].sum() < steps.sum():
                both[f"{names[a]} & {names[b]}"] = column.tolist()
    paired = pairs(single, learnt.by_item)
    assert dict(zip(paired.names, paired.fits.toarray().astype(bool).T.tolist(), strict=True)) == both
    assert "War & 1970s" in both


# ---- items that a label was not learnt from ----


@pytest.fixture(scope="module")
def detectors():
    """Four features over 60 items of four genres: of Horror, of one film of Horror, of one film of War, and noise.

    The films are seen ten times as often as others. The dictionary of predicates has genres, and single films by name.
    """
    rng, n = np.random.default_rng(1), 60
    genre = np.arange(n) % 4
    items = pd.DataFrame(
        {"title": [f"Film {i}" for i in range(n)], "genres": np.array(["War", "Drama", "Horror", "Comedy"])[genre]},
        index=pd.Index(range(n), name="item"),
    )
    popular = np.where(np.isin(range(n), [2, 4]), 10, 1)

    def part(users):
        item = np.concatenate([rng.permutation(np.repeat(range(n), popular)) for _ in range(users)])
        knows = np.stack([genre[item] == 2, item == 2, item == 4, rng.random(len(item)) < 0.1], axis=1)
        return counts(sparse.csc_array(knows.astype(np.float32)), pd.Series(item))

    training, unseen = part(60), part(40)
    none = sparse.csr_array(unseen.active.shape)
    single = predicates(items, concepts_of(items, "genres"), "genres", training.by_item)
    halves = np.stack([rng.permutation(n) < n // 2 for _ in range(20)])
    return single, ItemCounts(training, unseen, none), halves


def test_a_label_of_one_film_fails_on_unseen_items_and_a_concept_passes(detectors):
    single, activity, halves = detectors
    genres = single.select(np.flatnonzero(single.kinds == "concept"))
    shares = share_of_halves(genres, activity, halves)
    assert shares[0] == 1
    # A detector of one film passes at most where the film itself is among the unseen items.
    assert shares[1] <= 0.5
    assert shares[2] <= 0.5
    assert shares[3] == 0
    # With genres alone, each of the two films looks like its genre on unseen users.
    table, kinds, _ = label_features(genres, activity, shares)
    assert table["label"].tolist()[:3] == ["Horror", "Horror", "War"]
    assert table["on_unseen_users"].tolist() == [True, True, True, False]
    assert table["labelled"].tolist() == [True, False, False, False]
    assert kinds.loc[0, ["kind", "features", "on_unseen_users", "labelled"]].tolist() == ["all", 4, 3, 1]


def test_a_single_film_is_a_label_of_its_own_kind(detectors):
    single, activity, halves = detectors
    table, _, _ = label_features(single, activity, share_of_halves(single, activity, halves))
    assert table["label"].tolist()[:3] == ["Horror", "only Film 2", "only Film 4"]
    assert table["labelled"].tolist() == [True, True, True, False]
    assert table["unseen_items"].isna().tolist() == [False, True, True, False]


def test_counts_of_some_items_by_hand(active):
    some = counts(active, ITEMS).only(pd.Index(["b", "c", "elsewhere"]))
    assert some.items.tolist() == ["a", "b", "c"]
    assert some.steps.tolist() == [0, 3, 1]
    assert some.active.toarray().tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]


# ---- the planted world, through the recommender ----


def seen(store, sae):
    """Features, and the item of each row."""
    return encode(store, sae), store.rows["item"]


def test_planted_concepts_are_recovered(stores, sae, planted):
    """Most of the planted concepts are the label of some feature; precision and recall are scikit-learn's."""
    concepts = concepts_of(planted.items, "concepts")
    found = count_by_item(sae, seen(stores["sae"], sae), seen(stores["test"], sae), concepts)
    occurring = planted.items.loc[found.training.items.union(found.unseen.items)]
    single = predicates(occurring, concepts, "concepts", found.training.by_item)
    halves = np.random.default_rng(0).random((5, len(occurring))) < 0.5
    table, kinds, _ = label_features(single, found, share_of_halves(single, found, halves))
    good = table[table["labelled"]]
    named = set(good.loc[good["kind"] == "concept", "label"])
    assert len(named & set(concepts.names)) >= 0.75 * len(concepts.names)
    best = good[good["kind"] == "concept"].sort_values("f1").iloc[-1]
    floor = medians(encode(stores["sae"], sae))[best["feature"]]
    truth = encode(stores["test"], sae)[:, [best["feature"]]].toarray()[:, 0] > floor
    said = concepts.labels(stores["test"].rows["item"])[:, concepts.index(best["label"])]
    for name, metric in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        assert best[name] == pytest.approx(metric(truth, said))
    assert best["lift"] == pytest.approx(precision_score(truth, said) / truth.mean())
    assert kinds.loc[0, ["kind", "labelled"]].tolist() == ["all", len(good)]
    assert kinds.loc[1:, "features"].sum() <= kinds.loc[0, "features"]
    assert kinds.loc[0, "by_chance"] < 0.02


def test_hard_negatives_of_the_dictionary_one_by_one(stores, sae, planted, monkeypatch):
    """Counted again step by step from the dictionary's own activations, of seven features at once."""
    monkeypatch.setattr("interp.features.item_activity._FEATURES", 7)
    concepts = concepts_of(planted.items, "concepts")
    found = count_by_item(sae, seen(stores["sae"], sae), seen(stores["test"], sae), concepts)
    values, others = encode(stores["sae"], sae), encode(stores["test"], sae)
    floor = medians(values)
    whole = counts(exceeds(values, floor), stores["sae"].rows["item"])
    assert (found.training.active != whole.active).nnz == 0
    feature = int(np.diff(others.indptr).argmax())
    learnt, on = (part.toarray() > floor for part in (values, others))
    labels = [concepts.labels(stores[part].rows["item"]) for part in ("sae", "test")]
    fits = [f1_score(learnt[:, feature], has) for has in labels[0].T]
    near = labels[1][:, np.argsort(fits)[-3:]].any(axis=1)
    beside = on[:, nearest(cosines(sae.directions.numpy()), SIMILAR)[feature]].any(axis=1)
    hard = ~on[:, feature] & (near | beside)
    assert found.hard[[feature]].sum() == hard.sum() > 0
    by_item = pd.Series(hard).groupby(stores["test"].rows["item"].to_numpy()).sum()
    assert found.hard[[feature]].toarray()[0].tolist() == by_item.loc[found.unseen.items].tolist()


def test_nothing_that_can_be_said_is_no_label():
    """Items that are seen too seldom for any predicate."""
    items = pd.DataFrame({"title": ["A", "B"], "genres": ["x", "y"]}, index=["a", "b"])
    seen = counts(sparse.csc_array(np.float32([[1], [0]])), pd.Series(["a", "b"]))
    single = predicates(items, concepts_of(items, "genres"), "genres", seen.by_item)
    assert len(single.names) == 0
    labels = choose(seen, single, seen.items)
    assert labels.names.tolist() == [""]
    assert not labels.fits.any()
