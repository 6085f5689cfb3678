"""The scorecard of a small study with planted concepts."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import interp
from interp.activations.feature_matrix import encode
from interp.concepts import evidence
from interp.concepts.alignment import align
from interp.pipeline import scorecard as pipeline
from interp.pipeline.scorecard_bench import Bench, sample
from interp.plots.scorecard_columns import SCORES, TABLE
from recmodels.errors import InputError

SEEDS = "unsquared-64-l1-0.3*"
BASELINES = ["neurons-both-signs", "pca", "ica", "random"]


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    """A copy of the study, to write to."""
    return shutil.copytree(study.folder, tmp_path_factory.mktemp("scorecard") / "planted")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name in ("PERMUTATIONS", "RESAMPLES"):
        monkeypatch.setattr(evidence, name, 40)


@pytest.fixture(scope="module")
def scores(folder):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PERMUTATIONS", "RESAMPLES"):
            patch.setattr(evidence, name, 40)
        return interp.scorecard(folder, only=(f"blocks.0/{SEEDS}", *(f"blocks.0/{name}" for name in BASELINES)))


def test_a_row_for_each_dictionary_and_baseline(scores, folder):
    assert scores["dictionary"].tolist() == ["unsquared-64-l1-0.3", "unsquared-64-l1-0.3-seed-1", *BASELINES]
    assert scores["kind"].tolist() == ["unsquared"] * 2 + ["baseline"] * 4
    assert list(scores.columns) == list(TABLE.kinds)
    assert (scores["run"] == folder.name).all()


def test_scores_are_those_of_the_study(scores, study):
    """What a study's own table of dictionaries has as well."""
    ours = scores.set_index("dictionary").loc["unsquared-64-l1-0.3"]
    rows = study.table("dictionaries").query("site == 'blocks.0' and n_features == 64 and seed == 0")
    theirs = rows[rows["sparsity"] == 0.3].iloc[0]
    pairs = {"l0": "l0", "explained_variance": "explained_variance", "as_paper": "mean_top_correlation"}
    pairs |= {"ndcg_all": "ndcg@10", "ndcg_last": "last_ndcg@10"}
    for here, there in pairs.items():
        assert ours[here] == pytest.approx(theirs[there], abs=1e-6), here


def test_scores_are_in_their_ranges(scores):
    numbers = scores[[score.key for score in SCORES]]
    shares = ["dead", "dense", "passed", "alike_directions", "alike_activations", "overlap_all", "overlap_last"]
    for key in shares:
        assert numbers[key].between(0, 1).all(), key
    assert (numbers["probe_5"] >= numbers["probe_1"] - 0.05).all()
    assert numbers["probe_layer"].nunique() == 1
    assert (numbers["kl_all"] > -1e-9).all()
    assert numbers["features_per_concept"].between(1, 11).all()
    assert numbers["minutes"].notna().tolist() == [True] * 2 + [False] * 4


def test_stability_is_the_same_from_both_sides(scores):
    pair = scores.iloc[:2]
    for key in ("stable_directions", "stable_activations"):
        assert pair[key].iloc[0] == pytest.approx(pair[key].iloc[1])
    rows = scores.set_index("dictionary")
    assert rows.loc["pca", "stable_directions"] == pytest.approx(1)
    assert rows.loc["pca", "overlap_all"] == 1


def test_a_dictionary_without_another_seed_is_blank(folder):
    (row,) = interp.scorecard(folder, only=["*/top_k-64-k-8"], baselines=False).to_dict("records")
    assert np.isnan(row["stable_directions"])
    assert np.isnan(row["absorption"])  # no planted concept lies inside another


def test_baselines_of_other_activations_have_rows(folder, study):
    names = {"untrained": "untrained recommender", "item_embeddings": "item embeddings"}
    rows = interp.scorecard(folder, only=[f"blocks.0/{name}" for name in names]).set_index("dictionary")
    assert rows.index.tolist() == list(names)
    assert (rows["kind"] == "baseline").all()
    summary = study.table("evidence_summary").set_index("source")
    for here, there in names.items():
        assert rows.loc[here, "as_paper"] == pytest.approx(summary.loc[there, "correlation"], abs=1e-6)
        assert rows.loc[here, "unseen_items"] == pytest.approx(summary.loc[there, "unseen_items"], abs=1e-6)
    ranking = ["ndcg", "ndcg_all", "ndcg_last", "overlap_all", "overlap_last", "kl_all", "kl_last"]
    assert rows[ranking].isna().all(axis=None)
    assert rows["probe_layer"].notna().all()
    assert rows.loc["untrained", "unseen_items"] < rows.loc["item_embeddings", "unseen_items"]


def test_rows_are_computed_once(scores, folder, monkeypatch):
    monkeypatch.setattr(pipeline, "dictionary_scores", None)
    again = interp.scorecard(folder, only=[f"blocks.0/{SEEDS}"], baselines=False)
    pd.testing.assert_frame_equal(again, scores.iloc[:2])


def test_a_new_seed_makes_the_rows_of_the_others_new(scores, folder, monkeypatch):
    """Their stability is a mean over seeds."""
    asked = []
    monkeypatch.setattr(pipeline, "dictionary_scores", lambda bench, sae, partners, name: asked.append(len(partners)))
    source = folder / "dictionaries" / "blocks.0"
    other = interp.SparseAutoencoder.load(source / "unsquared-64-l1-0.3-seed-1")
    replace(other, config=replace(other.config, seed=2)).save(source / "third")
    with pytest.raises(TypeError):
        interp.scorecard(folder, only=["*/unsquared-64-l1-0.3"], baselines=False)
    assert asked == [2]
    shutil.rmtree(source / "third")


def test_planted_concepts_are_recovered(study, scores):
    sae, test = study.dictionary("unsquared-64-l1-0.3"), study.activations("test")
    best = align(encode(test, sae), study.concepts.labels(test.rows["item"]), study.concepts.names).auc.max(axis=0)
    assert scores["recovery"].iloc[0] == (best >= 0.9).mean() > 0


def test_only_planted_data_can_be_recovered(folder):
    own = interp.open(folder)
    own.record["config"]["dataset"] = "own"
    assert Bench(interp.open(folder), "blocks.0").planted
    assert not Bench(own, "blocks.0").planted


def test_users_are_drawn_whole(stores):
    part = sample(stores["test"], 100)
    assert 50 < len(part) <= 100
    whole = stores["test"].rows
    for user, rows in part.rows.groupby("user"):
        assert len(rows) == (whole["user"] == user).sum()
    first = part.rows.iloc[0]
    place = whole[(whole["user"] == first["user"]) & (whole["step"] == first["step"])].index[0]
    np.testing.assert_array_equal(part.activations[0], stores["test"].activations[place])
    assert sample(stores["test"]) is stores["test"]


def test_what_cannot_be_scored_is_said(folder, tmp_path):
    with pytest.raises(InputError, match="give the folders"):
        interp.scorecard()
    with pytest.raises(InputError, match="no finished study"):
        interp.scorecard(tmp_path)
    with pytest.raises(InputError, match="no dictionary is called nothing"):
        interp.scorecard(folder, only=["nothing"])


def test_the_command_prints_a_table_and_writes_a_page(scores, folder, arguments, capsys, tmp_path):
    arguments("scorecard", folder, "--only", f"blocks.0/{SEEDS}", "--no-baselines", "--to", tmp_path / "out")
    printed = capsys.readouterr().out
    assert "1  unsquared-64-l1-0.3\n" in printed
    assert "Alignment with concepts: Unseen items" in printed
    frame = pd.read_csv(tmp_path / "out" / "scorecard.csv")
    pd.testing.assert_frame_equal(frame, scores.iloc[:2], check_dtype=False)
    assert (tmp_path / "out" / "scorecard.html").read_text().startswith("<!DOCTYPE html>")
