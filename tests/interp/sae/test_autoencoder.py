from dataclasses import replace

import numpy as np
import pytest
import torch

from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.sae_registry import sae_kinds
from interp.steering.edits import Edit, Steer
from recmodels.errors import InputError

ALL = sae_kinds()


@pytest.fixture
def one(every_kind, request):
    """The dictionary of the trainer that the test is parametrised with."""
    return every_kind[request.param]


each_kind = pytest.mark.parametrize("one", ALL, indirect=True)


@pytest.fixture(scope="module")
def hidden(stores):
    """float32 [3, 4, d] of the test part."""
    return torch.from_numpy(np.array(stores["test"].activations[:12])).reshape(3, 4, -1)


def encoding(trainer, w, x, k):
    """[n, f] features of normalised activations, from the equations of each method's paper."""
    if trainer == "gated":
        before = (x - w["decoder_bias"]) @ w["encoder.weight"].T
        return torch.relu(before * w["r_mag"].exp() + w["mag_bias"]) * (before + w["gate_bias"] > 0)
    if trainer == "jump_relu":
        before = x @ w["W_enc"] + w["b_enc"]
        return torch.where(before > w["threshold"], before, 0).relu()
    if trainer == "multi_scale":
        features = torch.relu((x - w["center"]) @ w["whiten"] @ w["encoder.weight"].T + w["encoder.bias"])
    elif trainer == "matryoshka":
        features = torch.relu((x - w["b_dec"]) @ w["W_enc"] + w["b_enc"])
    else:
        bias = w["b_dec"] if trainer in ("top_k", "batch_top_k") else w["bias"]
        features = torch.relu((x - bias) @ w["encoder.weight"].T + w["encoder.bias"])
    if trainer == "top_k":
        return torch.where(features >= features.sort(dim=1, descending=True).values[:, k - 1 : k], features, 0)
    return torch.where(features > w["threshold"], features, 0) if "threshold" in w else features


@each_kind
def test_encoding_is_what_each_paper_says(one, hidden):
    x = (hidden.reshape(12, -1) - one.mean) / one.std
    expected = encoding(one.config.trainer, one.dictionary.state_dict(), x, one.config.k)
    assert 0 < (expected > 0).float().mean() < 1
    torch.testing.assert_close(one.encode(hidden), expected.reshape(3, 4, -1), rtol=0, atol=1e-5)


@each_kind
def test_a_row_is_encoded_alone_as_in_a_batch(one, hidden):
    features = one.encode(hidden)
    assert features.shape == (3, 4, one.n_features)
    torch.testing.assert_close(features[1, 2], one.encode(hidden[1, 2]), rtol=0, atol=1e-5)


@each_kind
def test_decoding_adds_up_directions(one, hidden):
    features = one.encode(hidden)
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(3, 4, one.n_features, generator=generator) for _ in range(2))
    torch.testing.assert_close(one.decode(a) - one.decode(b), one.write(a - b), rtol=1e-4, atol=1e-5)
    nothing = one.decode(torch.zeros(one.n_features))
    torch.testing.assert_close(one.decode(features), features @ one.directions + nothing, rtol=1e-4, atol=1e-5)
    # One unit of a feature moves the hidden state by one standard deviation, whichever trainer made it.
    norms = one.directions.norm(dim=1) / one.std
    torch.testing.assert_close(norms, torch.ones_like(norms), rtol=0, atol=1e-4)


@each_kind
def test_save_and_load(one, hidden, tmp_path):
    one.save(tmp_path / "sae")
    state = torch.random.get_rng_state()
    loaded = SparseAutoencoder.load(tmp_path / "sae")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(loaded.encode(hidden), one.encode(hidden))
    assert torch.equal(loaded.decode(one.encode(hidden)), one.decode(one.encode(hidden)))
    for name in ("config", "provenance", "mean", "std"):
        assert getattr(loaded, name) == getattr(one, name)


def test_an_altered_dictionary_is_refused(sae, tmp_path):
    sae.save(tmp_path / "sae")
    (tmp_path / "sae" / "dictionary.json").write_text("{}")
    with pytest.raises(InputError, match="cut short or altered"):
        SparseAutoencoder.load(tmp_path / "sae")


@each_kind
def test_features_set_to_what_they_are_change_nothing(one, recommender, histories):
    rec = RecommenderEnvoy(recommender, one)
    given = histories.select(slice(0, 5))
    with rec.trace(given):
        hidden = rec.blocks[0].output.save()
        features = rec.blocks[0].features.save()
        scores = rec.scores.save()
    with rec.trace(given):
        rec.blocks[0].features[:, -1] = features[:, -1]
        traced = rec.scores.save()
    torch.testing.assert_close(traced, scores, rtol=0, atol=1e-5)
    by_user = [dict(zip(given.users, values, strict=True)) for values in features[:, -1].T.tolist()]
    own = tuple(Edit(feature, values) for feature, values in enumerate(by_user))
    with rec.steer(Steer(own, "blocks.0")):
        torch.testing.assert_close(rec.score(given), scores, rtol=0, atol=1e-5)

    with rec.trace(given):
        rec.blocks[0].features[:, -1, 3] = 2.0
        moved = rec.blocks[0].output.save()
    expected = hidden.clone()
    expected[:, -1] += (2.0 - features[:, -1, 3])[:, None] * one.directions[3]
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-5)


def test_another_recommender_is_refused(sae):
    sae.check_belongs(sae.provenance.recommender)
    elsewhere = replace(sae, provenance=replace(sae.provenance, recommender="f" * 64))
    with pytest.raises(InputError, match="was trained on recommender ffffffffffff, not on"):
        elsewhere.check_belongs(sae.provenance.recommender)
