"""The recommender beside the most popular items: numbers by hand, and a study of three epochs that is told so."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from browsers import embedded
from pages import beside_popular as table

import interp
from interp.analyses.most_popular.claims import better_than_most_popular
from interp.analyses.most_popular.tables import beside
from interp.config import StudyConfig
from interp.pages.dashboard import page_data
from interp.pages.export import export
from interp.pages.report import report_data
from interp.pages.summary import summary
from interp.pipeline.run import run
from interp.sae_config import SAEConfig
from interp.study.beside_popular import judge
from recmodels.config import TrainingConfig
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.metrics import coverage, ndcg

# ---- by hand ----

LISTS = np.array([[2, 1], [4, 0], [3, 2]])
POPULAR = np.array([[1, 2], [0, 3], [0, 1]])
TRUTH = np.array([1, 4, 0])
SECOND = 1 / np.log2(3)  # the gain of the second place


@pytest.fixture
def measures():
    return beside(LISTS, POPULAR, TRUTH, 5).set_index("measure")


def test_hit_rates_by_hand(measures):
    """Hits 1, 1, 0 against 1, 0, 1: both 2/3 with s² = 1/3; the differences 0, 1, −1 have s = 1."""
    row = measures.loc["hit_rate@2"]
    assert row[["recommender", "most_popular"]].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert row[["recommender_se", "most_popular_se"]].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert (row["difference"], row["difference_se"]) == pytest.approx((0, 1 / np.sqrt(3)))
    # Resampled means of 0, 1 and −1 reach −1 and 1 in one case of 27 each, more often than 2.5%.
    assert row[["difference_low", "difference_high"]].tolist() == [-1, 1]


def test_ndcg_by_hand(measures):
    row = measures.loc["ndcg@2"]
    assert row["recommender"] == pytest.approx((SECOND + 1) / 3)
    assert row["most_popular"] == pytest.approx(2 / 3)
    assert row["difference"] == pytest.approx((SECOND - 1) / 3)
    gaps = np.array([SECOND - 1, 1, -1])
    spread = np.square(gaps - gaps.mean()).sum() / 2
    assert row["difference_se"] == pytest.approx(np.sqrt(spread / 3))


def test_coverage_by_hand(measures):
    """All 5 of 5 items against 4. Without a user: 4, 3, 4 items against 3, 3, 4; differences 1, 0, 0.

    Each time, the squared deviations from the mean are 6/9 of an item², and the jackknife takes 2/3 of their sum.
    """
    row = measures.loc["coverage@2"]
    assert row[["recommender", "most_popular", "difference"]].tolist() == pytest.approx([1.0, 0.8, 0.2])
    error = np.sqrt(2 / 3 * 6 / 9) / 5
    errors = row[["recommender_se", "most_popular_se", "difference_se"]].astype(float)
    assert errors.tolist() == pytest.approx([error, error, error])
    assert row["difference_high"] == pytest.approx(0.2 + 1.959964 * error)


def test_one_user_has_no_errors():
    row = beside(LISTS[:1], POPULAR[:1], TRUTH[:1], 5).set_index("measure").loc["ndcg@2"]
    assert row["difference"] == pytest.approx(SECOND - 1)
    assert row[["recommender_se", "difference_se", "difference_low", "difference_high"]].isna().all()


# ---- the verdict ----


@pytest.mark.parametrize(
    ("popular", "better", "says"),
    [
        (0.05, True, ""),
        (0.11, None, "It cannot be told whether this recommender is better"),
        (0.12, False, "This recommender is no better than recommending the most popular items"),
        (0.30, False, "This recommender is no better than recommending the most popular items"),
    ],
)
def test_the_verdict_follows_the_interval(popular, better, says):
    verdict, claim = judge(table(0.12, popular)), better_than_most_popular(table(0.12, popular), False)
    assert verdict.better is better
    assert (claim.holds, claim.unclear) == (better, better is None)
    assert verdict.warning.startswith(says)
    assert bool(verdict.warning) == bool(says)
    assert f"NDCG@10 0.120 ± 0.020 against {popular:.3f} ± 0.010 on 40 test users" in claim.measured
    assert ("cannot tell" in claim.measured) is (better is None)
    seen = better_than_most_popular(table(0.12, popular), True)  # it may have been trained on the test users
    assert (seen.holds, seen.unclear) == ((False, False) if better is False else (None, True))
    assert ("trained on these users and items: cannot tell" in seen.measured) is (better is True)


# ---- a study of three epochs ----

WEAK = StudyConfig(
    training=TrainingConfig(
        max_history=8, hidden_size=8, num_hidden_layers=1, windows="all", learning_rate=1e-4, max_epochs=3
    ),
    sae=SAEConfig(n_features=16, steps=40, batch_size=64, warmup_steps=5, sparsity_warmup_steps=5),
    min_support=2,
    values=(-1.0, 1.0),
)


@pytest.fixture(scope="module")
def world():
    return load(PlantedConfig(users=160, items=60, concepts=4, mean_length=10, popularity=1.2))


@pytest.fixture(scope="module")
def weak(world, tmp_path_factory):
    return run(replace(WEAK, out=tmp_path_factory.mktemp("weak") / "study"), world)


def test_a_weak_recommender_is_told_so_everywhere(weak, tmp_path):
    test = weak.table("most_popular").query("part == 'test'").set_index("measure").loc["ndcg@10"]
    assert test["difference"] < 0
    warning = judge(weak.table("most_popular")).warning
    numbers = f"NDCG@10 {test['recommender']:.3f} ± {test['recommender_se']:.3f} against {test['most_popular']:.3f}"
    assert warning.startswith(f"This recommender is no better than recommending the most popular items: {numbers}")
    assert warning.endswith("Train it longer before you interpret it.")
    text = " ".join(summary(weak).split())  # sentences are wrapped
    assert text.count(f"WARNING: {warning}") == 2
    assert text.endswith(f"WARNING: {warning}")
    assert f"The most popular items: NDCG@10 {test['most_popular']:.3f} ± {test['most_popular_se']:.3f}" in text
    assert f"Difference: NDCG@10 −{-test['difference']:.3f} [" in text
    assert re.search(f"WARNING +{re.escape(warning)}", str(weak))
    assert "WARNING" in weak._repr_html_()
    assert page_data(weak)["about"]["beside"]["warning"] == warning
    report = report_data(weak)
    assert report["warning"] == warning
    assert dict(report["facts"])["NDCG@10 of the most popular items"].startswith(f"{test['most_popular']:.3f} ± ")
    claim = next(claim for claim in report["claims"] if "most popular" in claim["statement"])
    assert claim["holds"] is False
    for page in ("dashboard.html", "report.html"):
        assert json.dumps(warning).replace("<", "\\u003c")[1:-1] in embedded(
            (weak.folder / page).read_text(encoding="utf-8")
        )
    (site,) = export(weak, tmp_path / "out", site=True)
    assert warning in (site / "index.html").read_text(encoding="utf-8")


def test_the_table_is_made_of_the_two_lists(weak, world):
    """Means of the recommender and of popularity, computed here from counts and plain loops."""
    rec = weak.recommender
    users = weak.table("users").query("part == 'test'")
    histories = {user: rows["item"].tolist() for user, rows in users.groupby("user", sort=False)}
    popularity = weak.items["popularity"]
    ids = rec.recommender.vocabulary.ids
    popular = [
        popularity.drop(list(set(items[:-1]))).sort_values(ascending=False, kind="stable").index[:10]
        for items in histories.values()
    ]
    lists = np.array([ids.get_indexer(row) for row in popular])
    truth = ids.get_indexer([items[-1] for items in histories.values()])
    rows = weak.table("most_popular").query("part == 'test'").set_index("measure")
    assert rows.at["ndcg@10", "most_popular"] == pytest.approx(ndcg(lists, truth))
    assert rows.at["coverage@10", "most_popular"] == pytest.approx(coverage(lists, np.arange(len(ids))))
    plain = weak.table("recommender").set_index("replaced").loc["none"]
    for measure in ("ndcg@10", "hit_rate@10", "coverage@10"):
        assert rows.at[measure, "recommender"] == pytest.approx(plain[measure])
    assert rows["users"].unique().tolist() == [len(histories)]


def test_a_study_without_the_table_still_shows_itself(weak, tmp_path):
    shutil.copytree(weak.folder, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "tables" / "most_popular")
    text = str(interp.open(tmp_path / "copy"))
    assert "NDCG@10" in text
    assert "most popular" not in text
