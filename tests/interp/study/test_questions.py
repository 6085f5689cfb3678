"""Questions about users, items and features, each against values made in another way."""

import pickle
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import interp
from interp.control.accuracy import accuracy
from interp.features.concept_names import attach_concepts
from interp.model.envoys import RecommenderEnvoy
from interp.study.groups import members_of
from recmodels.errors import InputError, quote
from recmodels.metrics import hit_rate, ndcg
from recmodels.sequences import Histories


@pytest.fixture(scope="module")
def rows(study):
    """The table of users, whose rows are in order."""
    return study.table("users").query("part == 'test'")


@pytest.fixture(scope="module")
def lover(study, rows):
    """A concept with an aligned feature, and each test user's share of it in the history."""
    concept = study.table("concepts")["concept"].iloc[0]
    has = study.items["concepts"].map(lambda names: concept in list(names))
    return concept, rows["item"].map(has).groupby(rows["user"], sort=False).mean()


def test_a_user_by_id_goes_wherever_a_history_goes(study, rows):
    ids = rows["user"].unique()[[5, 2]].tolist()
    history = rows.loc[rows["user"] == ids[0], "item"].tolist()
    user, rec = study.user(ids[0]), study.recommender
    assert study.user(*ids).users.tolist() == ids
    pd.testing.assert_frame_equal(pd.DataFrame(study.recommend(user)), pd.DataFrame(study.recommend({ids[0]: history})))
    item = study.recommend(user, 1)["item"].iloc[0]
    assert study.why(user, item).features.equals(study.why([history], item).features)
    assert study.to_enter(user, study.recommend(user, 20)["item"].iloc[-1]) is not None
    with rec.steer({3: 2.0}, user):
        steered = rec.scores.save()
    with rec.steer({3: {ids[0]: 2.0}}, {ids[0]: history}):
        assert (rec.scores.save() == steered).all()
    held_out = study.users("sae_validation").users[0]
    assert study.user(held_out).users.tolist() == [held_out]


@pytest.mark.parametrize(
    ("ids", "says"), [((), "no user is named"), (("nobody",), r"\('nobody'\): write ids as there")]
)
def test_a_user_that_is_not_there(study, ids, says):
    with pytest.raises(InputError, match=says):
        study.user(*ids)
    first = study.users().users[0]
    other = int(first) if isinstance(first, str) else str(first)
    with pytest.raises(InputError, match=rf"these ids are (text|numbers), so write {quote(first)}"):
        study.user(other)
    with pytest.raises(InputError, match=r"one by one: write study.user\(\*ids\)"):
        study.user([1, 2])


def test_ids_of_users_are_not_read_as_items_of_one_history(study, rows):
    ids = study.users().users[:3]
    for users in (ids, pd.Series(ids, name="user")):
        with pytest.raises(InputError, match="ids of users, not of items"):
            study.evaluate(users=users)
    assert len(study.recommend(pd.Series(rows["item"].tolist()[:3]), k=2)) == 2


def test_a_study_without_counts_of_histories_asks_to_be_run_again(study):
    view = study.features[0].view
    with pytest.raises(InputError, match=r"earlier release, .*run "):
        _ = replace(view, row=SimpleNamespace(p_top100=0.5)).p_top100


def test_who_watched_an_item(study, rows):
    item = rows["item"].value_counts().index[3]
    expected = rows.loc[rows["item"] == item, "user"].unique().tolist()
    assert study.who_watched(item).users.tolist() == expected
    title = study.items.at[item, "title"]
    assert repr(study.who_watched(item)).startswith(f"{len(expected)} histories of ")
    assert study.who_watched(f" {title.upper()}").users.tolist() == expected
    one = study.who_watched(item, users={"ann": [item], "bob": rows["item"].unique()[:2].tolist()})
    assert "ann" in one.users
    with pytest.raises(InputError, match=r"may be several items: give one of these ids: .*; …"):
        study.who_watched(title.split()[0])
    with pytest.raises(InputError, match="no item has the id or the title 'Nosferatu'"):
        study.who_watched("Nosferatu")
    other = study.items.index[study.items.index != item][0]
    with pytest.raises(InputError, match="this history does not hold item"):
        study.who_watched(item, users=[[other]])


def test_what_distinguishes_lovers_of_a_concept(study, lover):
    """Planted: users with much of a concept in their histories have its feature on more, and more of it in lists."""
    concept, share = lover
    much = share.index[share > share.median()]
    result = study.compare_groups(much)
    features, concepts = result.features.set_index("feature"), result.concepts.set_index(["of", "concept"])
    assert result.users == (len(much), len(share) - len(much))
    top = study.features[concept].index
    assert features.at[top, "difference_low"] > 0
    assert features.at[top, "q"] <= 0.05
    assert features.at[top, "label"] == study.features[top].label
    history = concepts.loc[("history", concept)]
    assert history["a"] == pytest.approx(share[much].mean())
    assert history["b"] == pytest.approx(share.drop(much).mean())
    lists = study.recommend(study.user(*much))
    in_lists = lists["concepts"].map(lambda names: concept in list(names)).groupby(lists["user"]).mean().mean()
    assert concepts.at[("list", concept), "a"] == pytest.approx(in_lists)
    assert f"history: {concept}" in repr(result)
    assert f"history: {concept}" in result._repr_html_()
    assert max(map(len, repr(result).splitlines())) <= 80


def test_a_rate_is_the_mean_over_users_of_their_share_of_steps(study, rows):
    a, b = rows["user"].unique()[:3], rows["user"].unique()[3:6]
    result = study.compare_groups(a, b).features.set_index("feature").sort_index()
    rec, rates = study.recommender, []
    for user in a:
        with rec.trace(study.user(user)):
            features = rec.site(study.site).features.save()
        rates.append((features[0] > 0).float().mean(dim=0).numpy())
    np.testing.assert_allclose(result["a"], np.mean(rates, axis=0), atol=1e-6)


def test_all_forms_of_a_group_mean_the_same(study, lover):
    concept, share = lover
    chosen = (share > share.median()).rename("chosen")
    ids = chosen.index[chosen].tolist()
    forms = [
        set(ids),
        np.array(ids),
        chosen,
        chosen.iloc[::-1],
        chosen.astype(int),
        chosen.astype(float).iloc[::-1],
        chosen.reset_index(drop=True),
        chosen.to_numpy(),
        chosen.tolist(),
        study.user(*ids),
        pd.DataFrame({"user": ids}),
        lambda history: history["concepts"].map(lambda names: concept in list(names)).mean() > share.median(),
    ]
    for form in forms:
        assert (members_of(study, form, study.users(), "a") == chosen).all()


def test_groups_that_cannot_be_compared(study, rows):
    users = rows["user"].unique().tolist()
    for a, b, says in (
        (users[:3], users[2:5], r"1 user is in both groups"),
        ([], None, "group a has 0 of these users: give at least 2"),
        (users, None, "group b has 0 of these users"),
        ([*users[:3], "nobody"], None, r"1 user is not in the histories that group a is a part of \('nobody'\)"),
        ([True, False], None, "group a has 2 booleans for"),
        ([1, *[0] * (len(users) - 1)], None, "group a is a list of 0 and 1: give True and False, or the ids"),
        (study.users("sae_validation"), None, "has histories of other users than those that are compared"),
        (study.users().last(2), None, "has another history of user"),
        (7, None, "group a is 7: give user ids"),
        (pd.DataFrame({"item": [1]}), None, "a table without a column user"),
        (lambda history: history["year"] > 1990, None, "the function of group a fails for user"),
        (lambda history: "yes", None, "says 'yes' of a history: let it say True or False"),
    ):
        with pytest.raises(InputError, match=says):
            study.compare_groups(a, b)


def test_two_groups_of_histories_may_be_of_any_users(study):
    a, b = study.users("sae_validation"), study.users()
    both = study.compare_groups(a, b)
    assert both.users == (len(a), len(b))
    pd.testing.assert_frame_equal(
        both.features, study.compare_groups(a, b, users=Histories.concatenated([b, a])).features
    )


def test_accuracy_with_and_without_a_steer(study):
    inputs, truth = study.users().split_last()
    lists = study.recommender.rank(inputs, 10)
    ranks = [list(row).index(item) + 1 if item in row[:5] else np.inf for row, item in zip(lists, truth, strict=True)]
    plain = study.evaluate(k=(5, 10)).set_index("measure")
    assert plain.at["ndcg@10", "value"] == pytest.approx(ndcg(lists, truth))
    assert plain.at["hit_rate@5", "value"] == pytest.approx(hit_rate(lists[:, :5], truth))
    assert plain.at["mrr@5", "value"] == pytest.approx(np.mean(1 / np.array(ranks)))
    assert (plain["low"] <= plain["value"]).all()
    assert (plain["value"] <= plain["high"]).all()
    steered = study.evaluate({3: 2.0}).set_index("measure")
    receipt = study.receipt({3: 2.0}).measures.set_index("measure")
    for measure in ("ndcg@10", "hit_rate@10"):  # the same numbers and the same intervals
        assert steered.loc[measure].tolist() == pytest.approx(receipt.loc[measure, steered.columns].tolist())
    with study.recommender.steer({3: 2.0}):
        inside = accuracy(study.recommender, study.users()).set_index("measure")
    assert inside.at["mrr@10", "value"] == pytest.approx(steered.at["mrr@10", "after"])
    for k, says in ((0, "k is 0"), ((5, 5), "give each length once")):
        with pytest.raises(InputError, match=says):
            study.evaluate(k=k)
    with pytest.raises(InputError, match="no feature is named"):
        study.evaluate({})


def test_ablations_are_kept_and_say_what_a_steer_says(study):
    table = study.ablate_all()
    file = next((study.of_dictionary / "tables" / "ablations-10").glob("*.parquet"))
    written = file.stat().st_mtime_ns
    pd.testing.assert_frame_equal(study.ablate_all(), table)
    assert file.stat().st_mtime_ns == written
    assert table["change"].is_monotonic_increasing
    worst = table.iloc[0]
    steered = study.evaluate(study.recommender.steer_of([int(worst["feature"])], op="ablate", at="all"))
    row = steered.set_index("measure").loc["ndcg@10"]
    expected = row[["after", "change", "change_low", "change_high"]].tolist()
    assert worst[["ndcg", "change", "change_low", "change_high"]].tolist() == pytest.approx(expected, abs=1e-9)
    assert worst["label"] == study.labels[worst["feature"]]
    some = study.ablate_all(users=study.users("sae_validation"), k=5)
    assert len(some) == len(table)
    assert not some["change"].equals(table["change"])


def test_tables_and_dictionaries_by_name(study):
    assert study.tables["features"].equals(study.table("features"))
    assert {"items", "features", "receipts"} <= set(study.tables)
    assert all(name in repr(study.tables) for name in study.tables)
    assert study.tables.get("nothing") is None
    with pytest.raises(InputError, match="there is no table 'nothing'"):
        study.tables["nothing"]
    chosen = f"{study.site}/{study.sae.config.name}"
    assert study.dictionaries[chosen].fingerprint == study.dictionaries[study.sae.config.name].fingerprint
    (line,) = [line for line in repr(study.dictionaries).splitlines() if line.startswith(f"{chosen} ")]
    assert line.endswith("of the variance explained, chosen")
    assert "chosen" in study.dictionaries._repr_html_()
    assert {name.rpartition("/")[0] for name in study.dictionaries} == {"blocks.0", "blocks.1.mlp"}
    assert all(about for _, about in study.dictionaries.lines())
    with pytest.raises(InputError, match="no dictionary 'other': choose one of blocks"):
        study.dictionaries["other"]


def test_all_features_in_a_frame(study):
    frame = study.features.to_frame()
    assert len(frame) == len(study.features)
    for number in (0, 7):
        feature, row = study.features[number], frame.loc[number]
        assert (row["label"], row["density"], row["auc"]) == (feature.label, feature.row["density"], feature.row["auc"])
        assert row["precision"] == feature.proof["precision"]
        assert (row["grade"] == "tested") == feature.view.labelled
        assert (row["grade"] == "dead") == (row["max"] == 0)


def test_another_dictionary_computes_the_tables_that_a_run_has(study):
    """The run's own dictionary, as if it were another: what is computed from the store is what the run computed."""
    again = replace(study, other=study.sae)
    for name in ("features", "concepts", "alignment", "neighbours", "effects"):
        pd.testing.assert_frame_equal(again.table(name), study.table(name))
    assert again.of_dictionary != study.of_dictionary
    assert repr(again.receipt({3: 1.0})) == repr(study.receipt({3: 1.0}))


def test_a_study_at_another_site(study):
    site = "blocks.1.mlp"
    other = study.at(site)
    assert other.site == other.sae.provenance.site == site
    assert other.bare_recommender is study.bare_recommender
    concept = other.table("concepts")["concept"].iloc[0]
    features = other.recommender.meanings[site].features(concept)
    assert other.features[concept].index == features[0] == other.table("concepts")["feature"].iloc[0]
    row = other.receipt({concept: 1.0}, unit="p99").shares.set_index("concept").loc[concept]
    assert row["change_low"] > 0
    assert other.users().fingerprint == study.users().fingerprint
    assert site in repr(other)
    assert pickle.loads(pickle.dumps(other)).sae.fingerprint == other.sae.fingerprint
    assert other.at(study.site).sae.fingerprint == study.sae.fingerprint
    assert study.at(study.site) is study
    with pytest.raises(InputError, match=r"no dictionary at 'blocks\.9', only at blocks\.0, blocks\.1\.mlp"):
        study.at("blocks.9")
    with pytest.raises(InputError, match="bundle the run itself"):
        other.bundle("bundle.zip")


def test_a_study_with_another_dictionary(study, steerable):
    name = next(
        name for name in study.dictionaries if name.startswith("blocks.0/") and study.sae.config.name not in name
    )
    other = study.with_dictionary(name)
    assert other.sae.fingerprint == study.dictionaries[name].fingerprint
    assert len(other.features) == other.sae.n_features
    folder = study.folder / "dictionaries" / name
    assert study.with_dictionary(folder).sae.fingerprint == other.sae.fingerprint
    assert study.with_dictionary(study.sae) is study
    with pytest.raises(InputError, match="was trained on recommender"):
        study.with_dictionary(steerable["gptrec"].blocks[0].sae)
    for wrong, says in (("nothing", "neither a folder nor one of"), (3, "3 is no dictionary")):
        with pytest.raises(InputError, match=says):
            study.with_dictionary(wrong)
    # A feature of one is no feature of the other.
    with pytest.raises(InputError, match="which mean something else"):
        other.recommender.steer_of(list(study.recommender.steer_of({3: 1.0}).edits))
    with pytest.raises(InputError, match="which mean something else"):
        other.receipt({study.features[3]: 1.0})


def test_activations_that_the_run_did_not_collect_are_those_that_it_would_have(study):
    """At a site of the run, whose store is removed."""
    other = study.at("blocks.1.mlp")
    for part in ("test", "sae"):
        store = other.activations(part)
        before, rows = np.array(store.activations), store.rows
        shutil.rmtree(store.folder)
        again = other.activations(part)
        pd.testing.assert_frame_equal(again.rows, rows)
        np.testing.assert_allclose(again.activations, before, atol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda study, folder: attach_concepts(study, study.concepts, study.activations("test")),
        lambda study, folder: interp.collect(study, [[1, 2]], folder),
        lambda study, folder: interp.collect(study.bare_recommender, [[1, 2]], folder),
        lambda study, folder: interp.profile(study, [[1, 2]]),
        lambda study, folder: interp.group_lists(study, {"a": [[1, 2]]}),
        lambda study, folder: interp.steering_receipt(study, [[1]], None, study.concepts, None),
        lambda study, folder: interp.export_service(study, folder / "service"),
        lambda study, folder: interp.encode(study, study.sae),
        lambda study, folder: interp.encode(study.activations("test"), study),
        lambda study, folder: interp.train(study, {}, folder),
        lambda study, folder: interp.RecommenderEnvoy(study),
        lambda study, folder: interp.compare(study, study.recommender),
        lambda study, folder: interp.carry({0: 1.0}, study.recommender, study),
        lambda study, folder: interp.label_with(study.recommender, print),
        lambda study, folder: interp.export(study.recommender, folder),
    ],
)
def test_a_study_and_its_parts_in_place_of_each_other_are_refused(study, call, tmp_path):
    with pytest.raises(InputError, match=r"^[\w ]+ is an? \w+: give "):
        call(study, tmp_path)


def test_concepts_by_name_without_a_study(study):
    rec = RecommenderEnvoy(study.bare_recommender, study.sae)
    with pytest.raises(InputError, match="is not known here"):
        rec.steer_of({study.concepts.names[0]: 1.0})
    assert attach_concepts(rec, study.concepts, study.activations("test")) is rec
    own, meanings = rec.meanings[study.site], study.recommender.meanings[study.site]
    assert own.concepts == meanings.concepts
    pd.testing.assert_frame_equal(own.units, meanings.units)
    assert rec.steer_of({study.concepts.names[0]: 1.0}, unit="p99") == study.recommender.steer_of(
        {study.concepts.names[0]: 1.0}, unit="p99"
    )
    with pytest.raises(InputError, match=r"the table of concepts is a DataFrame: give interp\.concepts_of"):
        attach_concepts(rec, study.items, study.activations("test"))
    with pytest.raises(InputError, match="the store of activations is a csc_array: give"):
        attach_concepts(rec, study.concepts, study.feature_matrix("test"))
    with pytest.raises(InputError, match="no dictionary is attached at"):
        attach_concepts(RecommenderEnvoy(study.bare_recommender), study.concepts, study.activations("test"))
