import pytest
import torch

from recmodels.shuffling import shuffled


def test_weights_lose_what_they_know_keep_their_values_and_come_back(recommender, histories):
    some = histories.select(slice(0, 5))
    before, fingerprint = recommender.score(some), recommender.fingerprint
    weights = {name: tensor.clone() for name, tensor in recommender.model.named_parameters()}
    with shuffled(recommender, seed=3) as noise:
        for name, tensor in noise.model.named_parameters():
            assert torch.equal(tensor.flatten().sort().values, weights[name].flatten().sort().values)
        assert noise.fingerprint != fingerprint
        scores = noise.score(some)
        assert not torch.allclose(scores, before, atol=0.1)
    with shuffled(recommender, seed=3) as again:
        assert torch.equal(again.score(some), scores)
    assert torch.equal(recommender.score(some), before)
    with pytest.raises(ZeroDivisionError), shuffled(recommender):
        _ = 1 / 0
    assert torch.equal(recommender.score(some), before)
