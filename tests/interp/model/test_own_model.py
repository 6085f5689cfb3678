"""A recommender of one's own, from the base class to steered lists."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from own_model import BiasedGRU4Rec, GRU4Rec, GRUConfig, TupleGRU4Rec
from small import TRAINING

from interp.activations.collecting import collect
from interp.activations.training import train
from interp.config import StudyConfig
from interp.control.steered_lists import steered_lists
from interp.model.envoys import RecommenderEnvoy
from interp.pipeline.run import run
from interp.sae_config import SAEConfig
from interp.steering.edits import Edit, Steer
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.errors import InputError
from recmodels.model_parts import RecommenderConfig
from recmodels.ranking import evaluate
from recmodels.recommender import MODELS, Recommender, register
from recmodels.sequences import histories_of
from recmodels.training import fit
from recmodels.vocabulary import Vocabulary

SAE = SAEConfig(n_features=48, steps=150, batch_size=64, warmup_steps=5, sparsity_warmup_steps=5)


@pytest.fixture(scope="module")
def registered():
    yield register(GRU4Rec)
    del MODELS["gru4rec"]


@pytest.fixture(scope="module")
def gru(registered, split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gru") / "recommender"
    fitted = fit(split.recommender, split.validation, replace(TRAINING, model="gru4rec", max_epochs=4), folder)
    loaded = Recommender.load(folder)
    assert isinstance(loaded.model, GRU4Rec)
    assert loaded.fingerprint == fitted.fingerprint
    return loaded


@pytest.fixture(scope="module")
def rec(gru, split, tmp_path_factory):
    """Wrapped, with a hastily trained dictionary behind its first layer."""
    folder = tmp_path_factory.mktemp("gru")
    store = collect(RecommenderEnvoy(gru), split.sae_validation, folder / "activations")
    return RecommenderEnvoy(gru, train(store, {"tiny": SAE}, folder)["tiny"])


def test_it_learns(gru, split, recommender):
    test = histories_of(split.test, gru.vocabulary)
    found = evaluate(gru.score, test, np.arange(len(gru.vocabulary)))["ndcg@10"]
    popular = torch.from_numpy(np.bincount(gru.vocabulary.encode(split.recommender["item"]))).float()
    baseline = evaluate(lambda some: popular.repeat(len(some), 1), test, np.arange(len(gru.vocabulary)))["ndcg@10"]
    assert found > 1.2 * baseline


def test_padding_changes_nothing(gru, histories):
    few = histories.select(np.argsort(histories.lengths)[[0, 3, -1]])
    together = gru.score(few)
    for row, one in zip(together, few.batches(1), strict=True):
        torch.testing.assert_close(row, gru.score(one)[0], atol=1e-5, rtol=0)


def test_it_has_the_sites_that_it_has(rec):
    assert list(rec.recommender.model.sites) == ["embedding", "blocks.0", "blocks.1", "final"]
    with pytest.raises(InputError, match=r"no site 'blocks.0.attention': choose one of embedding, blocks.0, blocks.1"):
        rec.site("blocks.0.attention")


def test_features_written_in_a_trace_are_hooks_on_the_layer(rec, histories):
    few, sae = histories.select(np.arange(6)), rec.blocks[0].sae
    with torch.no_grad(), rec.trace(few):
        rec.blocks[0].features[:, -1, 3] = 2.0
        traced = rec.scores.save()
    model = rec.recommender.model

    def write(_module, _inputs, output):
        change = torch.zeros_like(sae.encode(output))
        change[:, -1, 3] = 2.0 - sae.encode(output)[:, -1, 3]
        return output + change @ sae.directions

    hook = model.layers[0].register_forward_hook(write)
    expected = rec.recommender.score(few)
    hook.remove()
    torch.testing.assert_close(traced, expected, atol=1e-5, rtol=0)
    assert (traced - rec.recommender.score(few)).abs().max() > 1e-3


def test_many_steers_together_are_each_by_itself(rec, histories):
    """`scored_after` of the base class, where each value takes a whole pass."""
    few = histories.select(np.arange(10))
    steers = [Steer((Edit(n, 4.0),), "blocks.0", "all" if n % 2 else "none") for n in range(4)]
    for steer, lists in zip(steers, steered_lists(rec, few, steers, k=5), strict=True):
        with rec.steer(steer):
            np.testing.assert_array_equal(lists, rec.rank(few, 5))


def test_a_whole_study(registered, tmp_path):
    training = replace(TRAINING, model="gru4rec", max_epochs=1)
    config = StudyConfig(
        training=training,
        sae=replace(SAE, n_features=16),
        values=(0.0, 4.0),
        steered=("concept-02",),
        out=tmp_path / "study",
    )
    study = run(config, load(PlantedConfig(users=250, items=60, concepts=4, mean_length=12)))
    assert isinstance(study.recommender.recommender.model, GRU4Rec)
    assert "gru4rec, 60 items" in repr(study)
    assert (tmp_path / "study" / "report.html").is_file()


# ---- what is refused ----


def wrapped(kind):
    model = kind(GRUConfig(n_items=9, hidden_size=8, num_hidden_layers=1, max_history=6))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    torch.nn.init.zeros_(model.items.weight[0])
    return RecommenderEnvoy(Recommender(model, Vocabulary(pd.RangeIndex(9, name="item"))))


def test_models_that_cannot_be_relied_on_are_refused():
    wrapped(GRU4Rec)
    with pytest.raises(InputError, match="BiasedGRU4Rec scores a history differently alone"):
        wrapped(BiasedGRU4Rec)
    with pytest.raises(
        InputError, match=r"site blocks.0 of TupleGRU4Rec does not give hidden states \[user, step, 8\]"
    ):
        wrapped(TupleGRU4Rec)


def test_models_without_a_name_or_blocks_are_refused():
    class Nameless(GRU4Rec):
        config_class = RecommenderConfig

    class Taken(GRU4Rec):
        config_class = type("TakenConfig", (RecommenderConfig,), {"model_type": "gptrec"})

    class Blockless(GRU4Rec):
        site_paths = {"embedding": "items"}  # noqa: RUF012

    for model, says in (
        (Nameless, "Nameless needs a config_class of its own.* not ''"),
        (Taken, "Taken needs a config_class of its own.* not 'gptrec'"),
        (Blockless, 'Blockless does not say where its blocks are: give site_paths a path for "blocks.*"'),
    ):
        with pytest.raises(InputError, match=says):
            register(model)
    assert MODELS["gptrec"].__name__ == "GPTRec"


def test_an_unknown_model_is_refused_before_any_work(tmp_path):
    with pytest.raises(InputError, match="unknown model 'caser': choose one of gptrec, bert4rec"):
        run(StudyConfig(training=replace(TRAINING, model="caser"), out=tmp_path / "study"))
    assert not (tmp_path / "study").exists()
