import numpy as np
import pytest
import torch

from interp.control.group_lists import group_lists, standardise
from recmodels.errors import InputError


@pytest.fixture
def ids(rec):
    return rec.recommender.vocabulary.ids


@pytest.fixture
def groups(ids):
    return {"sofa": [ids[[3, 5, 8]].tolist(), ids[[40, 41]].tolist()], "car": {"ann": ids[[7, 9]].tolist()}}


def by_hand(rec, members, how):
    """Every item's score for a group, −inf for what a member has: member after member, in numpy."""
    standard, seen = [], set()
    for items in members:
        scores = rec.score(rec.recommender.histories([items]))[0].double().numpy()
        standard.append((scores - scores.mean()) / scores.std())
        seen |= set(rec.recommender.vocabulary.encode(items).tolist())
    together = np.mean(standard, axis=0) if how == "average" else np.min(standard, axis=0)
    together[list(seen)] = -np.inf
    return together


@pytest.mark.parametrize("how", ["average", "least_misery"])
@pytest.mark.parametrize("edits", [{}, {2: 5.0}])
def test_lists_are_those_by_hand(rec, ids, groups, how, edits):
    with rec.steer(rec.steer_of(edits)):
        lists = group_lists(rec, groups, k=6, how=how)
        expected = {
            "sofa": by_hand(rec, groups["sofa"], how),
            "car": by_hand(rec, groups["car"].values(), how),
        }
    assert lists.columns.tolist() == ["group", "rank", "item", "score"]
    assert lists["group"].tolist() == ["sofa"] * 6 + ["car"] * 6
    for name, scores in expected.items():
        rows = lists[lists["group"] == name]
        order = np.argsort(-scores, kind="stable")[:6]
        assert rows["rank"].tolist() == [1, 2, 3, 4, 5, 6]
        assert rows["item"].tolist() == ids[order].tolist()
        assert rows["score"].tolist() == pytest.approx(scores[order], abs=1e-5)


def test_a_group_of_one_gets_its_own_list(rec, groups):
    one = groups["car"]["ann"]
    for how in ("average", "least_misery"):
        assert group_lists(rec, {0: [one]}, 7, how)["item"].tolist() == rec.recommend(one, 7)["item"].tolist()


def test_nobody_gets_what_another_member_has(rec, histories):
    members = histories.select(np.arange(4))
    lists = group_lists(rec, {"all": members}, k=500)
    had = set(rec.recommender.vocabulary.decode(members.codes))
    assert had
    assert set(lists["item"]) == set(rec.recommender.vocabulary.ids) - had


def test_the_unhappiest_member_is_happier_with_least_misery(rec, histories):
    members = histories.select(np.arange(3))
    each = rec.score(members).double()
    lowest = ((each - each.mean(1, keepdim=True)) / each.std(1, correction=0, keepdim=True)).amin(0).numpy()
    misery = {}
    for how in ("average", "least_misery"):
        items = group_lists(rec, {"all": members}, 10, how)["item"]
        misery[how] = lowest[rec.recommender.vocabulary.encode(items)].sum()
    assert misery["least_misery"] > misery["average"]


def test_groups_may_have_any_names(rec, groups):
    named = {("a", 1): groups["sofa"], ("b", 2): groups["car"]}
    assert group_lists(rec, named, k=2)["group"].tolist() == [("a", 1)] * 2 + [("b", 2)] * 2


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ({}, {}, "there are no groups"),
        ({"all": []}, {}, "no histories given"),
        ({"all": [["nothing"]]}, {}, "unknown to this recommender"),
        ({"all": [[1]]}, {"how": "dictator"}, "choose one of average, least_misery"),
        ({"all": [[1]]}, {"k": 0}, "at least one item"),
    ],
)
def test_mistakes(rec, given, options, message):
    with pytest.raises(InputError, match=message):
        group_lists(rec, given, **options)


def test_a_member_to_whom_all_items_are_alike_says_nothing():
    """Scores that are all equal have no standard deviation to divide by; one item alone has none either."""
    found = standardise(torch.tensor([[0.1, 0.1, 0.1], [1.0, 2.0, 3.0]]))
    np.testing.assert_allclose(found, [[0, 0, 0], [-(1.5**0.5), 0, 1.5**0.5]], rtol=1e-6)
    assert standardise(torch.tensor([[7.0]])).tolist() == [[0]]
