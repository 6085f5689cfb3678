"""The whole path on the small planted world: one configuration to tables, page, features and command line."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from small_study import CONFIG

import interp
from interp.activations.feature_matrix import encode
from interp.concepts import concepts_of
from interp.concepts.alignment import align
from interp.config import GridConfig
from interp.features.explanations import why
from interp.model.envoys import RecommenderEnvoy
from interp.pages.summary import summary
from interp.pipeline.run import run
from interp.store.registry import analyses
from recmodels.errors import InputError
from recmodels.splits import paper_split

TABLES = [table.name for analysis in analyses() for table in analysis.tables]
STAGES = [
    "recommender",
    "activations",
    "dictionaries",
    "evaluations",
    "baselines",
    *(analysis.name for analysis in analyses()),
]


def test_every_table_is_there_and_says_what_it_is_about(study):
    assert study.name == "planted"
    for name in TABLES:
        assert len(study.table(name)), name
    assert set(study.table("features")["feature"]) == set(range(study.sae.n_features))
    with pytest.raises(InputError, match=r"no table 'nonsense': choose one of alignment, .*, attributes, .*, users$"):
        study.table("nonsense")


def test_the_chosen_dictionary_is_the_best_that_is_sparse_enough(study):
    """On held-out users, and at the configured site."""
    table = study.table("dictionaries")
    assert len(table) == 2 * 3 + 1 + 1
    allowed = table[(table["val_l0"] <= CONFIG.max_l0) & (table["site"] == CONFIG.site)]
    allowed = allowed[allowed["trainer"] == CONFIG.sae.trainer]
    chosen = table[table["chosen"]]
    assert len(chosen) == 1
    assert chosen["val_mean_top_correlation"].item() == allowed["val_mean_top_correlation"].max()
    config = study.sae.config
    assert (config.trainer, config.n_features, config.sparsity, config.seed) == tuple(
        chosen[["trainer", "n_features", "sparsity", "seed"]].iloc[0]
    )


def test_a_dictionarys_row_is_what_the_functions_say(study, planted):
    """The evaluation of one dictionary at another site, made here from the run's artefacts."""
    from interp.activations.activation_store import ActivationStore
    from interp.activations.fidelity import downstream, reconstruction

    site = "blocks.1.mlp"
    row = study.table("dictionaries").set_index("site").loc[site]
    sae = study.dictionary(CONFIG.sae.name, site)
    stores = {p: ActivationStore.load(study.folder / "activations" / site / p) for p in ("sae_validation", "test")}
    assert row["val_l0"] == pytest.approx(reconstruction(stores["sae_validation"], sae)["l0"])
    concepts = concepts_of(planted.items, "concepts", CONFIG.min_support)
    found = align(encode(stores["test"], sae), concepts.labels(stores["test"].rows["item"]), concepts.names)
    assert row["mean_top_correlation"] == pytest.approx(found.mean_top_correlation)
    rec = RecommenderEnvoy(study.recommender.recommender, sae)
    test = rec.recommender.histories(paper_split(planted.interactions).test)
    replaced = downstream(rec, test, site).set_index("replaced")
    assert row["ndcg@10"] == replaced.loc["all", "ndcg@10"]
    assert row["last_ndcg@10"] == replaced.loc["last", "ndcg@10"]


def test_planted_concepts_are_found(study, planted, stores):
    """Ground truth: the features tell the hidden concepts of the items apart, better than neurons do."""
    concepts = study.table("concepts")
    assert (concepts["correlation"] > concepts["neuron_correlation"]).mean() >= 0.75
    best = study.table("alignment").groupby("concept")["auc"].max()
    assert (best >= 0.9).mean() >= 0.5


def test_a_finished_run_is_not_run_again(study, planted, capsys):
    before = {p: p.stat().st_mtime_ns for p in study.folder.rglob("*") if p.suffix in (".csv", ".parquet", ".npy")}
    run(replace(CONFIG, out=study.folder), planted)
    after = {p: p.stat().st_mtime_ns for p in before}
    assert after == before
    assert capsys.readouterr().out.count("already done") == len(STAGES)
    assert set(json.loads((study.folder / "timings.json").read_text())) == {*STAGES, "data", "dashboard"}


def test_another_setting_redoes_only_what_depends_on_it(study, planted, tmp_path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(study.folder, folder)
    run(replace(CONFIG, out=folder, values=(-1.0, 1.0)), planted)
    out = capsys.readouterr().out
    assert out.count("already done") == len(STAGES) - 3  # steering, other methods, and both at equal share
    assert set(interp.open(folder).table("steering")["value"].dropna()) == {-1.0, 1.0}


def test_the_studys_parts_work_together(study, histories):
    some = histories.select(slice(0, 5))
    plain = study.recommender.recommend(some, k=4)
    assert list(study.titles(plain)) == ["user", "rank", "item", "score", "title", "concepts"]
    feature = study.features[study.table("concepts")["concept"][0]]
    with study.recommender.steer({feature.index: 10.0}):
        assert not study.recommender.recommend(some, k=4).equals(plain)
    fresh = interp.open(study.folder)
    assert torch.equal(fresh.recommender.score(some), study.recommender.score(some))


def test_a_study_says_why_and_what_would_have_to_change(study):
    """As the functions do, with the study's dictionary and features in units of their 99th percentiles."""
    history = [1, 2, 3, 4]
    listed = study.recommender.recommend(history, k=30)["item"]
    found, expected = study.why(history, listed[0], top=4), why(study.recommender, [history], listed[0], top=4)
    assert found.rank == 1
    pd.testing.assert_frame_equal(found.features, expected.features)
    entry = study.to_enter(history, listed[14], k=10, candidates=[5, 6])
    assert (entry.rank, entry.k) == (15, 10)
    assert {"steer", "remove", "append"} == set(entry.ways["kind"])
    smallest = entry.ways[entry.ways["kind"] == "steer"].iloc[0]
    ((feature, change),) = smallest["change"].items()
    assert abs(change) == pytest.approx(smallest["amount"] * study.features.table.loc[feature, "p99"], rel=1e-5)
    with study.recommender.steer(smallest["change"], op="add"):
        steered = study.recommender.recommend(history, k=30).set_index("item")["rank"]
    assert steered[listed[14]] == smallest["rank_after"] <= 10


def test_a_feature_shows_itself(study):
    top = study.table("concepts").iloc[0]
    feature = study.features[top["concept"]]
    assert feature.index == top["feature"] == study.features[int(top["feature"])].index
    proof = study.table("labels").set_index("feature").loc[feature.index]
    assert feature.label == (proof["label"] if proof["labelled"] else "unlabelled")
    text = repr(feature)
    assert f"feature {feature.index}: {feature.label}" in text
    assert "promotes" in text
    shown = feature._repr_html_()
    assert "<table>" in shown
    strongest = feature.histories.query("band == 'strongest'").sort_values("activation")
    assert f"lit by</th><td style='text-align:left'>{strongest['title'].iloc[-1]}" in shown
    lit_by = shown.split("lit by</th>")[1].split("</tr>")[0]
    assert all(title in set(strongest["title"]) for title in lit_by.split(">", 1)[1].removesuffix("</td>").split("; "))
    assert feature.concepts["correlation"].is_monotonic_decreasing
    assert {"promoted", "suppressed"} == set(feature.effects["direction"])
    promoted = [study.items.loc[change.item, "title"] for change in feature.view.strongest_changes("promoted")[:4]]
    assert f"promotes   {'; '.join(promoted)}\n" in text
    assert (feature.moved["up"] != feature.moved["down"]).all()
    assert feature.histories["activation"].max() == pytest.approx(feature.row["max"])
    assert {"together", "alike"} == set(feature.neighbours["kind"])
    assert feature.histogram().data[0].y.sum() + feature.histogram().data[1].y.sum() > 0
    n = study.sae.n_features
    with pytest.raises(InputError, match=f"0 to {n - 1}"):
        study.features[n]
    for wrong in (["concept-02"], slice(0, 3), {}, None, n / 2 + 0.5):
        with pytest.raises(InputError, match=rf"no feature {re.escape(repr(wrong))}: .* 0 to {n - 1}$"):
            study.features[wrong]
    with pytest.raises(InputError, match="no concept 'Sci-Fi': choose one of concept-00, "):
        study.features["Sci-Fi"]
    with pytest.raises(InputError, match="no concept 'Concept-02': did you mean 'concept-02'"):
        study.features["Concept-02"]


def test_every_history_says_what_its_user_took_next(study):
    """By the whole histories of the test users, which end with the item that is held out of the activations."""
    whole = study.table("users").query("part == 'test'").groupby("user")["item"].agg(list)
    read = study.recommender.recommender.model.config.max_history
    shown = study.table("histories")
    for row in shown.itertuples():
        taken = whole[row.user][-read - 1 :]
        assert (row.item, row.next) == (taken[row.step], taken[row.step + 1])
    assert set(shown["band"]) == {"strongest", "middle", "weak"}


def test_the_tables_are_the_functions_values(study, planted, stores, recommender):
    """A number of a table, computed here from the run's own artefacts by the public functions."""
    from interp.activations.activation_store import ActivationStore

    store = ActivationStore.load(study.folder / "activations" / "blocks.0" / "test")
    concepts = concepts_of(planted.items, "concepts", CONFIG.min_support)
    found = align(encode(store, study.sae), concepts.labels(store.rows["item"]), concepts.names)
    assert study.table("dictionary")["sae_mean_top_correlation"][0] == pytest.approx(found.mean_top_correlation)


def test_the_summary_says_what_was_found(study):
    text = summary(study)
    for name in study.table("concepts")["concept"]:
        assert name in text
    assert f"NDCG@10 {study.table('recommender')['ndcg@10'][0]:.3f}" in text
    assert "dashboard.html" in text


def test_a_damaged_table_is_refused(study, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(study.folder, folder)
    path = folder / "tables" / "steering" / "steering.csv"
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InputError, match="cut short or altered"):
        interp.open(folder).table("steering")


def test_other_test_users_redo_all_that_is_about_them(study, planted, tmp_path, capsys):
    """The tables of all dictionaries, too: with the users' histories turned around."""
    folder = tmp_path / "copy"
    shutil.copytree(study.folder, folder)
    test = set(paper_split(planted.interactions).test["user"])
    rows = planted.interactions.copy()
    last = rows["user"].isin(test)
    rows.loc[last, "item"] = rows[last].groupby("user")["item"].transform(lambda items: items.to_numpy()[::-1])
    again = run(replace(CONFIG, out=folder), replace(planted, interactions=rows))
    assert "comparison     already done" not in capsys.readouterr().out
    plain = again.table("recommender").set_index("replaced").loc["none", "ndcg@10"]
    assert again.table("l1")["ndcg@10"][0] == plain
    assert plain != study.table("l1")["ndcg@10"][0]


def test_a_typo_leaves_a_finished_study_alone(study, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        run(replace(CONFIG, out=study.folder, data=tmp_path / "typo.csv", items=tmp_path / "items.csv"))
    assert interp.open(study.folder).name == "planted"


def test_the_command_line_answers_mistakes_in_one_line(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        arguments("dashboard", tmp_path / "nothing")
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("interp: ")
    assert "holds no finished study" in said
    assert said.count("\n") == 1
    with pytest.raises(SystemExit) as end:
        arguments("demo", "--data", tmp_path / "nothing", "--out", tmp_path / "out")
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_line_writes_the_dashboard_again(study, arguments, capsys):
    page = study.folder / "dashboard.html"
    page.unlink()
    arguments("dashboard", study.folder)
    assert page.is_file()
    assert str(page) in capsys.readouterr().out


def test_help_answers_without_loading_torch():
    code = "import sys, interp.cli; assert 'torch' not in sys.modules, 'torch was imported'"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"training": replace(CONFIG.training, batch_size=0)}, r"training\.batch_size is 0"),
        ({"training": replace(CONFIG.training, dropout=2)}, "below 1"),
        ({"training": replace(CONFIG.training, num_attention_heads=3)}, "multiple"),
        ({"sae": replace(CONFIG.sae, n_features=0)}, r"sae\.n_features"),
        ({"grid": GridConfig(l1=(float("nan"),))}, r"grid\.l1 is nan"),
        ({"grid": GridConfig(seeds=0)}, r"grid\.seeds"),
        ({"grid": GridConfig(sites=("blocks.9",))}, r"blocks\.0, "),
        ({"grid": GridConfig(trade_off=("top_k:1.5",))}, "whole number"),
        ({"grid": GridConfig(trade_off=("top:1",))}, "has the unknown trainer 'top'"),
        ({"grid": GridConfig(trade_off=("top_k:8;16",))}, "such as top_k:8,16"),
        ({"most_frequent": 0}, "most_frequent"),
        ({"sae": replace(CONFIG.sae, steps=50)}, r"sae\.steps"),
        ({"values": ()}, "two different"),
        ({"values": (1.0, float("nan"))}, "finite"),
        ({"site": "blocks.9"}, r"embedding, .*blocks\.0, "),
    ],
)
def test_settings_that_cannot_work_are_refused_before_any_work(planted, tmp_path, change, says):
    with pytest.raises(InputError, match=says) as error:
        run(replace(CONFIG, out=tmp_path / "run", **change), planted)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_an_interrupted_rerun_is_not_a_finished_study(study, planted, tmp_path, monkeypatch):
    folder = tmp_path / "copy"
    shutil.copytree(study.folder, folder)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("interp.pipeline.run.train_grid", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(replace(CONFIG, out=folder, sae=replace(CONFIG.sae, seed=9)), planted)
    with pytest.raises(InputError, match="no finished study"):
        interp.open(folder)


def test_a_damaged_record_is_refused(tmp_path):
    for content in ("{", "{}", "[]"):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(InputError, match="damaged"):
            interp.open(tmp_path)


def test_features_can_be_walked_and_steered_by_themselves(study, histories):
    name = study.table("concepts")["concept"][0]
    feature = study.features[name]
    assert name in study.features
    assert "Sci-Fi" not in study.features
    assert [each.index for each in study.features] == list(range(study.sae.n_features))
    few = histories.select(slice(0, 3))
    with study.recommender.steer({feature.index: 2.0}):
        expected = study.recommender.score(few)
    with study.recommender.steer({feature: np.float32(2)}):
        assert torch.equal(study.recommender.score(few), expected)


def test_activations_are_what_the_tables_are_made_from(study):
    store, top = study.activations(), study.table("concepts").iloc[0]
    features = study.sae.encode(torch.from_numpy(np.array(store.activations))).numpy()
    has = study.concepts.labels(store.rows["item"])[:, study.concepts.index(top["concept"])]
    assert np.corrcoef(features[:, top["feature"]], has)[0, 1] == pytest.approx(top["correlation"], abs=1e-5)
    assert len(study.activations("sae_validation")) != len(store)
    with pytest.raises(InputError, match="train"):
        study.activations("train")


def test_a_feature_shows_what_it_correlates_with_beside_what_it_does(study):
    top = study.table("concepts").iloc[0]
    feature = study.features[top["concept"]]
    causal = study.table("causal").set_index(["feature", "concept"])["effect"]
    assert feature.concepts["effect"].tolist() == causal.loc[feature.index][feature.concepts["concept"]].tolist()
    correlations, effects = feature.concept_bars().data
    assert list(effects.y) == list(correlations.y)
    assert list(correlations.x) == feature.concepts["correlation"].tolist()
    assert list(effects.x) == feature.concepts["effect"].tolist()


def test_every_feature_has_curves_with_bands(study):
    """The shares of a feature with a concept of its own are those of the causal map, of the same users."""
    costs = study.table("feature_costs").query("chosen_by == 'correlation'")
    number = int(costs["feature"].iloc[0])
    feature = study.features[number]
    causal = study.table("causal").query("feature == @number and concept == @feature.row.concept").iloc[0]
    band, curve = feature.share_curve().data
    assert list(curve.x) == pytest.approx([amount * feature.row["p99"] for amount in (-1, 0, 1, 2)])
    assert list(curve.y[:3]) == pytest.approx(
        [causal["share"] + causal[way] for way in ("down",)] + [causal["share"], causal["share"] + causal["up"]]
    )
    assert len(band.x) == 2 * len(curve.x)
    assert feature.quality_curve().layout.shapes[0].x1 == feature.row["max"]


def test_a_refused_run_leaves_no_folder_behind(tmp_path):
    with pytest.raises(InputError, match=r"typo\.csv does not exist"):
        run(replace(CONFIG, out=tmp_path / "runs" / "mine", data=tmp_path / "typo.csv", items=tmp_path / "items.csv"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--help"], ["dose", "--help"], ["tables"], ["study", "own", "--help"]])
def test_what_the_command_line_says_fits_a_terminal(arguments, monkeypatch, capsys, words):
    monkeypatch.setenv("COLUMNS", "80")
    with suppress(SystemExit):
        arguments(*words)
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert max(map(len, lines)) <= 80
    assert not re.search(r"\{None\}|--no-at-most|\b(STR|INT|FLOAT)\b", "\n".join(lines))


def test_the_command_line_says_its_version(arguments, capsys):
    arguments("--version")
    assert capsys.readouterr().out.split()[0] == "interp"
