"""A study whose recommender knows everyone but for their last two items, from one command to its pages."""

import sys

import numpy as np
import pytest

from interp.cli import main
from interp.pages.dashboard import page_data
from interp.pages.report import report_data
from interp.pages.summary import summary
from interp.study.study import open as open_study
from recmodels.config import Columns
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.datasets.tables import from_tables
from recmodels.ranking import evaluate
from recmodels.sequences import histories_of
from recmodels.splits import leave_one_out_split

COLUMNS = Columns(attribute="concepts")
SETTINGS = """
    --columns.attribute concepts --sae.n-features 16 --sae.steps 40 --sae.batch-size 64 --sae.warmup-steps 5
    --sae.sparsity-warmup-steps 5 --values -1 1 --min-support 2 --other-attributes --baselines quick
    --grid.l1 --grid.n-features --grid.trade-off --grid.sites --training.max-history 8 --training.hidden-size 8
    --training.num-hidden-layers 1 --training.max-epochs 3 --split leave-one-out --loss=sampled-softmax
    --training.negatives 16
"""


@pytest.fixture(scope="module")
def world():
    return load(PlantedConfig(users=120, items=60, concepts=4, mean_length=10, popularity=1.2))


@pytest.fixture(scope="module")
def study(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("left-out")
    world.interactions.to_csv(folder / "interactions.csv", index=False)
    world.items.assign(concepts=world.items["concepts"].map("|".join)).to_csv(folder / "items.csv")
    words = ["study", "own", "--data", folder / "interactions.csv", "--items", folder / "items.csv", *SETTINGS.split()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["interp", *map(str, words), "--out", str(folder / "study")])
        main()
    return open_study(folder / "study")


def test_all_users_are_a_part_with_the_literatures_number(study):
    """NDCG and hits over everyone's last item, ranked among all items."""
    recommender = study.recommender.recommender
    rows = study.table("most_popular").set_index(["part", "measure"])
    n = rows["users"].unstack()["ndcg@10"]
    assert n["all"] == n["test"] + n["sae"]
    dataset = from_tables(study.folder.parent / "interactions.csv", study.folder.parent / "items.csv", COLUMNS)
    histories = histories_of(leave_one_out_split(dataset.interactions).users, recommender.vocabulary)
    expected = evaluate(recommender.score, histories, np.arange(len(recommender.vocabulary)))
    assert rows.loc[("all", "hit_rate@10"), "recommender"] == pytest.approx(expected["hit_rate@10"])
    mean = (rows.loc["test"]["recommender"] * n["test"] + rows.loc["sae"]["recommender"] * n["sae"]) / n["all"]
    for measure in ("ndcg@10", "hit_rate@10"):
        assert rows.loc[("all", measure), "recommender"] == pytest.approx(mean[measure])


def test_it_never_says_that_the_recommender_has_not_seen_the_users(study):
    assert study.config["split"]["kind"] == "leave-one-out"
    assert study.config["training"]["loss"] == "sampled-softmax"
    assert "on nobody's last two items (leave-one-out)" in study.notes[0]
    text = " ".join(summary(study).split())
    assert "last items that training left out, of users it knows" in text
    assert "users it never saw" not in text
    whom = "whom the dictionary has not seen in training; the recommender has, but for their last two items"
    assert page_data(study)["about"]["who_saw"] == report_data(study)["who_saw"] == whom
    assert not study.provenance.saw_test_users
