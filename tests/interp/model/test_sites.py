"""Every site of both models against plain PyTorch hooks on the module that holds it."""

import warnings
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import torch
from dictionary_learning.dictionary import AutoEncoder
from nnsight import save

from interp.activations.collecting import collect
from interp.activations.fidelity import downstream
from interp.activations.training import train
from interp.concepts import concepts_of
from interp.control.sweeps import set_points, sweep
from interp.features.effects import mean_jacobian
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import Provenance, SparseAutoencoder
from interp.sae_config import SAEConfig
from recmodels.bert4rec import BERT4Rec
from recmodels.config import site_names
from recmodels.errors import InputError
from recmodels.model_parts import RecommenderOutput
from recmodels.ranking import evaluate
from recmodels.recommender import MODELS, Recommender
from recmodels.vocabulary import Vocabulary

CLOSE = {"rtol": 0, "atol": 1e-5}
SITES = site_names(2)
PLACES = [(model, site) for model in MODELS for site in SITES]
N_FEATURES = 24


@pytest.fixture(scope="module")
def some(histories):
    """A few histories of different lengths; both models have the same vocabulary."""
    return histories.select(np.arange(9))


@pytest.fixture(scope="module")
def envoys(recommenders):
    """Both models with an untrained dictionary at every site at once, features of either sign and scale."""
    made = {}
    for model, recommender in recommenders.items():
        made[model] = RecommenderEnvoy(
            recommender, *(untrained(recommender, site, seed) for seed, site in enumerate(SITES))
        )
    return made


def untrained(recommender, site, seed):
    torch.manual_seed(seed)
    dictionary = AutoEncoder(recommender.model.config.hidden_size, N_FEATURES)
    origin = Provenance(recommender.fingerprint, site, "none")
    config = SAEConfig(n_features=N_FEATURES)
    return SparseAutoencoder(dictionary, mean=0.01 * seed, std=0.5 + 0.1 * seed, config=config, provenance=origin)


@contextmanager
def hooked(recommender, site, change=None):
    """Record a site's output on the bare model, after changing it."""
    seen = []

    def hook(module, inputs, output):
        output = output if change is None else change(output)
        seen.append(output)
        return output

    handle = recommender.model.get_submodule(recommender.model.sites[site]).register_forward_hook(hook)
    try:
        yield seen
    finally:
        handle.remove()


def natural(rec, site):
    """The envoy of a site as a user would write it."""
    return {
        "embedding": rec.embedding,
        "final": rec.final,
        **{f"blocks.{n}": rec.blocks[n] for n in range(2)},
        **{f"blocks.{n}.attention": rec.blocks[n].attention for n in range(2)},
        **{f"blocks.{n}.mlp": rec.blocks[n].mlp for n in range(2)},
    }[site]


@pytest.mark.parametrize(("model", "site"), PLACES)
def test_a_site_reads_what_a_hook_reads(envoys, recommenders, some, model, site):
    rec = envoys[model]
    envoy = natural(rec, site)
    assert envoy is rec.site(site)
    assert envoy.name == site
    with hooked(recommenders[model], site) as seen:
        expected = recommenders[model].score(some)
    with rec.trace(some):
        hidden = envoy.output.save()
        features = envoy.features.save()
        scores = rec.scores.save()
    assert torch.equal(hidden, seen[0])
    assert torch.equal(features, rec.saes[site].encode(seen[0]))
    assert torch.equal(scores, expected)
    with rec.trace(some) as tracer:
        early = envoy.output.save()
        tracer.stop()
    assert torch.equal(early, hidden)


@pytest.mark.parametrize(("model", "site"), PLACES)
@pytest.mark.parametrize("at", ["last", "all"])
@pytest.mark.parametrize("reconstruct", ["none", "last", "all"])
def test_steering_a_site_equals_a_hook_there(envoys, recommenders, some, model, site, at, reconstruct):
    rec, sae = envoys[model], envoys[model].saes[site]

    def change(hidden):
        before = sae.encode(hidden)
        after = before.clone()
        steps = slice(None) if at == "all" else slice(-1, None)
        after[:, steps, 3] = 2.5
        kept = hidden + sae.decode(after) - sae.decode(before)
        replaced = sae.decode(after)
        if reconstruct == "all":
            return replaced
        return torch.cat([kept[:, :-1], replaced[:, -1:]], 1) if reconstruct == "last" else kept

    plain = recommenders[model].score(some)
    with hooked(recommenders[model], site, change):
        expected = recommenders[model].score(some)
    with rec.steer({3: 2.5}, at=at, reconstruct=reconstruct, site=site):
        ambient = rec.score(some)
    with rec.steer({3: 2.5}, some, at=at, reconstruct=reconstruct, site=site):
        traced = rec.scores.save()
    torch.testing.assert_close(ambient, expected, **CLOSE)
    assert torch.equal(traced, ambient)
    assert not torch.allclose(expected, plain, atol=1e-4)


@pytest.mark.parametrize(("model", "site"), PLACES)
def test_features_of_a_site_can_be_written_in_a_trace(envoys, some, model, site):
    rec = envoys[model]
    envoy = natural(rec, site)
    with rec.steer({3: 2.5}, site=site):
        expected = rec.score(some)
    with rec.trace(some):
        envoy.features[:, -1, 3] = 2.5
        scores = rec.scores.save()
    torch.testing.assert_close(scores, expected, **CLOSE)


@pytest.mark.parametrize("model", MODELS)
def test_steers_at_several_sites_act_together(envoys, recommenders, some, model):
    """Whatever order they are given in: the network runs through them in its own."""
    rec = envoys[model]

    def push(site):
        return lambda hidden: torch.cat([hidden[:, :-1], hidden[:, -1:] + 2 * rec.saes[site].directions[5]], dim=1)

    pair = ("embedding", "blocks.1.mlp")
    with hooked(recommenders[model], pair[0], push(pair[0])), hooked(recommenders[model], pair[1], push(pair[1])):
        expected = recommenders[model].score(some)
    for first, second in (pair, pair[::-1]):
        with rec.steer({5: 2.0}, op="add", site=first), rec.steer({5: 2.0}, op="add", site=second):
            torch.testing.assert_close(rec.score(some), expected, **CLOSE)
    with pytest.raises(InputError, match=r"^dictionaries are attached at: .*embedding.*; say which with site=$"):
        rec.steer({5: 2.0})


@pytest.mark.parametrize("model", MODELS)
def test_a_steer_of_nothing_is_bit_identical_to_no_steer(envoys, recommenders, some, model):
    rec, expected = envoys[model], recommenders[model].score(some)
    assert torch.equal(rec.score(some), expected)
    for site in SITES:
        with rec.steer(rec.steer_of({}, site=site)):
            assert torch.equal(rec.score(some), expected)
        with rec.steer(rec.steer_of({}, site=site), some):
            traced = rec.scores.save()
        assert torch.equal(traced, expected)


@pytest.mark.parametrize("model", MODELS)
def test_unknown_sites_are_refused_with_the_list_of_all(envoys, model):
    for name in ("blocks.2", "blocks", "scorer", "blocks.0.attn", "backbone"):
        with pytest.raises(InputError) as error:
            envoys[model].site(name)
        assert str(error.value) == f"there is no site {name!r}: choose one of {', '.join(SITES)}"


@pytest.mark.parametrize(("model", "site"), PLACES)
def test_collecting_equals_hooks_on_one_history_at_a_time(envoys, recommenders, histories, tmp_path, model, site):
    few, recommender = histories.select(np.arange(6)), recommenders[model]
    store = collect(envoys[model], few, tmp_path / "store", site, batch_size=4)
    inputs, _ = few.split_last()
    parts = []
    for row in range(len(few)):
        with hooked(recommender, site) as seen:
            recommender.score(inputs.select(np.array([row])))
        parts.append(seen[0][0, : min(len(inputs[row]), 32)])  # items come first, then BERT4Rec's [MASK]
    torch.testing.assert_close(torch.from_numpy(np.array(store.activations)), torch.cat(parts), **CLOSE)
    assert store.site == site
    read = np.concatenate([inputs[row][-32:] for row in range(len(few))])
    assert store.rows["item"].tolist() == recommender.vocabulary.decode(read).tolist()


def test_a_dictionary_is_trained_and_attached_at_a_site_of_bert4rec(bert4rec, split, histories, tmp_path):
    rec = RecommenderEnvoy(bert4rec)
    store = collect(rec, split.sae_validation, tmp_path / "store", "blocks.0.mlp")
    small = SAEConfig(n_features=32, steps=30, batch_size=64, warmup_steps=10, sparsity_warmup_steps=10)
    sae = train(store, {"small": small}, tmp_path / "dictionaries")["small"]
    with rec.attach(sae).trace(histories) as tracer:
        features = rec.blocks[0].mlp.features.save()
        tracer.stop()
    assert features.shape[-1] == 32
    assert rec.saes.keys() == {"blocks.0.mlp"}


def test_the_last_step_of_bert4rec_is_its_mask(envoys, bert4rec):
    ids = bert4rec.vocabulary.ids
    given = [ids[:3].tolist(), ids[5:6].tolist()]
    rec = envoys["bert4rec"]
    assert rec.item_grid(given).tolist() == [[*ids[:3], None], [None, None, ids[5], None]]
    assert rec.item_steps(given).tolist() == [[True, True, True, False], [False, False, True, False]]
    with rec.trace(given):
        embedded = rec.embedding.output.save()
    mask = bert4rec.model.get_input_embeddings().weight[bert4rec.model.mask_token]
    assert torch.equal(embedded[:, -1], mask.expand(2, -1))


def test_invokes_of_different_lengths_share_one_forward_pass_of_bert4rec(envoys, some):
    rec, few = envoys["bert4rec"], some.select(np.arange(2))
    with rec.steer({3: 4.0}, site="blocks.0"):
        steered = rec.score(few)
    with rec.trace() as tracer:
        with tracer.invoke(some):
            plain = rec.scores.save()
        with tracer.invoke(few):
            rec.blocks[0].features[:, -1, 3] = 4.0
            edited = rec.scores.save()
    torch.testing.assert_close(plain, rec.score(some), **CLOSE)
    torch.testing.assert_close(edited, steered, **CLOSE)


def test_wrapping_warns_of_nothing_and_silences_nothing_else(bert4rec):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RecommenderEnvoy(bert4rec)
        with pytest.raises(UserWarning, match=r"^Module 'x' has a submodule named 'output'"):
            warnings.warn("Module 'x' has a submodule named 'output'", stacklevel=1)


def test_short_histories_and_small_catalogues_can_be_wrapped(recommenders):
    """The check of an envoy reads no more steps and items than there are."""
    for recommender in recommenders.values():
        kind = type(recommender.model)
        model = kind(kind.config_class(n_items=2, max_history=1, hidden_size=8, num_hidden_layers=1))
        rec = RecommenderEnvoy(Recommender(model, Vocabulary(pd.Index([7, 8], name="item"))))
        assert rec.recommend([[7, 8, 7], [8]], k=2)["item"].tolist() == [7]


@pytest.mark.parametrize("site", SITES)
def test_a_site_that_does_not_read_what_a_hook_reads_is_refused(bert4rec, site):
    class Fickle(BERT4Rec):
        """A site whose output depends on how often the model ran, although the scores do not."""

        def __init__(self, config):
            super().__init__(config)
            self.runs = 0
            self.get_submodule(self.sites[site]).register_forward_hook(self.drift)

        def drift(self, module, inputs, output):
            self.runs += 1
            return output + self.runs

        def forward(self, input_ids, labels=None):
            super().forward(input_ids)
            return RecommenderOutput(scores=torch.zeros(len(input_ids), 1))

    model = Fickle(bert4rec.model.config)
    with pytest.raises(InputError, match="differs from the bare model"):
        RecommenderEnvoy(Recommender(model, bert4rec.vocabulary))


# What is built on envoys works for BERT4Rec as well.


def test_effects_in_bert4rec_equal_central_differences_with_hooks(envoys, bert4rec, some):
    site, step = "blocks.1", 0.3
    jacobian = mean_jacobian(envoys["bert4rec"], some, site, step, users=5)
    rows = some.select(np.unique(np.linspace(0, len(some) - 1, 5).astype(int)))
    for neuron in (0, 9):
        ends = []
        for sign in (1, -1):
            push = torch.zeros(16)
            push[neuron] = sign * step
            with hooked(bert4rec, site, lambda h, push=push: torch.cat([h[:, :-1], h[:, -1:] + push], dim=1)):
                ends.append(bert4rec.score(rows).double().mean(dim=0))
        expected = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(jacobian[:, neuron], (expected - expected.mean()).numpy(), rtol=0, atol=1e-4)
    assert np.abs(jacobian).max() > 1e-3


def test_a_sweep_in_bert4rec_is_one_steer_after_another(bert4rec, histories, planted):
    concepts, few = concepts_of(planted.items, "concepts"), histories.select(np.arange(10))
    sae = untrained(bert4rec, "blocks.0", 0)
    rec = RecommenderEnvoy(bert4rec, sae)
    metrics, _ = sweep(rec, few, set_points(sae, {concepts.names[0]: 5}, [-6.0, 6.0]), concepts, k=5)
    inputs, _ = few.split_last()
    for method, reconstruct in (("set", "none"), ("replace", "all")):
        for value in (-6.0, 6.0):
            with rec.steer({5: value}, reconstruct=reconstruct):
                lists = rec.rank(inputs, 5)
            row = metrics[(metrics["method"] == method) & (metrics["value"] == value)].iloc[0]
            assert row["share"] == pytest.approx(concepts.labels(bert4rec.vocabulary.ids)[lists, 0].mean())


def test_replacing_a_layer_of_bert4rec_is_measured(envoys, bert4rec, histories):
    few = histories.select(np.arange(30))
    table = downstream(envoys["bert4rec"], few, "blocks.0").set_index("replaced")
    catalogue = np.arange(len(bert4rec.vocabulary))
    expected = evaluate(bert4rec.score, few, catalogue)
    assert table.loc["none", [*expected]].to_dict() == expected
    sae = envoys["bert4rec"].saes["blocks.0"]
    with hooked(bert4rec, "blocks.0", lambda hidden: sae.decode(sae.encode(hidden))):
        expected = evaluate(bert4rec.score, few, catalogue)
    assert table.loc["all", [*expected]].to_dict() == pytest.approx(expected)


def test_all_sites_are_read_in_one_trace(envoys, some):
    """In the order of their names, which is the order of the forward pass."""
    for rec in envoys.values():
        found = {}
        with rec.trace(some):
            for site in SITES:
                found[site] = save(rec.site(site).output)
        shapes = {tuple(hidden.shape) for hidden in found.values()}
        assert shapes == {(*rec.item_steps(some).shape, rec.recommender.model.config.hidden_size)}
