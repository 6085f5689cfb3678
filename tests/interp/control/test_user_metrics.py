"""Metrics of one's own, in receipts, doses and sweeps; analyses, data and attributes of one's own, in a study."""

import shutil
import sys
import types
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from browsers import embedded
from small_study import CONFIG
from tiny_package import install

import interp.store.registry as analyses_registry
from interp.concepts import attributes, concepts_of
from interp.concepts.attributes import register_attribute
from interp.control import user_metrics
from interp.control.intervals import of_means
from interp.control.receipts import receipt
from interp.control.sweeps import SweepPoint, sweep
from interp.control.user_metrics import own_metrics, register_metric
from interp.pipeline.run import run
from interp.presets import presets
from interp.steering.edits import Edit, Steer
from interp.store.analysis import Analysis, Table
from interp.store.keys import analysis_key
from interp.store.registry import register_analysis
from interp.study.study import open as open_study
from recmodels import datasets
from recmodels.bootstrap import Resampling
from recmodels.datasets import register_dataset
from recmodels.errors import InputError


def revenue(lists, truth, items):
    """Items are as dear as their id says."""
    prices = items.index.to_numpy().astype(float)
    return np.where(lists >= 0, prices[lists], 0).sum(axis=1)


@pytest.fixture
def registered():
    register_metric("revenue", revenue)
    yield
    user_metrics._METRICS.pop("revenue", None)


BEFORE = np.array([[0, 1], [1, 0], [0, -1]])
AFTER = np.array([[2, 1], [2, 0], [0, 1]])
LABELS = np.array([[True], [False], [False]])
POPULARITY = np.array([5.0, 3.0, 1.0])


def test_a_receipt_has_it_with_its_interval(registered):
    made = receipt(BEFORE, AFTER, LABELS, ["a"], POPULARITY, ids=pd.Index([10, 20, 40]))
    assert made.measures["measure"].tolist() == [
        "overlap",
        "long_tail_share@2",
        "mean_popularity@2",
        "revenue@2",
        "coverage@2",
        "gini@2",
        "diversity@2",
    ]
    row = made.measures.set_index("measure").loc["revenue@2"]
    expected = of_means(np.array([[30.0], [30.0], [10.0]]), np.array([[60.0], [50.0], [30.0]]), Resampling()).iloc[0]
    assert row["interval"] == "bootstrap"
    pd.testing.assert_series_equal(row[expected.index].astype(float), expected, check_names=False)
    assert "revenue@2" in repr(made)


def test_a_metric_that_needs_the_truth_is_left_out_without_it():
    register_metric("found", lambda lists, truth, items: (lists == truth[:, None]).any(axis=1), needs_truth=True)
    try:
        without = receipt(BEFORE, AFTER, LABELS, ["a"], POPULARITY)
        assert "found@2" not in set(without.measures["measure"])
        made = receipt(BEFORE, AFTER, LABELS, ["a"], POPULARITY, np.array([2, 0, 2])).measures.set_index("measure")
        columns = ["before", "after", "change_low", "change_high"]
        assert made.loc["found@2", columns].tolist() == made.loc["hit_rate@2", columns].tolist()
    finally:
        del user_metrics._METRICS["found"]


def test_a_metric_of_another_shape_is_refused():
    register_metric("total", lambda lists, truth, items: lists.sum())
    try:
        with pytest.raises(InputError, match=r"metric total gives \(\) for 3 users: give one value for each"):
            receipt(BEFORE, AFTER, LABELS, ["a"], POPULARITY)
    finally:
        del user_metrics._METRICS["total"]


@pytest.mark.parametrize("name", ["ndcg", "long_tail_share"])
def test_our_metrics_keep_their_names(name):
    with pytest.raises(InputError, match=f"'{name}' is already one of ours"):
        register_metric(name, revenue)


@pytest.mark.parametrize("name", ["overlap", "watch time", "revenue@10", ""])
def test_names_that_no_metric_can_have(name):
    with pytest.raises(InputError, match="cannot name a metric"):
        register_metric(name, revenue)


def test_a_dose_that_costs_least_of_it(registered, study):
    concept = study.concepts.names[2]
    by_ndcg, by_revenue = (study.dose(concept, 0.5, cost=cost) for cost in (None, "revenue"))
    for dose, cost in ((by_ndcg, "ndcg"), (by_revenue, "revenue")):
        reaching = dose.trials[dose.trials["reached"]]
        assert len(reaching) > 1
        assert len(dose.features) == reaching.loc[reaching[cost].idxmax(), "n_features"]
    pd.testing.assert_frame_equal(by_revenue.trials.drop(columns="revenue"), by_ndcg.trials)
    # The column is what a receipt on the same users says.
    users = study.users("sae_validation")
    made = study.receipt(by_revenue.steer, users).measures.set_index("measure").loc["revenue@10"]
    row = by_revenue.trials.set_index("n_features")["revenue"]
    assert made["after"] == pytest.approx(row[len(by_revenue.features)])
    assert made["before"] == pytest.approx(row[0])
    with pytest.raises(InputError, match=r"there is no metric 'magic': choose one of ndcg, hit_rate, .*revenue"):
        study.dose(concept, 0.5, cost="magic")


def test_a_dose_of_the_command_line_goes_by_it(registered, study, arguments, capsys):
    concept = study.concepts.names[2]
    arguments("dose", study.folder, concept, "0.5", "--cost", "revenue")
    assert study.dose(concept, 0.5, cost="revenue").answer in capsys.readouterr().out
    arguments("dose", study.folder, concept, "0.5", "--each", "--cost", "revenue")
    assert study.user_doses(concept, 0.5, cost="revenue").answer in capsys.readouterr().out
    with pytest.raises(SystemExit):
        arguments("dose", study.folder, concept, "0.5", "--each", "--cost", "ndcg")
    assert "ndcg needs held-out items, which doses for each user do not use" in capsys.readouterr().err


def test_doses_of_users_cost_least_of_it(registered, study):
    """Each user's list is the dearest, or the most alike, of those that meet the goal with 0, 1, … features."""
    concept, users, rec = study.concepts.names[2], study.users(), study.recommender
    inputs, items = users.split_last()[0], study.items.loc[rec.recommender.vocabulary.ids]
    doses = {cost: study.user_doses(concept, 0.5, cost=cost) for cost in (None, "revenue")}
    values = {}
    for cost, answer in doses.items():
        with rec.steer(answer.steer):
            values[cost] = revenue(rec.rank(inputs), None, items)
        overlap = answer.receipt.measures.set_index("measure").loc["overlap", "after"]
        assert answer.users["reached"].equals(doses[None].users["reached"])
        assert overlap <= doses[None].receipt.measures.set_index("measure").loc["overlap", "after"]
    reached = doses[None].users["reached"].to_numpy()
    assert (values["revenue"] >= values[None])[reached].all()
    assert (values["revenue"] > values[None])[reached].any()


def test_an_analysis_of_a_notebook_has_a_key(monkeypatch):
    """What a notebook defines is in a module without a file."""
    notebook = types.ModuleType("notebook")
    exec("LEAST = 3\ndef compute(items_table):\n    return {}\n", notebook.__dict__)
    monkeypatch.setitem(sys.modules, "notebook", notebook)
    analysis = Analysis("noted", "Noted", compute=notebook.compute, tables=())
    key = analysis_key(analysis, {"items_table": "abc"})
    assert analysis_key(analysis, {"items_table": "abc"}) == key
    monkeypatch.setattr(notebook, "LEAST", 4)
    assert analysis_key(analysis, {"items_table": "abc"}) != key


def test_an_installed_package_adds_an_analysis_and_a_metric(site):
    text = (
        "import pandas as pd\n"
        "from interp import Analysis, Table, register_analysis, register_metric\n"
        "def compute(items_table):\n"
        "    return {'counted': pd.DataFrame({'items': [len(items_table)]})}\n"
        "tables = (Table('counted', 'how many items there are', 'items:int'),)\n"
        "register_analysis(Analysis('counted', 'Counted', compute=compute, tables=tables))\n"
        "register_metric('length', lambda lists, truth, items: (lists >= 0).sum(axis=1))\n"
    )
    install(site, "counted", "interp.analyses", "counted", "counted_items", text)
    (site / "counted-1.0.dist-info" / "entry_points.txt").write_text(
        "[interp.analyses]\ncounted = counted_items\n[interp.metrics]\nlength = counted_items\n"
    )
    try:
        order = [analysis.name for analysis in analyses_registry.analyses()]
        assert order.index("counted") > order.index("items")
        assert own_metrics() == {"length": 1}
    finally:
        user_metrics._METRICS.pop("length", None)
        analyses_registry._REGISTRY.pop("counted", None)


def test_a_sweep_has_a_column_of_it(registered, study):
    steer = Steer((Edit(3, 2.0),), study.site)
    point = SweepPoint("set", study.concepts.names[0], 3, 2.0, steer)
    users = study.users()
    usual, _ = sweep(study.recommender, users, [point], study.concepts)
    table, _ = sweep(study.recommender, users, [point], study.concepts, metrics=["revenue"])
    pd.testing.assert_frame_equal(table.drop(columns="revenue"), usual)
    made = study.receipt(steer).measures.set_index("measure").loc["revenue@10"]
    assert table["revenue"].tolist() == pytest.approx([made["before"], made["after"]])


def test_tables_of_a_study_have_what_is_registered(study, planted, tmp_path, monkeypatch):
    """A metric and an analysis of one's own are computed; nothing else is computed again."""
    folder = tmp_path / "study"
    shutil.copytree(study.folder, folder)
    config = replace(CONFIG, dataset="ml-1m", out=folder)
    stamps = {path: path.stat().st_mtime_ns for path in folder.glob("**/manifest.json")}
    register_metric("revenue", revenue)
    sizes = Analysis(
        "sizes",
        "Sizes of concepts",
        compute=lambda items_table: {
            "concept_sizes": items_table.explode("concepts").groupby("concepts").size().rename("items").reset_index()
        },
        tables=(Table("concept_sizes", "items of each concept", "concepts:text items:int"),),
    )
    register_analysis(sizes)
    try:
        again = run(config, planted)
        table = again.table("receipts")
        assert "revenue@10" in set(table["measure"])
        assert len(table[table["measure"] == "revenue@10"]) == len(CONFIG.steered)
        assert (
            again.table("concept_sizes").set_index("concepts")["items"].sum() == again.items["concepts"].map(len).sum()
        )
        changed = {path.parent.name for path, stamp in stamps.items() if path.stat().st_mtime_ns != stamp}
        assert changed == {"receipts", "feature_receipts", "popularity"}
        assert "revenue@10" in embedded((folder / "report.html").read_text())
        # The numbers that were there before are the same.
        kept = table[table["measure"] != "revenue@10"].reset_index(drop=True)
        pd.testing.assert_frame_equal(kept, study.table("receipts"))
        stamp = (folder / "tables" / "receipts" / "manifest.json").stat().st_mtime_ns
        register_metric("revenue", lambda *given: 2 * revenue(*given), version=2)
        assert own_metrics() == {"revenue": 2}
        doubled = run(config, planted).table("receipts")
        assert (folder / "tables" / "receipts" / "manifest.json").stat().st_mtime_ns != stamp
        row = doubled["measure"] == "revenue@10"
        assert doubled.loc[row, "before"].tolist() == pytest.approx((2 * table.loc[row, "before"]).tolist())
    finally:
        user_metrics._METRICS.pop("revenue", None)
        analyses_registry._REGISTRY.pop("sizes", None)
    assert "revenue@10" in set(open_study(folder).table("receipts")["measure"])  # also where it is not registered


def test_an_attribute_of_ones_own():
    items = pd.DataFrame({"title": ["x", "y", "z"], "price": [1.0, 30.0, 2.0]}, index=pd.Index([1, 2, 3], name="item"))
    register_attribute(
        "range", lambda items: items["price"].map(lambda price: "dear" if price > 9 else "cheap"), ["price"]
    )
    try:
        concepts = concepts_of(items, "range", min_support=1)
        assert list(concepts.names) == ["cheap", "dear"]
        assert concepts.labels(items.index).tolist() == [[True, False], [False, True], [True, False]]
        with pytest.raises(InputError, match=r"no column 'range': choose franchise, translated, or title:WORDS"):
            attributes.attribute(items[["title"]], "range")
    finally:
        del attributes._DERIVED["range"]
    with pytest.raises(InputError, match="'decade' is already one of ours"):
        register_attribute("decade", lambda items: items["title"])


def test_a_file_that_is_imported_first_adds_a_data_set_to_the_command_line(arguments, tmp_path, capsys):
    (tmp_path / "json.py").write_text(  # named as a module that is already one of ours
        "from recmodels import load, register_dataset\n"
        "register_dataset('shop', lambda name, folder, cache: load('planted'))\n"
    )
    try:
        with pytest.raises(SystemExit) as done:
            arguments("--import", tmp_path / "json.py", "study", "shop", "--help")
        assert not done.value.code
        assert "(default: shop)" in " ".join(capsys.readouterr().out.replace("│", " ").split())
        assert presets()["shop"][1].dataset == "shop"
    finally:
        datasets._LOADERS.pop("shop", None)
    import json

    assert json.loads("1") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--import", "nothing.py", "demo"], "interp: --import: there is no file nothing.py: give a .py file"),
        (["--import=no_such_module", "demo"], "interp: No module named 'no_such_module'"),
        (["--import"], "interp: --import names nothing"),
    ],
)
def test_an_import_that_fails(arguments, capsys, words, says):
    with pytest.raises(SystemExit) as done:
        arguments(*words)
    assert done.value.code == 2
    assert capsys.readouterr().err.startswith(says)


def test_a_name_of_ours_for_data_is_kept():
    with pytest.raises(InputError, match="'planted' is already one of ours"):
        register_dataset("planted", lambda name, folder, cache: None)
