import pytest
import torch
from dictionary_learning.dictionary import AutoEncoder, IdentityDict
from tiny_recommenders import random_sae

from interp.deployment.canonical import canonical
from interp.sae.exchange.of_modules import plain_of
from interp.sae_registry import sae_kind, sae_kinds
from recmodels.errors import InputError

HIDDEN = 2 * torch.randn(300, 16, generator=torch.Generator().manual_seed(2))
KINDS = [kind for kind in sae_kinds() if getattr(sae_kind(kind), "trained", True)]


@pytest.mark.parametrize("kind", KINDS)
def test_features_and_reconstructions_of_every_kind(kind):
    sae = random_sae(kind, "none")
    tensors = canonical(sae, HIDDEN)
    features = sae.encode(HIDDEN)
    assert 0.02 < (features > 0).float().mean() < 0.9
    torch.testing.assert_close(tensors.encode(HIDDEN), features, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(tensors.decode(features), sae.decode(features), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(tensors.decoder, sae.directions, rtol=1e-5, atol=1e-5)
    assert (tensors.n_features, tensors.fingerprint) == (sae.n_features, sae.fingerprint)


@pytest.mark.parametrize("kind", ["unsquared", "gated", "batch_top_k"])
def test_some_features_alone(kind):
    tensors = canonical(random_sae(kind, "none"), HIDDEN)
    torch.testing.assert_close(tensors.only([7, 2]).encode(HIDDEN), tensors.encode(HIDDEN)[:, [7, 2]])


def test_an_unknown_form_is_refused():
    sae = random_sae("unsquared", "none")
    object.__setattr__(sae, "dictionary", IdentityDict(16))
    with pytest.raises(InputError, match="IdentityDict has no counterpart"):
        canonical(sae, HIDDEN)


def test_a_plain_form_that_is_wrong_is_refused():
    class Doubled(AutoEncoder):
        def encode(self, x):
            return 2 * super().encode(x)

    plain_of.register(Doubled, plain_of.dispatch(AutoEncoder))
    sae = random_sae("unsquared", "none")
    sae.dictionary.__class__ = Doubled
    with pytest.raises(InputError, match="plain form gives other features"):
        canonical(sae, HIDDEN)
