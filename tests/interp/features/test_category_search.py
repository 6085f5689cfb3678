from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from interp.concepts import concepts_of
from interp.concepts.alignment import correlation
from interp.features.category_search import MIN_ROWS, search


@pytest.fixture(scope="module")
def world():
    """120 films, one of them in each step of 60 users; four features that know something."""
    rng = np.random.default_rng(0)
    n, steps = 120, 7200
    genre = rng.integers(3, size=n)
    year = 1970 + rng.integers(30, size=n)
    titles = [
        f"Saga: Part {i} ({year[i]})" if i < 6 else f"Film {chr(97 + i % 26) * 3}{i} ({year[i]})" for i in range(n)
    ]
    items = pd.DataFrame(
        {
            "title": titles,
            "genres": np.array(["War", "Drama", "Horror"])[genre],
            "language": np.where(rng.random(n) < 0.3, "ja", "en"),
            "year": pd.array(year, dtype="Int64"),
        },
        index=pd.Index(range(n), name="item"),
    )
    item = np.concatenate([rng.permutation(n) for _ in range(60)])
    rows = pd.DataFrame({"user": np.repeat(range(60), n), "item": item, "step": np.tile(range(n), 60)})
    store = ActivationStore(Path("nowhere"), np.zeros((steps, 2), np.float32), rows, "blocks.0", "abc", 0.0, 1.0)
    language, seventies = items["language"].to_numpy(), year < 1980
    knows = [
        item < 6,  # the saga
        (genre[item] == 2) & (language[item] == "ja"),  # Japanese horror
        seventies[item],
        item == 77,
        rng.random(steps) < 0.1,  # nothing
    ]
    noise = rng.random((steps, len(knows))) * 0.2
    strength = np.stack(knows, axis=1) * (1 + noise)
    return items, store, sparse.csc_array(strength.astype(np.float32)), concepts_of(items, "genres")


def test_what_features_stand_for_is_found(world):
    items, store, activations, concepts = world
    cases, histories = search(activations, store, items, concepts, "genres")
    first = cases[cases["rank"] == 1].set_index("kind")
    assert first.loc["franchise", ["concept", "feature"]].tolist() == ["Saga", 0]
    assert first.loc["both", ["concept", "feature"]].tolist() == ["Horror & ja", 1]
    assert first.loc["decade", ["concept", "feature"]].tolist() == ["1970s", 2]
    assert first.loc["item", ["concept", "feature"]].tolist() == [items["title"][77], 3]
    assert (first.loc[["franchise", "both", "decade", "item"], "p_top100"] == 1).all()
    assert set(histories["kind"]) == set(first.index)
    for kind, shown in histories.groupby("kind"):
        assert set(shown["feature"]) == {first.loc[kind, "feature"]}
    saga = histories[histories["kind"] == "franchise"]
    assert (saga["has"] == (saga["item"] < 6)).all()
    assert (saga.loc[saga["activation"] > 0, "has"]).all()


def test_scores_are_those_of_the_functions(world):
    items, store, activations, concepts = world
    cases, _ = search(activations, store, items, concepts, "genres")
    row = cases[(cases["kind"] == "language") & (cases["rank"] == 1)].iloc[0]
    has = (items["language"].to_numpy() == row["concept"])[store.rows["item"]]
    assert row["rows"] == has.sum()
    assert row["correlation"] == pytest.approx(correlation(activations, has[:, None])[row["feature"], 0])


def test_no_feature_and_no_concept_comes_twice_within_a_kind(world):
    items, store, activations, concepts = world
    cases, _ = search(activations, store, items, concepts, "genres")
    assert not cases.duplicated(["kind", "feature"]).any()
    assert not cases.duplicated(["kind", "concept"]).any()
    assert (cases["rows"] >= MIN_ROWS).all()
    assert (cases["correlation"] > 0).all()


def test_two_concepts_count_only_where_they_fit_better_together(world):
    """The feature of the seventies fits no genre of the seventies better."""
    items, store, activations, concepts = world
    cases, _ = search(activations, store, items, concepts, "genres")
    both = cases[cases["kind"] == "both"]
    assert 2 not in both["feature"].tolist()


def test_the_studys_own_attribute_is_no_kind(world):
    items, store, activations, _ = world
    cases, _ = search(activations, store, items, concepts_of(items, "decade"), "decade")
    assert "decade" not in set(cases["kind"])
    both = cases.loc[cases["kind"] == "both", "concept"].str.split(" & ")
    assert all(first != second for first, second in both)


def test_concepts_of_one_name_are_told_apart(world):
    """A language may be called like a genre: a pair is where both are, and neither is lost."""
    items, store, activations, _ = world
    items = items.assign(language=items["language"].replace("ja", "Horror"))
    cases, _ = search(activations, store, items, concepts_of(items, "genres"), "genres")
    assert cases.loc[(cases["kind"] == "both") & (cases["rank"] == 1), "concept"].item() == "Horror & Horror"


def test_nothing_common_enough_gives_empty_tables(world):
    items, store, activations, concepts = world
    few = slice(0, 40)
    small = ActivationStore(store.folder, store.activations[few], store.rows[few], "blocks.0", "abc", 0.0, 1.0)
    cases, histories = search(sparse.csc_array(activations[few]), small, items, concepts, "genres")
    assert len(cases) == len(histories) == 0
    assert {"kind", "p_top100", "correlation"} <= set(cases)
    assert "has" in histories


def test_what_holds_on_unseen_items_by_hand(world):
    """The detector of film 77 fits its decade on half of the items; a feature of the decade fits it on all."""
    items, store, activations, concepts = world
    year = items["year"].to_numpy()[store.rows["item"]]
    decade = f"{year[store.rows['item'].to_numpy() == 77][0] // 10 * 10}s"
    cases, _ = search(activations[:, [3, 4]], store, items, concepts, "genres")
    decades = cases[cases["kind"] == "decade"].set_index("concept")
    assert decades.loc[decade, "correlation"] > 0.1
    assert decades.loc[decade, "unseen_items"] < decades.loc[decade, "correlation"] / 2
    cases, _ = search(activations, store, items, concepts, "genres")
    first = cases[cases["rank"] == 1].set_index("kind")
    assert first.loc["decade", "unseen_items"] > 0.98
    assert first.loc["both", "unseen_items"] > 0.98
    assert np.isnan(first.loc["item", "unseen_items"])
