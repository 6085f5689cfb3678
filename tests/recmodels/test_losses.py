import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from recmodels import losses
from recmodels.config import TrainingConfig
from recmodels.errors import InputError
from recmodels.losses import GBCE, Sample, SampledSoftmax, full, linear_cross_entropy, name_of_loss, objective
from recmodels.model import IGNORE
from recmodels.training import build

SIZES = {"max_history": 6, "hidden_size": 8, "num_hidden_layers": 1}


def close(made, expected):
    """Equal to one part in a million."""
    for value, exact in zip(made, expected, strict=True):
        assert float((value - exact).norm() / exact.norm()) <= 1e-6


def with_gradients(loss, *tensors):
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    value = loss(*leaves)
    return [value.detach(), *torch.autograd.grad(3 * value, leaves)]


@pytest.mark.parametrize("chunk", [1, 700 * 4, 4000 * 4, 2**30])  # a row, a row, 5 rows, all rows
@pytest.mark.parametrize("has_bias", [True, False])
def test_cross_entropy_in_chunks_is_that_of_torch(monkeypatch, chunk, has_bias):
    monkeypatch.setitem(losses.CHUNK_BYTES, "cpu", chunk)
    random = torch.Generator().manual_seed(0)
    hidden, weights, bias = (torch.randn(*size, generator=random) for size in ((23, 16), (700, 16), (700,)))
    targets = torch.randint(700, (23,), generator=random)
    tensors = (hidden, weights, bias) if has_bias else (hidden, weights)
    made = with_gradients(
        lambda hidden, weights, bias=None: linear_cross_entropy(hidden, weights, bias, targets), *tensors
    )
    expected = with_gradients(
        lambda hidden, weights, bias=None: F.cross_entropy(F.linear(hidden, weights, bias), targets), *tensors
    )
    close(made, expected)


def test_cross_entropy_of_large_scores_is_finite():
    hidden, weights = torch.tensor([[1e4], [-1e4]]), torch.tensor([[1.0], [-1.0]])
    assert linear_cross_entropy(hidden, weights, None, torch.tensor([0, 0])) == pytest.approx(1e4)


def test_the_loss_of_a_model_is_cross_entropy_at_labelled_steps_alone():
    """Tied weights included: the gradients of all weights are those of the plain formula."""
    torch.manual_seed(0)
    model = build(TrainingConfig(dropout=0.0, **SIZES), 30)
    tokens = torch.tensor([[0, 0, 3, 5], [7, 30, 2, 1]])
    labels = torch.tensor([[IGNORE, IGNORE, 4, 8], [29, 1, 0, IGNORE]])
    model(tokens, labels).loss.backward()
    made = [weights.grad.clone() for weights in model.parameters()]
    model.zero_grad()
    scores = model.score_hidden(model.encode(tokens))
    F.cross_entropy(scores.flatten(0, 1), labels.flatten(), ignore_index=IGNORE).backward()
    for gradient, weights in zip(made, model.parameters(), strict=True):
        torch.testing.assert_close(gradient, weights.grad, rtol=1e-5, atol=1e-7)


class Cosine:
    """Scores of a model's own kind: not linear."""

    has_linear_scores, has_usual_loss = False, True

    def __init__(self, weights):
        self.weights = weights
        self.config = SimpleNamespace(n_items=len(weights), model_type="cosine")

    def score_hidden(self, hidden):
        return F.normalize(hidden, dim=1) @ F.normalize(self.weights, dim=1).T


def test_scores_that_are_not_linear_have_the_same_loss_in_chunks(monkeypatch):
    monkeypatch.setitem(losses.CHUNK_BYTES, "cpu", 50 * 4 * 3)
    hidden, weights, targets = torch.randn(10, 4), torch.randn(50, 4), torch.arange(10)
    made = with_gradients(lambda hidden, weights: full(Cosine(weights), hidden, targets), hidden, weights)
    expected = with_gradients(
        lambda hidden, weights: F.cross_entropy(Cosine(weights).score_hidden(hidden), targets), hidden, weights
    )
    close(made, expected)


def test_a_model_that_scores_in_its_own_way_is_not_taken_for_linear():
    base = type(build(TrainingConfig(**SIZES), 3))

    class Scaled(base):
        def score_hidden(self, hidden):
            return super().score_hidden(hidden).tanh()

    class Weighted(Scaled):
        def output_weights(self):
            return self.item_embeddings()

    assert [kind.has_linear_scores.fget(object.__new__(kind)) for kind in (base, Scaled, Weighted)] == [
        True,
        False,
        True,
    ]


def model_of(weights):
    """A stand-in for a model with these output weights."""

    class Model:
        has_linear_scores = has_usual_loss = True
        config = SimpleNamespace(model_type="by hand")

        def output_weights(self):
            return weights

        def output_bias(self):
            return None

    return Model()


class Drawn(Sample):
    """A sample that is given."""

    codes = torch.tensor([0, 1, 1, 3])

    def draw(self):
        return self.codes


def test_the_corrected_softmax_by_hand():
    """One row whose target, item 1, is drawn twice by accident; the hidden state is 1, so weights are scores."""
    q = torch.tensor([0.1, 0.4, 0.2, 0.3], dtype=torch.float64)
    weights = torch.tensor([[1.0], [2.0], [5.0], [-1.0]])
    loss = SampledSoftmax(Drawn(4, q))(model_of(weights), torch.ones(1, 1), torch.tensor([1]))
    mass = math.exp(2) + math.exp(1) / (4 * 0.1) + math.exp(-1) / (4 * 0.3)
    assert float(loss) == pytest.approx(math.log(mass) - 2, rel=1e-6)


def test_gbce_by_hand():
    """4 draws of 3 other items: α = 1, so β = 1; with 13 items α = 1/3 and β = 1 − 0.75 · 2/3 = 1/2."""
    q, sigmoid = torch.full((4,), 0.25, dtype=torch.float64), lambda x: 1 / (1 + math.exp(-x))
    weights = torch.tensor([[1.0], [2.0], [5.0], [-1.0]])
    others = math.log(1 - sigmoid(1)) + math.log(1 - sigmoid(-1))
    for more, beta in ((0, 1.0), (9, 0.5)):
        model = model_of(torch.cat([weights, torch.zeros(more, 1)]))
        loss = GBCE(Drawn(4, q), 0.75)(model, torch.ones(1, 1), torch.tensor([1]))
        assert float(loss) == pytest.approx(-(beta * math.log(sigmoid(2)) + others) / 5, rel=1e-6)


@pytest.mark.parametrize("proposal", ["popularity", "uniform"])
def test_many_samples_give_the_loss_and_the_gradients_of_all_items(proposal):
    random = torch.Generator().manual_seed(0)
    hidden, weights = torch.randn(40, 4, generator=random), torch.randn(20, 4, generator=random)
    targets, counts = torch.arange(40) % 20, np.arange(20)
    config = TrainingConfig(loss="sampled-softmax", negatives=200_000, proposal=proposal)
    sampled = objective(config, model_of(weights), counts)
    torch.manual_seed(0)
    made = with_gradients(lambda hidden, weights: sampled(model_of(weights), hidden, targets), hidden, weights)
    expected = with_gradients(lambda hidden, weights: full(model_of(weights), hidden, targets), hidden, weights)
    for value, exact in zip(made, expected, strict=True):
        assert float((value - exact).norm() / exact.norm()) < 0.02


@pytest.mark.parametrize("name", ["sampled-softmax", "gbce"])
def test_sampled_losses_do_not_depend_on_the_size_of_chunks(monkeypatch, name):
    torch.manual_seed(0)
    hidden, weights, targets = torch.randn(30, 4), torch.randn(50, 4), torch.arange(30)
    sampled = objective(TrainingConfig(loss=name, negatives=16), model_of(weights), np.ones(50))
    values = []
    for chunk in (1, 16 * 4 * 7, 2**30):
        monkeypatch.setitem(losses.CHUNK_BYTES, "cpu", chunk)
        torch.manual_seed(1)
        values.append(
            with_gradients(lambda hidden, weights: sampled(model_of(weights), hidden, targets), hidden, weights)
        )
    close(values[0], values[2])
    close(values[1], values[2])


def test_items_are_drawn_as_often_as_they_should():
    torch.manual_seed(0)
    q = torch.tensor([0.5, 0.0, 0.3, 0.2], dtype=torch.float64)
    counts = torch.bincount(Sample(100_000, q).draw(), minlength=4) / 100_000
    torch.testing.assert_close(counts.double(), q, atol=0.01, rtol=0)
    assert counts[1] == 0


@pytest.mark.parametrize(
    ("loss", "n_items", "name"),
    [
        (None, 100_000, "full"),
        (None, 100_001, "sampled-softmax"),
        ("full", 100_001, "full"),
        ("gbce", 10, "gbce"),
    ],
)
def test_the_default_loss_follows_from_the_catalogue(loss, n_items, name):
    assert name_of_loss(TrainingConfig(loss=loss), n_items) == name


def test_a_sample_of_scores_that_are_not_linear_is_refused():
    with pytest.raises(InputError, match=r'^training\.loss gbce needs scores .* take loss "full" for cosine$'):
        objective(TrainingConfig(loss="gbce"), Cosine(torch.ones(3, 2)), np.ones(3))
