import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from interp.concepts import concepts_of
from interp.control.intervals import diversity, exposure_and_jackknife, of_means
from interp.control.receipts import receipt, steering_receipt
from interp.control.sweeps import concept_shares, user_overlap
from interp.steering.edits import Edit, Steer
from recmodels import metrics
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError
from recmodels.ranking import list_metrics

# Six items, of which 0 and 1 make 80% of the interactions; two concepts.
POPULARITY = np.array([50, 30, 10, 5, 4, 1])
LABELS = np.array([[1, 0], [0, 1], [1, 1], [0, 0], [0, 1], [1, 0]], dtype=bool)
BEFORE = np.array([[0, 1], [0, 1], [0, 2], [1, 0]])
AFTER = np.array([[0, 1], [4, 5], [2, 0], [3, -1]])
TRUTH = np.array([1, 5, 0, 3])
FEW = Resampling(resamples=200)


@pytest.fixture(scope="module")
def drawn():
    """Lists of 300 users from 80 items before and after a steer, some of them short, and what is known of the items."""
    rng = np.random.default_rng(0)
    weight = np.arange(1, 81) ** -0.8

    def lists(flattened):
        keys = np.log(weight) * (1 - flattened) + rng.gumbel(size=(300, 80))
        return np.argsort(-keys, axis=1)[:, :5]

    before, after = lists(0.0), lists(0.6)
    after[::3] = before[::3]
    before[5, 3:], after[7] = -1, -1
    return before, after, rng.random((80, 3)) < 0.3, np.round(1000 * weight), rng.integers(0, 80, 300)


def made(drawn, **options):
    before, after, labels, popularity, truth = drawn
    return receipt(before, after, labels, ["a", "b", "c"], popularity, truth, **options)


def test_by_hand():
    found = receipt(BEFORE, AFTER, LABELS, ["red", "blue"], POPULARITY, TRUTH, targets=["blue"])
    assert (found.n_users, found.k, found.level) == (4, 2, 0.95)
    rows = found.measures.set_index("measure")[["before", "after", "change"]]
    expected = {
        "overlap": (1, 0.5),  # 2/2, 0/2, 2/2, 0/2
        "ndcg@2": ((1 / math.log2(3) + 1) / 4, (2 / math.log2(3) + 1 / math.log2(3) + 1) / 4),
        "hit_rate@2": (0.5, 1),
        "long_tail_share@2": (1 / 8, (0 + 1 + 0.5 + 1) / 4),
        "mean_popularity@2": ((40 + 40 + 30 + 40) / 4, (40 + 2.5 + 30 + 5) / 4),
        "coverage@2": (0.5, 1),
        # Sorted counts: 0 0 0 1 3 4 and 1 1 1 1 1 2.
        "gini@2": ((1 + 3 * 3 + 5 * 4) / (6 * 8), (-5 - 3 - 1 + 1 + 3 + 5 * 2) / (6 * 7)),
        "diversity@2": (metrics.inter_list_diversity(BEFORE), metrics.inter_list_diversity(AFTER)),
    }
    assert list(rows.index) == list(expected)
    for name, (before, after) in expected.items():
        assert rows.loc[name].tolist() == pytest.approx([before, after, after - before]), name
    shares = found.shares.set_index("concept")
    assert shares["target"].tolist() == [False, True]
    assert shares["before"].tolist() == pytest.approx([(0.5 + 0.5 + 1 + 0.5) / 4, 0.5])
    assert shares["after"].tolist() == pytest.approx([(0.5 + 0.5 + 1 + 0) / 4, (0.5 + 0.5 + 0.5 + 0) / 4])
    users = found.users
    assert users["concept"].isna().tolist() == [True] * 7 + [False] * 7
    assert users.loc[users["quantile"] == 0.5, "value"].tolist() == [0.5, 0]
    assert users.loc[users["quantile"] == 0, "value"].tolist() == [0, -0.5]


def test_estimates_are_those_of_the_metrics(drawn):
    before, after, labels, popularity, truth = drawn
    found = made(drawn, resampling=FEW, head=0.7)
    measures, catalogue = found.measures.set_index("measure"), np.arange(80)
    for side, lists in (("before", before), ("after", after)):
        expected = {
            **list_metrics(lists, truth, catalogue),
            "gini@5": metrics.gini(lists, catalogue),
            "long_tail_share@5": metrics.long_tail_share(lists, popularity, 0.7),
            "mean_popularity@5": metrics.mean_popularity(lists, popularity),
            "overlap": user_overlap(before, lists).mean(),
        }
        assert measures[side].to_dict() == pytest.approx(expected)
        assert found.shares[side].tolist() == pytest.approx(concept_shares(lists, labels))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_bounds_of_means_are_those_of_scipy(drawn, level):
    before, after, _, _, truth = drawn
    found = made(drawn, resampling=Resampling(level=level, seed=3)).measures.set_index("measure").loc["ndcg@5"]
    values = [metrics.user_ndcg(lists, truth) for lists in (before, after)]

    def ends(statistic):
        made = stats.bootstrap(
            values,
            statistic,
            n_resamples=1000,
            paired=True,
            vectorized=True,
            confidence_level=level,
            method="percentile",
            rng=np.random.default_rng(3),
        )
        return list(made.confidence_interval)

    for name, statistic in {
        "before": lambda x, y, axis: x.mean(axis=axis),
        "after": lambda x, y, axis: y.mean(axis=axis),
        "change": lambda x, y, axis: y.mean(axis=axis) - x.mean(axis=axis),
    }.items():
        assert found[[f"{name}_low", f"{name}_high"]].tolist() == pytest.approx(ends(statistic))


def test_diversity_of_resampled_users_is_over_pairs_of_different_ones(drawn):
    lists = drawn[1][:12]
    weights = np.random.default_rng(1).integers(0, 3, size=(4, 12)).astype(float)
    for row, found in zip(weights, diversity(weights, lists), strict=True):
        pairs = [
            (row[one] * row[other], metrics.inter_list_diversity(lists[[one, other]]))
            for one in range(12)
            for other in range(one)
        ]
        assert found == pytest.approx(sum(w * d for w, d in pairs) / sum(w for w, _ in pairs))
    assert diversity(np.ones((1, 12)), lists)[0] == pytest.approx(metrics.inter_list_diversity(lists))
    assert np.isnan(diversity(np.eye(12)[:1] * 3, lists)[0])


def test_many_resamples_of_a_large_catalogue_come_in_parts(drawn, monkeypatch):
    whole = made(drawn, resampling=FEW).measures
    monkeypatch.setattr("interp.control.intervals.CELLS", 500)
    pd.testing.assert_frame_equal(made(drawn, resampling=FEW).measures, whole)


@pytest.mark.parametrize("side", [0, 1])
def test_exposure_without_each_user_is_counted_again(drawn, side):
    lists = drawn[side]
    catalogue = np.arange(80)
    found, without = exposure_and_jackknife(lists, 80)
    assert found == pytest.approx([metrics.coverage(lists, catalogue), metrics.gini(lists, catalogue)])
    for user in range(len(lists)):
        others = np.delete(lists, user, axis=0)
        again = [metrics.coverage(others, catalogue), metrics.gini(others, catalogue)]
        assert without[user] == pytest.approx(again)


def test_bounds_of_coverage_are_the_jackknifes(drawn):
    before, after = (lists[:40] for lists in drawn[:2])
    found = receipt(before, after, drawn[2], ["a", "b", "c"], drawn[3], resampling=FEW).measures
    row = found.set_index("measure").loc["coverage@5"]
    kept = [np.delete(np.arange(40), user) for user in range(40)]
    changes = [np.isin(np.arange(80), after[k]).mean() - np.isin(np.arange(80), before[k]).mean() for k in kept]
    error = math.sqrt(39 / 40 * sum((change - np.mean(changes)) ** 2 for change in changes))
    assert row["change_high"] - row["change"] == pytest.approx(1.959964 * error)
    assert row["change"] - row["change_low"] == pytest.approx(1.959964 * error)
    assert found["interval"].value_counts().to_dict() == {"bootstrap": 4, "jackknife": 2}


def test_intervals_hold_what_other_users_would_give():
    """Of 100 samples of users, about 95% intervals hold the mean over many samples, for each kind of measure."""
    rng = np.random.default_rng(5)
    weight = np.log(np.arange(1, 201) ** -1.0)

    def lists():
        noise = rng.gumbel(size=(60, 200))
        return tuple(np.argsort(-(weight * tilt + noise), axis=1)[:, :5] for tilt in (1, 0.5))

    popularity = np.round(1000 * np.exp(weight))
    receipts = [
        receipt(*lists(), np.ones((200, 1), bool), ["any"], popularity, resampling=FEW).measures for _ in range(100)
    ]
    for measure in ("long_tail_share@5", "coverage@5", "gini@5", "diversity@5"):
        rows = pd.DataFrame([found.set_index("measure").loc[measure] for found in receipts])
        for column in ("before", "after", "change"):
            truth = rows[column].mean()
            held = ((rows[f"{column}_low"] <= truth) & (truth <= rows[f"{column}_high"])).mean()
            assert held >= 0.88, (measure, column)


def test_bounds_of_shares_are_shares():
    found = receipt(BEFORE, AFTER, LABELS, ["red", "blue"], POPULARITY, resampling=FEW).measures.set_index("measure")
    row = found.loc["coverage@2"]
    assert row[["after", "after_high"]].tolist() == [1, 1]
    assert 0 < row["after_low"] < 1
    assert row["change_high"] > 0.5


def test_a_steer_of_nothing_changes_nothing(drawn):
    before, _, labels, popularity, truth = drawn
    found = receipt(before, before.copy(), labels, ["a", "b", "c"], popularity, truth, resampling=FEW)
    for table in (found.measures, found.shares):
        assert not table[["change", "change_low", "change_high"]].to_numpy().any()


def test_without_truth_there_are_no_ranking_metrics(drawn):
    before, after, labels, popularity, _ = drawn
    found = receipt(before, after, labels, ["a", "b", "c"], popularity, resampling=FEW)
    named = set(found.measures["measure"])
    assert not {"ndcg@5", "hit_rate@5"} & named
    assert {"overlap", "coverage@5", "diversity@5"} <= named


def test_the_seed_and_nothing_else_decides(drawn):
    pd.testing.assert_frame_equal(made(drawn).measures, made(drawn).measures)
    assert not made(drawn).measures.equals(made(drawn, resampling=Resampling(seed=1)).measures)


def test_one_user_has_no_intervals():
    found = receipt(BEFORE[:1], AFTER[:1], LABELS, ["red", "blue"], POPULARITY, TRUTH[:1], resampling=FEW)
    rows = found.measures.set_index("measure")
    assert rows.loc["hit_rate@2", "after"] == 1
    assert rows.loc["diversity@2", ["before", "after", "change"]].isna().all()
    for table in (found.measures, found.shares):
        assert table.filter(regex="_(low|high)$").isna().all(axis=None)
    title, _, *lines = repr(found).splitlines()
    assert title == "1 user, top 2, no intervals"
    assert all(line.endswith(" –") for line in lines)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_mean_that_one_user_of_several_has_is_without_interval():
    """By hand: the second column is known for the first user alone, the first one for both."""
    before, after = np.array([[0.0, 0.5], [1.0, np.nan]]), np.array([[1.0, 0.75], [1.0, np.nan]])
    both, single = of_means(before, after, FEW).to_dict("records")
    assert (both["before"], both["before_low"], both["before_high"]) == (0.5, 0, 1)
    assert (single["before"], single["after"], single["change"]) == (0.5, 0.75, 0.25)
    assert all(np.isnan(value) for name, value in single.items() if name.endswith(("_low", "_high")))


def test_it_shows_itself(drawn):
    before, after, labels, popularity, truth = drawn
    names = ["<b>bold</b>", "b", "c"]
    found = receipt(before, after, labels, names, popularity, truth, targets=names[:1], resampling=FEW)
    lines = repr(found).splitlines()
    assert lines[0] == "300 users, top 5, 95% intervals over users"
    assert lines[2].startswith("share of <b>bold</b>")
    assert lines[3].startswith("overlap")
    assert len({line.index("[") for line in lines[2:]}) == 1
    html = found._repr_html_()
    assert "share of &lt;b&gt;bold&lt;/b&gt;" in html
    assert "<b>bold" not in html
    assert "<script" not in html
    untargeted = repr(made(drawn, resampling=FEW))
    assert all(f"share of {name}" in untargeted for name in "abc")


def test_as_json_and_back(drawn):
    found = made(drawn, targets=["b"], resampling=FEW)
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (read["n_users"], read["k"], read["level"]) == (300, 5, 0.95)
    pd.testing.assert_frame_equal(pd.DataFrame(read["measures"]), found.measures)
    pd.testing.assert_frame_equal(pd.DataFrame(read["shares"]), found.shares)
    assert read["users"][0]["concept"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"after": AFTER[:3]}, "the same users"),
        ({"before": AFTER[:0], "after": AFTER[:0]}, "at least one user"),
        ({"truth": TRUTH[:3]}, "one for each"),
        ({"labels": LABELS[:5]}, "a row per item"),
        ({"after": AFTER + 1}, "beyond the 6"),
        ({"targets": ["green"]}, "no concept 'green'"),
    ],
)
def test_mistakes(change, message):
    given = {"before": BEFORE, "after": AFTER, "labels": LABELS, "truth": TRUTH, "popularity": POPULARITY}
    with pytest.raises(InputError, match=message):
        receipt(**given | {"concepts": ["red", "blue"]} | change)


@pytest.mark.parametrize("wrong", [{"resamples": 0}, {"level": 1.0}, {"level": 0.0}])
def test_wrong_resampling(wrong):
    with pytest.raises(InputError):
        Resampling(**wrong)


@pytest.fixture
def counts(split, rec):
    found = split.recommender["item"].value_counts()
    return found.reindex(rec.recommender.vocabulary.ids, fill_value=0)


def test_of_a_steer(rec, sae, histories, planted, counts):
    concepts, few = concepts_of(planted.items, "concepts"), histories.select(np.arange(30))
    feature = int(sae.encode(rec_hidden(rec, few)).mean(dim=0).argmax())
    steer = Steer((Edit(feature, 6.0),), "blocks.0")
    found = steering_receipt(rec, few, steer, concepts, counts, k=5, targets=concepts.names[:1], resampling=FEW)

    inputs, truth = few.split_last()
    before = rec.rank(inputs, 5)
    with rec.steer(steer):
        after = rec.rank(inputs, 5)
    vocabulary = rec.recommender.vocabulary
    expected = receipt(
        before,
        after,
        concepts.labels(vocabulary.ids),
        concepts.names,
        counts.to_numpy(),
        truth,
        targets=concepts.names[:1],
        resampling=FEW,
    )
    assert found.to_dict() == expected.to_dict()
    assert found.measures.set_index("measure").loc["overlap", "after"] < 1


def test_of_a_steer_without_items_to_hold_out(rec, planted, counts):
    first = rec.recommender.vocabulary.ids[:3].tolist()
    histories = {"ann": first, "bob": first[:1]}
    steer, concepts = Steer((Edit(0, 3.0),), "blocks.0"), concepts_of(planted.items, "concepts")
    found = steering_receipt(rec, histories, steer, concepts, counts, k=4, resampling=FEW)
    assert found.n_users == 2
    assert "ndcg@4" not in set(found.measures["measure"])
    with pytest.raises(InputError, match="has no popularity"):
        steering_receipt(rec, histories, steer, concepts, counts.iloc[1:], k=4)


def rec_hidden(rec, histories):
    with rec.trace(histories):
        hidden = rec.blocks[0].output.save()
    return hidden[:, -1]


def test_every_concept_that_moved_beyond_its_interval_is_shown(drawn):
    """The target, and of the others those whose interval leaves out 0."""
    before, after, labels, popularity, truth = drawn
    labels = np.column_stack([labels, np.isin(np.arange(80), before[:, 0]), np.zeros(80, dtype=bool)])
    found = receipt(before, after, labels, ["a", "b", "c", "d", "never"], popularity, truth, targets=["b"])
    shares = found.shares.set_index("concept")
    beyond = shares.index[(shares["change_low"] > 0) | (shares["change_high"] < 0)].tolist()
    assert "d" in beyond
    assert "never" not in beyond
    assert sorted(found.moved["concept"]) == sorted(beyond)
    text = repr(found)
    assert [name for name in shares.index if f"share of {name} " in text] == sorted({"b", *beyond})
