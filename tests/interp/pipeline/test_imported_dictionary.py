"""A study of a dictionary of another library."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import films
import numpy as np
import pytest
import torch
from browsers import embedded
from small_study import CONFIG

from interp.config import GridConfig, StudyConfig
from interp.model.envoys import RecommenderEnvoy
from interp.pages.summary import summary
from interp.pipeline.imported_dictionary import foreign_dictionary, import_dictionary, with_dictionary
from interp.pipeline.run import run
from interp.sae.exchange import folder_formats
from interp.sae.import_dictionary import check_fits
from interp.sae_config import SAEConfig
from interp.study.glance import as_text, from_elsewhere
from interp.study.study import open as open_study
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def folder(every_kind, tmp_path_factory):
    """A dictionary as a folder of SAELens."""
    return every_kind["top_k"].export("saelens", tmp_path_factory.mktemp("exported") / "saelens")


@pytest.fixture
def states(stores):
    return torch.from_numpy(np.array(stores["test"].activations[:100]))


def configured(config):
    return with_dictionary(config, foreign_dictionary(config))


def test_nothing_else_is_trained(folder, capsys):
    config = configured(replace(CONFIG, dictionary=folder))
    assert config.dictionaries() == {"blocks.0": [config.sae]}
    assert (config.sae.name, config.grid, config.baselines) == ("imported-64-limit-4", GridConfig(), "quick")
    assert "64 features of saelens topk, sha256 " in capsys.readouterr().out
    assert with_dictionary(CONFIG, foreign_dictionary(CONFIG)) is CONFIG
    assert configured(replace(CONFIG, dictionary=folder, baselines="none")).baselines == "none"


def test_the_configuration_of_such_a_study_is_read_again(folder):
    """As its pages read it: from the JSON of config.json."""
    config = configured(replace(CONFIG, dictionary=folder))
    stored = json.loads(json.dumps(asdict(config.sae)))
    assert SAEConfig(**stored) == config.sae


def test_it_is_written_once_among_the_dictionaries_of_the_study(folder, every_kind, stores, states, tmp_path):
    config = configured(replace(CONFIG, dictionary=folder))
    sae = import_dictionary(config, foreign_dictionary(config), {"blocks.0": stores}, tmp_path)["blocks.0"][
        config.sae.name
    ]
    torch.testing.assert_close(sae.encode(states), every_kind["top_k"].encode(states), rtol=1e-5, atol=1e-5)
    assert (sae.mean, sae.std, sae.provenance.recommender) == (0.0, 1.0, stores["sae"].recommender)
    place = tmp_path / "blocks.0" / config.sae.name
    before = (place / "manifest.json").stat().st_mtime_ns
    again = import_dictionary(config, foreign_dictionary(config), {"blocks.0": stores}, tmp_path)["blocks.0"][
        config.sae.name
    ]
    assert (place / "manifest.json").stat().st_mtime_ns == before
    assert again.fingerprint == sae.fingerprint


def test_another_dictionary_of_the_same_size_replaces_it(folder, every_kind, stores, states, tmp_path):
    config = configured(replace(CONFIG, dictionary=folder))
    first = import_dictionary(config, foreign_dictionary(config), {"blocks.0": stores}, tmp_path)["blocks.0"][
        config.sae.name
    ]
    doubled = replace(every_kind["top_k"], std=2 * every_kind["top_k"].std)
    other = replace(config, dictionary=doubled.export("saelens", tmp_path / "other"))
    second = import_dictionary(other, foreign_dictionary(other), {"blocks.0": stores}, tmp_path)["blocks.0"][
        config.sae.name
    ]
    assert second.fingerprint != first.fingerprint
    torch.testing.assert_close(second.encode(states), doubled.encode(states), rtol=1e-5, atol=1e-5)


def test_an_estimated_normaliser_is_that_of_the_sae_part(folder, stores, tmp_path):
    config = configured(replace(CONFIG, dictionary=folder, normalise="estimate"))
    sae = import_dictionary(config, foreign_dictionary(config), {"blocks.0": stores}, tmp_path)["blocks.0"][
        config.sae.name
    ]
    assert (sae.mean, sae.std) == (stores["sae"].mean, stores["sae"].std)
    assert sae.provenance.activations == stores["sae"].fingerprint


def test_another_recommender_or_site_is_refused(folder, recommenders, tmp_path):
    foreign = folder_formats.read(folder)
    check_fits(foreign, recommenders["gptrec"], "blocks.0")
    with pytest.raises(InputError, match=r"reads activations of width 32, those of blocks\.0 have width 16"):
        check_fits(foreign, recommenders["bert4rec"], "blocks.0")
    with pytest.raises(InputError, match=r"was made for the site blocks\.0 of this recommender, not blocks\.1"):
        check_fits(foreign, recommenders["gptrec"], "blocks.1")
    retrained = RecommenderEnvoy(recommenders["gptrec"]).recommender
    other = SimpleNamespace(model=retrained.model, fingerprint="0" * 64)
    with pytest.raises(InputError, match=r"was made for another recommender, .* give one of this recommender, 0000"):
        check_fits(foreign, other, "blocks.0")
    check_fits(foreign._replace(recommender=""), other, "blocks.1")  # of another program, which has its own names


@pytest.mark.parametrize("library", ["saelens", "dictionary_learning"])
def test_both_formats_say_what_the_dictionary_was_made_for(library, every_kind, tmp_path):
    sae = every_kind["top_k"]
    foreign = folder_formats.read(sae.export(library, tmp_path / library))
    assert (foreign.site, foreign.recommender) == (sae.provenance.site, sae.provenance.recommender)


def test_a_folder_without_a_dictionary_is_refused_before_any_work(planted, tmp_path):
    config = replace(CONFIG, out=tmp_path / "study", dictionary=tmp_path)
    with pytest.raises(InputError, match="holds no dictionary: give a folder with"):
        run(config, planted)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (StudyConfig(sae=SAEConfig(trainer="imported")), "which is not trained: name a folder with --dictionary"),
        (StudyConfig(normalise="estimate"), "normalise is set without dictionary"),
    ],
)
def test_settings_that_belong_together(config, message):
    with pytest.raises(InputError, match=message):
        config.check()


def test_a_dictionary_that_does_not_fit_its_activations_is_warned_of(study, monkeypatch):
    assert from_elsewhere(study) == ""
    elsewhere = replace(study.sae, provenance=replace(study.sae.provenance, source="saelens topk, sha256 00"))
    copy = open_study(study.folder)
    object.__setattr__(copy, "sae", elsewhere)
    copy.config["dictionary"] = "elsewhere"
    assert from_elsewhere(copy) == "saelens topk, sha256 00"
    assert "imported             saelens topk, sha256 00" in as_text(copy)
    table = copy.table("dictionary").assign(explained_variance=-0.1)
    monkeypatch.setattr(type(copy), "table", lambda _, name: table)
    assert "WARNING: it explains less of the activations than their mean does" in from_elsewhere(copy)


@pytest.mark.study
def test_every_analysis_runs_on_it(films_study, tmp_path):
    """The dictionary of a finished study, exported and read again, has the concepts that it had."""
    before = open_study(films_study)
    folder = before.sae.export("dictionary_learning", tmp_path / "theirs")
    after = run(replace(films.CONFIG, out=tmp_path / "study", dictionary=folder), films.films())
    assert after.table("dictionaries")[["trainer", "chosen"]].values.tolist() == [["imported", True]]
    columns = ["correlation", "auc", "neuron_correlation"]
    own, theirs = (study.table("concepts").set_index("concept")[columns] for study in (before, after))
    assert np.allclose(own, theirs, atol=1e-5)
    assert "It was imported from dictionary_learning AutoEncoderNew" in summary(after)
    assert "AutoEncoderNew" in embedded((after.folder / "report.html").read_text())
    assert open_study(after.folder).record["config"]["dictionary"] == str(folder)
