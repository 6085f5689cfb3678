"""Trainers that compute active features alone, against the losses of dictionary_learning, which compute all."""

import pytest
import torch
from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKTrainer
from dictionary_learning.trainers.top_k import TopKTrainer

from interp.config import SAEConfig
from interp.sae.active_features import Entries, decode, encode, strongest
from interp.sae.kinds import arguments
from interp.sae.kinds.matryoshka import GROUP_FRACTIONS
from interp.sae.trainers import build_trainer

LIBRARY = {
    "top_k": (TopKTrainer, {}),
    "batch_top_k": (BatchTopKTrainer, {}),
    "matryoshka": (MatryoshkaBatchTopKTrainer, {"group_fractions": GROUP_FRACTIONS}),
}


@pytest.mark.parametrize("dead_after", [10_000_000, 300])
@pytest.mark.parametrize("trainer", LIBRARY)
def test_hundred_steps_end_in_the_weights_of_the_library(trainer, dead_after):
    """With features that count as dead after 300 rows too, so that the loss which revives them is in force."""
    config = SAEConfig(trainer=trainer, n_features=256, k=8, steps=120, batch_size=64, warmup_steps=10, seed=1)
    kind, more = LIBRARY[trainer]
    slow = kind(**arguments.shared(config, 16, "cpu"), **arguments.top_k(config), **more)
    fast = build_trainer(config, 16)
    assert isinstance(fast, kind)
    assert (fast.config, type(fast.ae)) == (slow.config, type(slow.ae))
    slow.dead_feature_threshold = fast.dead_feature_threshold = dead_after
    batches = torch.randn(100, 64, 16, generator=torch.Generator().manual_seed(0))
    dead = 0
    for step, batch in enumerate(batches):
        assert fast.update(step, batch) == pytest.approx(slow.update(step, batch), rel=1e-5)
        dead += fast.dead_features
    state, expected = fast.ae.state_dict(), slow.ae.state_dict()
    assert max(float((state[name] - expected[name]).abs().max()) for name in expected) <= 1e-4
    assert torch.equal(fast.num_tokens_since_fired, slow.num_tokens_since_fired)
    assert (fast.dead_features, fast.effective_l0) == (slow.dead_features, slow.effective_l0)
    assert (dead > 0) == (dead_after == 300)
    assert expected["threshold"] > 0
    logged, wanted = (trainer.loss(batches[0], step=100, logging=True).losses for trainer in (fast, slow))
    assert logged == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("trainer", LIBRARY)
def test_in_double_precision_the_weights_are_those_of_the_library(trainer):
    """What single precision leaves open, such as which of two nearly equal features is kept, is left out here."""
    config = SAEConfig(trainer=trainer, n_features=256, k=8, steps=120, batch_size=64, warmup_steps=10, seed=1)
    kind, more = LIBRARY[trainer]
    slow = kind(**arguments.shared(config, 16, "cpu"), **arguments.top_k(config), **more)
    fast = build_trainer(config, 16)
    for trained in (slow, fast):
        trained.ae.double()
    for step, batch in enumerate(torch.randn(100, 64, 16, generator=torch.Generator().manual_seed(0)).double()):
        fast.update(step, batch)
        slow.update(step, batch)
    state, expected = fast.ae.state_dict(), slow.ae.state_dict()
    assert max(float((state[name] - expected[name]).abs().max()) for name in expected) <= 1e-10


@pytest.mark.parametrize("shape", [(5, 256), (1, 1024), (3, 50), (4, 9)])
def test_the_strongest_are_those_of_a_full_selection(shape):
    scores = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    for k in (1, 4, shape[1] // 2, shape[1]):
        expected = scores.topk(k).indices.sort().values
        assert torch.equal(strongest(scores, k).sort().values, expected)
    level = torch.zeros(shape)
    assert (strongest(level, 4).sort().values.diff() > 0).all()  # no place twice, where all are equal


def test_gradients_are_those_of_the_dense_product():
    """Rows with no active feature, features that are active nowhere, and three groups."""
    generator = torch.Generator().manual_seed(0)
    x, weight, bias, directions = (
        torch.randn(shape, dtype=torch.double, generator=generator, requires_grad=True)
        for shape in ((6, 4), (10, 4), (10,), (10, 4))
    )
    active = torch.rand(6, 10, generator=generator) < 0.3
    active[2] = active[:, 7] = False
    scores = x @ weight.T + bias
    features = torch.relu(scores) * active
    groups = torch.tensor([0, 0, 0, 1, 1, 1, 1, 1, 2, 2])
    dense = torch.stack([(features * (groups == g)) @ directions for g in range(3)], dim=1)
    places = active.flatten().nonzero().squeeze(1).flip(0)  # in any order
    entries = Entries.of(places, 6, 10, torch.tensor([3, 8, 10]))
    sparse = decode(encode(x, weight, bias, scores.detach(), entries), directions, entries)
    torch.testing.assert_close(sparse, dense)
    of = torch.randn(dense.shape, dtype=torch.double, generator=generator)
    inputs = (x, weight, bias, directions)
    expected = torch.autograd.grad((dense * of).sum(), inputs, retain_graph=True)
    for got, want in zip(torch.autograd.grad((sparse * of).sum(), inputs), expected, strict=True):
        torch.testing.assert_close(got, want)
