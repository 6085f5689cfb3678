"""One item of a study, against lists and activations made in another way; and a study of an earlier release."""

import shutil

import numpy as np
import pytest

import interp
from interp.features.item_means import MIN_STEPS
from interp.pages.dashboard import page_data
from interp.study.study_map import clusters_on_map, features_on_map
from recmodels.errors import InputError


def test_an_item_is_what_lists_and_activations_say(study):
    profiles = study.table("item_profiles").set_index("item")
    inputs, _ = study.users().split_last()
    lists = study.recommend(inputs)
    item = study.item(int(profiles["lists"].idxmax()))
    mine = lists[lists["item"] == item.id]
    assert item.profile["lists"] == len(mine) > 0
    assert item.profile["place"] == pytest.approx(mine["rank"].mean())
    code = study.recommender.recommender.vocabulary.encode([item.id])[0]
    assert item.profile["users"] == sum(code not in history for history in inputs)
    assert item.profile["more_lists"] == 0
    rows = [study.activations(part).rows["item"].to_numpy() == item.id for part in ("sae", "test")]
    values = np.concatenate(
        [study.feature_matrix(part).toarray()[at] for part, at in zip(("sae", "test"), rows, strict=True)]
    )
    assert item.profile["steps"] == len(values) >= MIN_STEPS
    table = item.features
    np.testing.assert_allclose(table["activation"], values.mean(axis=0)[table["feature"]], rtol=1e-5)
    assert table["name"].tolist() == [study.names[feature].text for feature in table["feature"]]
    assert item.neighbours["similarity"].is_monotonic_decreasing
    assert item.id not in item.neighbours["item"].tolist()


def test_an_item_shows_itself(study):
    item = study.item(study.items["title"].iloc[3])
    assert item.id == study.items.index[3]
    text = repr(item)
    assert text.startswith(f"{item.title} (item {item.id}) · ")
    assert "Of 60 items, " in text or f"Of {len(study.items)} items, " in text
    for word in ("lights up", "promoted by", "suppressed by", "nearest items"):
        assert word in text
    assert item.title in item._repr_html_()
    with pytest.raises(InputError, match="None is not an item: give its id"):
        study.item(None)
    with pytest.raises(InputError, match="no item has the id or the title 'nowhere'"):
        study.item("nowhere")


def test_a_study_of_an_earlier_release_gets_what_it_lacks(study, tmp_path):
    """Without the new tables they are computed, equal to those of the run; without activations it is said in a line."""
    old = tmp_path / "old"
    shutil.copytree(study.folder, old)
    shutil.rmtree(old / "tables" / "item_profiles")
    older = interp.open(old)
    id_ = study.items.index[3]
    assert older.item(id_).features.equals(study.item(id_).features)
    assert older.item(id_).neighbours.equals(study.item(id_).neighbours)
    places = study.table("map")
    older.__dict__["_tables"]._frames.clear()
    table = older.table
    object.__setattr__(older, "table", lambda name: places[["feature", "x", "y"]] if name == "map" else table(name))
    assert features_on_map(older).equals(features_on_map(study))
    assert clusters_on_map(features_on_map(older)).equals(clusters_on_map(features_on_map(study)))
    shutil.rmtree(old / "features")
    shutil.rmtree(old / "activations")
    with pytest.raises(InputError, match=r"without the table 'item_profiles', .*: run "):
        interp.open(old).item(id_).profile  # noqa: B018


def test_a_large_catalogue_has_pages_of_the_items_that_occur_most(study, monkeypatch):
    monkeypatch.setattr("interp.pages.item_columns.MOST", 10)
    items = page_data(study)["items"]
    steps = study.table("item_profiles")["steps"].to_numpy()
    paged = np.array(items["paged"], dtype=bool)
    assert paged.sum() == 10
    assert steps[paged].min() >= steps[~paged].max()
    assert [len(rows) > 0 for rows in items["lit"]["feature"]] == paged.tolist()
