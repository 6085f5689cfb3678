"""A study of users and items alone: no times, no titles, no attributes, and lists that may repeat what was seen."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from browsers import embedded
from small import TRAINING

import interp
from interp.config import StudyConfig
from interp.pages.report import report_data
from interp.pages.summary import summary
from interp.pages.verdicts import verdicts
from interp.pipeline.run import run
from interp.sae_config import SAEConfig
from interp.store.registry import analyses
from interp.study.equalizer import equalize
from recmodels import artifacts
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.errors import InputError

CONFIG = StudyConfig(
    dataset="plain",
    training=replace(TRAINING, max_epochs=2),
    sae=SAEConfig(n_features=16, steps=120, batch_size=256, warmup_steps=50, sparsity_warmup_steps=100),
    keep_seen=True,
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Everyone takes every third item of the planted histories a second time, at the end."""
    folder = tmp_path_factory.mktemp("plain")
    rows = load(PlantedConfig(users=160, items=60, concepts=6, mean_length=14)).interactions
    rows = rows.sort_values(["user", "time"], kind="stable")
    lines = []
    for user, items in rows.groupby("user", sort=False)["item"]:
        taken = items.tolist()
        lines += [f"{user} {item}" for item in [*taken, *taken[::3]]]
    (folder / "plain.txt").write_text("\n".join(lines) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # a mean of nothing, for example
        return run(replace(CONFIG, data=folder / "plain.txt", out=folder / "study"))


def test_it_says_what_it_lacks_on_every_page(plain):
    assert not plain.has_concepts
    assert [line.split(":")[0] for line in plain.notes] == [
        "The interactions have no times",
        "There is no table of items",
        "The items have no attribute, so there are no concepts",
        "Lists may repeat the items of a history (keep_seen)",
    ]
    n = len(plain.users())
    assert f"for {n} of {n} test users" in plain.notes[-1]  # each takes again what came first
    page, report = (plain.folder / name for name in ("dashboard.html", "report.html"))
    for text in (repr(plain), plain._repr_html_(), " ".join(summary(plain).split())):
        for line in plain.notes:
            assert line in text
    for path in (page, report):
        assert "so there are no concepts" in embedded(path.read_text())


def test_what_is_about_concepts_is_left_out_and_the_rest_is_there(plain):
    names = {analysis.name for analysis in plain.analyses}
    assert names < {analysis.name for analysis in analyses()}
    assert {path.name for path in (plain.folder / "tables").iterdir()} == names
    assert not names & {"evidence", "steering", "doses", "receipts", "lists", "equal_share", "categories"}
    for analysis in plain.analyses:
        for table in analysis.tables:
            plain.table(table.name)
    with pytest.raises(InputError, match="plain has no concepts, so it has no table 'evidence': give its items"):
        plain.table("evidence")
    assert all(claim.holds is not None or claim.measured for claim in verdicts(plain))
    assert report_data(plain)["sections"]


def test_features_are_known_by_their_items(plain):
    feature = plain.features[int(plain.features.table["density"].idxmax())]
    assert "no label holds" in repr(feature) or "precision" in repr(feature)
    assert len(feature.histories)
    assert len(feature.effects)
    assert len(feature.moved)
    assert feature.concepts.empty
    histogram = plain.table("histograms")
    assert (histogram["present"] == 0).all()
    active = int((plain.feature_matrix() > 0).sum())
    assert histogram["absent"].sum() == active
    assert plain.figures.map().data
    with pytest.raises(InputError, match="no concepts to draw"):
        plain.figures.concept_heatmap()
    with pytest.raises(InputError, match="there is no concept 'Horror': the items have no attribute"):
        plain.features["Horror"]


def test_the_dictionary_is_chosen_by_what_it_explains(plain):
    assert plain.table("dictionaries")["val_mean_top_correlation"].isna().all()
    assert plain.table("dictionaries")["chosen"].sum() == 1


def test_lists_and_receipts_by_number(plain):
    users = plain.users()
    feature = int(plain.features.table["density"].idxmax())
    receipt = plain.receipt({feature: 3.0})
    assert receipt.shares.empty
    assert "overlap" in repr(receipt)
    inputs, truth = users.split_last()
    ranks = plain.recommender.rank(inputs)
    assert any(np.isin(lists, history).any() for lists, history in zip(ranks, inputs, strict=True))
    hits = plain.table("recommender").set_index("replaced").at["none", "hit_rate@10"]
    assert hits == pytest.approx((ranks == truth[:, None]).any(axis=1).mean())
    items = plain.recommender.recommender.vocabulary.decode(users[0][:2]).tolist()
    moved = equalize(plain, items, {feature: 1.0})
    assert len(moved.before) == len(moved.after) == 10
    with plain.recommender.steer({feature: 2.0}, op="add", unit="p99"):
        assert len(plain.recommend([items], 5)) == 5


def test_everything_is_exported(plain, tmp_path):
    interp.export(plain, tmp_path / "out", site=True)
    index = (tmp_path / "out/site/index.html").read_text()
    assert "so there are no concepts" in index
    assert "Best concept" not in index
    assert (tmp_path / "out/site/feature/0.html").is_file()


def test_lists_that_may_not_repeat_have_other_keys(plain):
    for analysis in plain.analyses:
        inputs = artifacts.read_manifest(plain.folder / "tables" / analysis.name, "tables")["inputs"]
        assert inputs["keep_seen"] is True
