"""Doses against one steer after another, for all users and for each of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from interp.activations.feature_matrix import encode, statistics, units_of
from interp.analyses.doses.tables import dose_rows
from interp.concepts import Concepts, concepts_of
from interp.concepts.alignment import align
from interp.control.dose_search import Goal, Search
from interp.control.doses import FINER, GRID, find_dose
from interp.control.receipts import steering_receipt
from interp.control.user_doses import GRID as USER_GRID
from interp.control.user_doses import find_user_doses
from interp.model.envoys import RecommenderEnvoy
from interp.steering.parsing import Meanings
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError
from recmodels.metrics import ndcg

TARGET, SHARE, REACH, K = "concept-02", 0.6, 8.0, 5
FEW = Resampling(resamples=50)


class World:
    """The small recommender with its dictionary, and the features that are aligned with one of the concepts."""

    def __init__(self, recommender, sae, stores, planted, histories):
        self.rec, self.sae, self.users = RecommenderEnvoy(recommender, sae), sae, histories
        self.concepts = concepts_of(planted.items, "concepts")
        activations = encode(stores["test"], sae)
        aligned = align(activations, self.concepts.labels(stores["test"].rows["item"]), self.concepts.names)
        self.alignment = aligned.table()
        mine = self.alignment[self.alignment["concept"] == TARGET]
        self.features = mine.nlargest(3, "correlation")["feature"].tolist()
        self.units = statistics(activations)["p99"]
        ids = recommender.vocabulary.ids
        self.popularity = pd.Series(np.arange(1, len(ids) + 1), ids)
        self.known = {code for code, item in enumerate(ids) if self.has(item)}

    def has(self, item):
        return self.concepts.labels([item])[0, self.concepts.index(TARGET)]

    def dose(self, users=None, share=SHARE, features=None, target=TARGET, find=find_dose, **options):
        users = self.users if users is None else users
        features = self.features if features is None else features
        receipt_on, goal = options.pop("receipt_on", None), {"k": options.pop("k", K)}
        goal["at_most"] = options.pop("at_most", False)
        search = self.search(Goal(target, share, **goal), features, **options)
        return find(search, users) if receipt_on is None else find(search, users, receipt_on)

    def search(self, goal, features, **changed):
        usual = {"units": self.units, "reach": REACH, "resampling": FEW}
        return Search(self.rec, self.concepts, self.popularity, goal, features, **usual | changed)

    def steered(self, inputs, n, amount):
        """Lists with the first n features at an amount, the slow way."""
        with self.rec.steer({feature: amount * self.units[feature] for feature in self.features[:n]}):
            return self.rec.rank(inputs, K)

    def share(self, items):
        """Of one user's list, counted item by item."""
        return sum(item in self.known for item in items) / K


@pytest.fixture(scope="module")
def world(recommender, sae, stores, planted, histories):
    return World(recommender, sae, stores, planted, histories)


@pytest.fixture(scope="module")
def dose(world):
    return world.dose()


@pytest.fixture(scope="module")
def each(world):
    return world.dose(find=find_user_doses, share=0.8, reach=2.0)


# ---- what is asked ----


def test_goals_by_hand():
    more, less = Goal("x", 0.4), Goal("x", 0.4, at_most=True, k=5)
    assert more.is_met(np.array([0.3, 0.4, 0.5])).tolist() == [False, True, True]
    assert less.is_met(np.array([0.3, 0.4, 0.5])).tolist() == [True, True, False]
    assert more.is_met(np.mean([0.1, 0.7]))  # which is 0.39999…
    shares = np.array([[0.1, 0.5, 0.2], [0.5, 0.1, 0.3], [0.6, 0.4, 0.3]])
    assert more.first(shares).tolist() == [1, 0, 1]  # reached late, at once, and never: closest
    assert less.first(shares).tolist() == [0, 1, 0]
    assert str(more) == "at least 40% x in the top 10"
    assert [str(Goal("x", share)).split()[2] for share in (0.07, 0.999, 0.125, 1.0)] == ["7%", "99.9%", "12.5%", "100%"]
    assert str(less) == "at most 40% x in the top 5"


def test_units_by_hand():
    assert units_of(None, 2).tolist() == [1, 1]
    assert units_of(pd.Series([5.0, 4.0], index=[1, 0]), 2).tolist() == [4, 5]
    for wrong in ([1.0], [1.0, -1.0], [1.0, np.nan]):
        with pytest.raises(InputError, match="units has shape"):
            units_of(wrong, 2)


# ---- one dose for all ----


def test_a_dose_is_the_best_of_the_smallest_amounts(world, dose):
    """Against a search that steers once for every amount."""
    inputs, truth = world.users.split_last()
    found = []
    for n in (1, 2, 3):

        def mean(amount, n=n):
            return np.mean([world.share(items) for items in world.steered(inputs, n, amount)])

        step = REACH / GRID
        coarse = next(place for place in range(1, GRID + 1) if mean(place * step) >= SHARE - 1e-9)
        fine = [(coarse - 1 + part / FINER) * step for part in range(FINER + 1)]
        amount = next(amount for amount in fine if mean(amount) >= SHARE - 1e-9)
        found.append((n, amount, mean(amount), ndcg(world.steered(inputs, n, amount), truth)))
    tried = dose.trials.iloc[1:]
    np.testing.assert_allclose(tried[["n_features", "amount", "share", "ndcg"]].to_numpy(), found)
    n, amount, share, _ = max(found, key=lambda one: (one[3], -one[0]))
    assert (dose.reached, dose.features) == (True, tuple(world.features[:n]))
    assert (dose.amount, dose.share_after) == pytest.approx((amount, share))
    values = {edit.feature: edit.value for edit in dose.steer.edits}
    assert values == pytest.approx({f: amount * world.units[f] for f in world.features[:n]})
    assert f"{dose.share_before:.1%} → {share:.1%} with" in dose.answer


def test_the_receipt_is_that_of_the_steer(world, dose):
    receipt = dose.receipt
    mine = receipt.shares.set_index("concept").loc[TARGET]
    assert (mine["before"], mine["after"]) == pytest.approx((dose.share_before, dose.share_after))
    assert receipt.shares.loc[receipt.shares["target"], "concept"].tolist() == [TARGET]
    assert receipt.n_users == dose.n_users == len(world.users)
    assert "receipt, on the same users" in repr(dose)
    assert repr(receipt) in repr(dose)


def test_a_receipt_on_other_users(world):
    some, others = world.users.select(slice(0, 30)), world.users.select(slice(30, None))
    dose = world.dose(some, receipt_on=others, features=world.features[:1])
    assert dose.n_users == 30
    made = steering_receipt(
        world.rec, others, dose.steer, world.concepts, world.popularity, K, targets=[TARGET], resampling=FEW
    )
    pd.testing.assert_frame_equal(dose.receipt.shares, made.shares)
    pd.testing.assert_frame_equal(dose.receipt.measures, made.measures)
    assert "receipt, on other users" in repr(dose)


def test_there_already(world):
    dose = world.dose(share=0.01)
    assert dose.reached
    assert dose.steer.empty
    assert (dose.features, dose.amount, dose.share_after) == ((), 0, dose.share_before)
    assert "there without steering" in dose.answer
    assert dose.receipt.measures.set_index("measure").at["overlap", "after"] == 1


def test_out_of_reach(world):
    dose = world.dose(share=1.0, reach=0.5)
    assert not dose.reached
    assert dose.share_after == dose.trials["share"].max() > dose.share_before
    assert f"out of reach; closest is {dose.share_before:.1%} → {dose.share_after:.1%} with" in dose.answer
    assert not dose.steer.empty


def test_nothing_comes_closer(world):
    """A feature that, set to nearly nothing, only takes away."""
    dose = world.dose(share=1.0, features=world.features[:1], reach=1e-6)
    assert (dose.reached, dose.features, dose.steer.empty) == (False, (), True)
    assert "out of reach; no steer comes closer" in dose.answer


def test_less_of_a_concept(world):
    before = world.dose(share=0.01).share_before
    dose = world.dose(share=before / 2, at_most=True, features=world.features[:1])
    assert dose.reached
    assert dose.amount <= 0
    assert dose.share_after <= before / 2
    inputs, _ = world.users.split_last()
    smaller = dose.amount + REACH / GRID / FINER
    lists = world.steered(inputs, 1, smaller)
    assert np.mean([world.share(items) for items in lists]) > before / 2
    assert dose.answer.startswith("at most ")
    assert world.dose(share=0.0, at_most=True, reach=1.0, features=world.features[:1]).share_after < before


def test_without_truths_what_stays_of_the_lists_decides(world):
    inputs, _ = world.users.split_last()
    dose = world.dose(inputs.last(1))
    reaching = dose.trials[dose.trials["reached"]]
    assert dose.trials["ndcg"].isna().all()
    assert len(reaching) > 1
    best = reaching.loc[reaching["overlap"].idxmax()]
    assert (dose.amount, len(dose.features)) == (best["amount"], best["n_features"])
    assert not dose.receipt.measures["measure"].str.startswith("ndcg").any()


def test_the_papers_replacement_of_the_layer(world):
    dose = world.dose(features=world.features[:1], reconstruct="all")
    assert dose.steer.reconstruct == "all"
    with world.rec.steer(dose.steer):
        lists = world.rec.rank(world.users.split_last()[0], K)
    assert np.mean([world.share(items) for items in lists]) == pytest.approx(dose.share_after)
    assert world.dose(share=0.01, reconstruct="all").steer.empty


@pytest.mark.parametrize("find", [find_dose, find_user_doses])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"share": 1.4}, "share is 1.4: give a share"),
        ({"share": 0.0}, "above 0"),
        ({"share": float("nan")}, "share is nan"),
        ({"target": "Nonsense"}, "no concept 'Nonsense': choose one of concept-00"),
        ({"features": []}, "no features given"),
        ({"features": 3}, "no features given: pass a list"),
        ({"features": [3, 64]}, "no feature 64: this dictionary has features 0 to 63"),
        ({"users": []}, "no histories given"),
        ({"reach": 0.0}, "reach is 0.0"),
        ({"units": [1.0]}, "units has shape"),
        ({"units": [0.0] * 64, "features": [3]}, "feature 3 has the unit 0"),
        ({"site": "blocks.9"}, "no site 'blocks.9'"),
    ],
)
def test_mistakes_are_answered_in_one_line(world, find, changed, message):
    with pytest.raises(InputError, match=message) as caught:
        world.dose(find=find, **changed)
    assert "\n" not in str(caught.value)


def test_no_histories_of_any_form(world):
    with pytest.raises(InputError, match="no histories given"):
        world.dose(world.users.select(slice(0, 0)))


@pytest.mark.parametrize("find", [find_dose, find_user_doses])
def test_names_are_escaped(world, find):
    names = ["<b>bold</b>" if name == TARGET else name for name in world.concepts.names]
    renamed = Concepts(names, world.concepts.items, world.concepts.matrix)
    few = world.users.select(slice(0, 6))
    search = replace(world.search(Goal("<b>bold</b>", 0.4, k=K), world.features[:1]), concepts=renamed)
    found = find(search, few)
    html = found._repr_html_()
    assert "at least 40% &lt;b&gt;bold&lt;/b&gt; in the top 5" in html
    assert "<b>bold" not in html
    assert "<script" not in html
    assert "<table>" in html


# ---- a dose for each ----


def test_every_user_has_the_smallest_amount_of_their_own(world, each):
    """Against a search user by user, on lists that were steered once for every amount."""
    inputs, _ = world.users.split_last()
    grid, plain = np.linspace(0, 2.0, USER_GRID + 1), world.rec.rank(inputs, K)
    steered = {n: [world.steered(inputs, n, amount) for amount in grid] for n in (1, 2, 3)}
    for user, row in enumerate(each.users.itertuples()):
        before = world.share(plain[user])
        best = (3.0 if before >= 0.8 else before, 0, 0.0, before)
        for n in (1, 2, 3):
            shares = [world.share(lists[user]) for lists in steered[n]]
            first = next((a for a, share in enumerate(shares) if share >= 0.8), int(np.argmax(shares)))
            kept = len(set(plain[user]) & set(steered[n][first][user])) / K
            worth = 2 + kept if shares[first] >= 0.8 else shares[first]
            if worth > best[0]:
                best = (worth, n, grid[first], shares[first])
        assert (row.n_features, row.amount, row.share_after) == pytest.approx(best[1:])
        assert row.reached == (best[3] >= 0.8)
        assert row.share_before == pytest.approx(before)


def test_there_are_users_of_all_kinds(each):
    users = each.users
    there = users["share_before"] >= 0.8
    assert 0 < there.sum() < users["reached"].sum() < len(users)
    assert (users.loc[there, "n_features"] == 0).all()
    assert each.out_of_reach == users.loc[users["share_after"] < 0.8 - 1e-9, "user"].tolist()
    assert not each.reached
    assert each.answer.startswith(
        f"at least 80% {TARGET} in the top 5 of each user: {there.sum()} of {len(users)} users have it without steering"
    )
    assert f"; out of reach for {len(each.out_of_reach)}: {each.out_of_reach[0]}" in each.answer


def test_the_steer_names_the_steered_users_and_their_values(world, each):
    users = each.users.set_index("user")
    for place, edit in enumerate(each.steer.edits):
        assert (edit.feature, edit.op, edit.at) == (world.features[place], "set", "last")
        named = users[users["n_features"] > place]
        assert edit.value == pytest.approx((named["amount"] * world.units[edit.feature]).to_dict())
    assert len(each.steer.edits) == users["n_features"].max()
    assert each.receipt.n_users == len(users)
    with world.rec.steer(each.steer):
        lists = world.rec.rank(world.users.split_last()[0], K)
    assert [world.share(items) for items in lists] == pytest.approx(users["share_after"].tolist())
    mine = each.receipt.shares.set_index("concept").loc[TARGET]
    assert (mine["before"], mine["after"]) == pytest.approx((users["share_before"].mean(), users["share_after"].mean()))


def test_nobody_needs_a_dose(world):
    found = world.dose(find=find_user_doses, share=1.0, at_most=True)
    assert found.steer.empty
    assert found.reached
    assert found.out_of_reach == []
    assert found.answer.endswith(f"{len(world.users)} of {len(world.users)} users have it without steering")


def test_two_histories_of_one_user(world):
    twice = world.users.select(np.array([0, 1, 0]))
    with pytest.raises(InputError, match="has two histories: give one for each"):
        world.dose(twice, find=find_user_doses)


# ---- the table ----


def test_the_table_is_what_the_functions_say(world):
    found_on, test = world.users.select(slice(0, 30)), world.users.select(slice(30, None))
    plenty = "concept-06"
    best = {
        name: tuple(rows.nlargest(4, "correlation")["feature"]) for name, rows in world.alignment.groupby("concept")
    }
    meanings = Meanings(best, pd.DataFrame({"p99": world.units}))
    given = (world.concepts, world.popularity, meanings)
    table = dose_rows(world.rec, "blocks.0", found_on, test, [TARGET, plenty], *given, share=0.2)
    assert len(table) == 8
    rows = table.set_index(["target", "method", "part"])
    for target in (TARGET, plenty):
        asked = rows.at[(target, "population", "test"), "asked"]
        features = best[target][:3]
        search = Search(world.rec, world.concepts, world.popularity, Goal(target, asked), features, units=world.units)
        dose = find_dose(search, found_on, receipt_on=test)
        assert asked == (0.2 if target == TARGET else round(dose.share_before + 0.2, 2))
        on, there = (rows.loc[(target, "population", part)] for part in ("found_on", "test"))
        assert (on["reached"], on["share_after"], on["users"]) == (dose.reached, pytest.approx(dose.share_after), 30)
        made = dose.receipt.measures.set_index("measure").loc["ndcg@10"]
        for column in ("before", "after", "change", "change_low", "change_high"):
            assert there[f"ndcg_{column}"] == made[column]
        each = find_user_doses(search, test)
        own = rows.loc[(target, "user", "test")]
        assert own["own_after"] == each.users["reached"].mean()
        assert own["own_before"] == there["own_before"] == (each.users["share_before"] >= asked - 1e-9).mean()
        assert own["amount"] == each.users.loc[each.users["n_features"] > 0, "amount"].median()
