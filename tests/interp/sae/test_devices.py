"""Nothing is left on the CPU by accident: on torch's device without data, a tensor of another device is an error."""

import pytest
import torch

from interp.config import SAEConfig
from interp.sae.active_features import Entries, decode, encode, strongest
from interp.sae.autoencoder import Provenance, SparseAutoencoder
from interp.sae.trainers import build_trainer
from interp.steering.edits import Edit, Steer

ELSEWHERE = torch.device("meta")


# The library's TopK reads its k from a tensor, and JumpReLU's loss its counters, which have no values there.
@pytest.mark.parametrize("trainer", ["batch_top_k", "matryoshka", "unsquared", "standard", "gated", "p_anneal"])
def test_encoding_decoding_and_steering_stay_where_they_are(trainer):
    config = SAEConfig(trainer=trainer, n_features=64, k=4, steps=60, warmup_steps=5, sparsity_warmup_steps=10)
    sae = SparseAutoencoder(build_trainer(config, 16, "meta").ae, 0.1, 2.0, config, Provenance("", "blocks.0", ""))
    hidden = torch.empty(3, 5, 16, device=ELSEWHERE)
    features = sae.encode(hidden)
    steered = Steer((Edit(3, 1.0),), "blocks.0").apply(hidden, sae)
    results = features, sae.decode(features), sae.write(features), sae.directions, steered
    assert [result.device for result in results] == [ELSEWHERE] * 5
    with pytest.raises(RuntimeError):  # the device does tell
        sae.encode(torch.empty(3, 5, 16))


@pytest.mark.parametrize("trainer", ["unsquared", "standard", "gated", "p_anneal"])
def test_losses_and_gradients_stay_where_they_are(trainer):
    config = SAEConfig(trainer=trainer, n_features=64, steps=60, warmup_steps=5, sparsity_warmup_steps=10)
    built = build_trainer(config, 16, "meta")
    built.loss(torch.empty(32, 16, device=ELSEWHERE), step=40).backward()
    assert all(weights.grad.device == ELSEWHERE for weights in built.ae.parameters() if weights.grad is not None)


@pytest.mark.parametrize("groups", [None, torch.tensor([16, 64], device=ELSEWHERE)])
def test_active_features_stay_where_they_are(groups):
    x, weight, bias, directions = (
        torch.empty(shape, device=ELSEWHERE, requires_grad=True) for shape in ((32, 16), (64, 16), (64,), (64, 16))
    )
    scores = torch.addmm(bias, x, weight.T).detach()
    places = strongest(scores.view(1, -1), 128).squeeze(0)
    entries = Entries.of(places, 32, 64, groups)
    decode(encode(x, weight, bias, scores, entries), directions, entries).sum().backward()
    for tensor in (x, weight, bias, directions):
        assert tensor.grad.device == ELSEWHERE
