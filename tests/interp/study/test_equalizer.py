"""Sliders in, lists before and after out: against the recommender itself, and against traces written by hand."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from pages import HOSTILE, handmade_study

import interp
from interp.optional import needing
from interp.steering.serialization import from_json
from interp.study.equalizer import equalize, read_history, short_title, steer_of
from interp.study.title_search import LONGEST, WORDS, search
from recmodels.errors import InputError
from recmodels.wording import signed, with_interval


@pytest.fixture(scope="module")
def concept(study):
    return study.table("concepts").sort_values("correlation")["concept"].iloc[-1]


@pytest.fixture(scope="module")
def history(study):
    return study.recommender.recommender.vocabulary.decode(study.users()[0]).tolist()


def test_lists_are_those_of_the_recommender_without_and_with_the_steer(study, history, concept):
    rec, sliders = study.recommender, {concept: 2.0, 3: -0.5}
    found = equalize(study, history, sliders, k=5)
    plain = rec.recommend(history, k=5)
    with rec.steer(sliders, op="add", unit="p99"):
        steered = rec.recommend(history, k=5)
    for rows, expected in ((found.before, plain), (found.after, steered)):
        assert rows["rank"].tolist() == [1, 2, 3, 4, 5]
        assert rows["item"].tolist() == expected["item"].tolist()
        assert rows["score"].tolist() == expected["score"].tolist()
        assert rows["title"].tolist() == study.items.loc[rows["item"], "title"].tolist()
    assert set(found.after.loc[found.after["moved"], "item"]) == set(steered["item"]) - set(plain["item"])
    assert set(found.before.loc[found.before["moved"], "item"]) == set(plain["item"]) - set(steered["item"])
    assert found.after["moved"].any()


def test_other_ranks_are_places_in_the_whole_other_list(study, history, concept):
    found = equalize(study, history, {concept: 2.0}, k=5)
    whole = study.recommender.recommend(history, k=len(study.items) - len(set(history)))
    place = whole.set_index("item")["rank"]
    assert found.after["other_rank"].tolist() == place[found.after["item"]].tolist()
    row = found.after[found.after["moved"]].iloc[0]
    assert row["fate"] == f"+ new, was {place[row['item']]}"
    gone = found.before[found.before["moved"]].iloc[0]
    assert gone["fate"] == f"− leaves, to {gone['other_rank']}"
    assert gone["other_rank"] > 5


def test_sliders_at_zero_change_nothing(study, history, concept):
    found = equalize(study, history, {concept: 0, 3: 0.0})
    assert found.steer.empty
    pd.testing.assert_frame_equal(found.before, found.after)
    assert set(found.after["fate"]) == {"= stays"}
    assert found.reasons.empty


def test_sliders_that_share_a_feature_add_up(study, history, concept):
    rec, top = study.recommender, study.features[concept].index
    p99 = torch.tensor(study.features.table["p99"].to_numpy(), dtype=torch.float32)
    features = list(rec.meanings[study.site].features(concept))
    with rec.trace(history):
        rec.site(study.site).features[:, -1, features] += 1.5 * p99[features]
        rec.site(study.site).features[:, -1, top] += 0.5 * p99[top]
        expected = rec.scores.save()
    found = equalize(study, history, {concept: 1.5, top: 0.5})
    codes = rec.recommender.vocabulary.encode(found.after["item"])
    np.testing.assert_allclose(found.after["score"], expected[0, codes], atol=1e-4)


def test_reasons_are_the_steered_features_parts_in_the_change_of_the_score(study, history, concept):
    found = equalize(study, history, {concept: 2.0})
    moved = [*found.after.loc[found.after["moved"], "item"], *found.before.loc[found.before["moved"], "item"]]
    assert len(moved) > 1
    assert set(found.reasons["item"]) <= set(moved)
    rec, codes = study.recommender, study.recommender.recommender.vocabulary.encode(moved)
    one = rec.recommender.histories(history)
    plain = rec.score(one)[0]
    with rec.steer(found.steer):
        change = rec.score(one)[0] - plain
    change = pd.Series((change[codes] - change.mean()).tolist(), index=moved)
    for item, rows in found.reasons.groupby("item", sort=False):
        assert set(rows["feature"]) <= {edit.feature for edit in found.steer.edits}
        assert 1 <= len(rows) <= 3
        np.testing.assert_allclose(rows["total"], change[item], rtol=0.02, atol=0.01)
        assert ((rows["change"] > 0) == (item in set(found.after["item"]))).all()
        assert rows["change"].abs().is_monotonic_decreasing
        first = rows.iloc[0]
        assert first["label"] == study.features[first["feature"]].name.text
        assert found.why(item).startswith(f"{first['feature']} {first['label']} {signed(first['change'], '+.2f')}")
        assert found.why(item).endswith(f"(all: {signed(first['total'], '+.2f')})")


def test_what_is_copied_makes_the_same_list(study, history, concept, capsys):
    found = equalize(study, history, {concept: 2.0, 3: -0.5}, k=4)
    assert from_json(found.json) == found.steer == steer_of(study, {concept: 2.0, 3: -0.5})
    scope = {}
    exec(found.python, scope)
    assert scope["lists"]["item"].tolist() == found.after["item"].tolist()
    assert found.after["title"].iloc[0] in capsys.readouterr().out


def test_many_threads_get_what_one_gets(study, concept):
    vocabulary, users = study.recommender.recommender.vocabulary, study.users()
    asked = [(vocabulary.decode(users[n]).tolist(), {concept: n - 2.0}) for n in range(5)]
    alone = [equalize(study, *one) for one in asked]
    with ThreadPoolExecutor(5) as pool:
        together = list(pool.map(lambda one: equalize(study, *one), asked))
    for one, other in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(one.after, other.after)
        pd.testing.assert_frame_equal(one.reasons, other.reasons)


@pytest.mark.parametrize(
    ("sliders", "says"),
    [
        ({"Jazz": 1.0}, "no concept 'Jazz'"),
        ({9999: 1.0}, "no feature 9999"),
        ({3: float("nan")}, "feature 3 is steered by nan: give a number"),
        ({3: None}, "feature 3 is steered by None"),
        ({3: "loud"}, "feature 3 is steered by 'loud'"),
    ],
)
def test_sliders_that_cannot_be(study, history, sliders, says):
    with pytest.raises(InputError, match=says):
        equalize(study, history, sliders)


def test_histories_that_cannot_be(study, history):
    for given, says in (([history, history], "2 histories"), ([], "no histories"), (["nothing"], "unknown")):
        with pytest.raises(InputError, match=says):
            equalize(study, given, {})


# ---- finding items ----


@pytest.fixture(scope="module")
def hostile(study):
    """The same study, whose first titles are hostile."""
    other = interp.Study(study.folder, study.record)
    titles = [*HOSTILE.values(), "Film, The (1999)", "Film, The (2001)"]
    items = study.items.assign(title=titles + study.items["title"].iloc[len(titles) :].tolist())
    items.iloc[8:10, items.columns.get_loc("popularity")] = [1, 2]
    other.__dict__.update(items=items, recommender=study.recommender)  # in place of what the tables say
    return other


def test_search_by_words_of_a_title_and_by_id(hostile):
    ids = hostile.items.index
    assert search(hostile, "AMELIE")["item"].tolist() == [ids[5]]  # "Amélie"
    assert search(hostile, "the film")["item"].tolist() == [ids[9], ids[8]]  # the popular one first
    assert search(hostile, "the film", limit=1)["item"].tolist() == [ids[9]]
    assert search(hostile, "the film 1999")["title"].tolist() == ["Film, The (1999)"]
    assert ids[20] in search(hostile, f" {ids[20]} ", limit=200)["item"].tolist()
    assert search(hostile, "  ").empty
    for endless in (" ".join(map(str, range(WORDS + 1))), "x" * (LONGEST + 1), "film " * 20_000):
        with pytest.raises(InputError, match=r"^the search is too long: 20 words and 200 characters are the most$"):
            search(hostile, endless)
    assert search(hostile, "nothing of the kind").empty


def test_a_pasted_history(study):
    a, b, c = study.items.index[:3].tolist()
    for text in (f"{a}, {b}, {c}", f"[{a!r}, {b!r}, {c!r}]", f"{a}\n{b};{c}\n", f' "{a}" {b}  {c} '):
        assert read_history(study, text) == [a, b, c]
    for text, says in (("", "no item id"), ("[ , ]", "no item id"), (f"{a}, nonsense", "no item 'nonsense'")):
        with pytest.raises(InputError, match=says):
            read_history(study, text)


# ---- how things show themselves ----


def test_hostile_titles_are_escaped_where_things_show_themselves(hostile):
    given, k = hostile.items.index[20:24].tolist(), len(hostile.items)  # everything else is listed
    found = equalize(hostile, given, {3: 1.0}, k)
    with pd.option_context("display.max_rows", None):
        listed = hostile.recommend(given, k)._repr_html_()
    for shown in (found._repr_html_(), listed):
        assert "<script" not in shown
        assert "<img" not in shown
        assert "&lt;script&gt;" in shown
    assert HOSTILE["script"] in repr(found)
    assert max(map(len, found._repr_html_().split("\n"))) < 400  # the long title is cut


def test_a_recommendation_list_has_titles(study, history, concept):
    with study.recommender.steer({concept: 1.0}, unit="p99"):
        found, expected = study.recommend(history, 3), study.titles(study.recommender.recommend(history, 3))
    pd.testing.assert_frame_equal(found, expected)
    assert found["title"].notna().all()


def test_a_study_shows_itself(study, tmp_path):
    top = study.table("concepts").sort_values("correlation").iloc[-1]
    for shown in (repr(study), study._repr_html_()):
        assert f"{study.sae.n_features} features at {study.site}" in shown
        assert f"{top['concept']} {top['feature']} ({top['correlation']:.2f})" in shown
        measured = study.table("recommender").iloc[0]
        assert f"{with_interval(*measured[['ndcg@10', 'ndcg@10_low', 'ndcg@10_high']], '.3f')} on test users" in shown
    odd = handmade_study(tmp_path)  # its tables lack what is shown
    assert "&lt;tiny &amp; odd&gt;" in odd._repr_html_()
    assert str(tmp_path) in repr(odd)


def test_shortened():
    assert short_title(" a\nb ") == "a b"
    assert short_title("x" * 80) == "x" * 80
    assert short_title("x" * 81) == "x" * 79 + "…"


def test_a_missing_package_says_what_to_install():
    with (
        pytest.raises(InputError, match=r"nowhere is not installed: pip install anywidget werkzeug"),
        needing("anywidget", "werkzeug"),
    ):
        import nowhere  # noqa: F401
