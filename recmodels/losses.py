"""Training losses: cross-entropy over all items, and two that compare with sampled items. None holds rows × items.

Axes: n rows (steps with something to predict), d hidden size, v items, k sampled items.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from recmodels.config import TrainingConfig
from recmodels.errors import InputError


class ItemScores(Protocol):
    """What a loss reads of a recommender (`recmodels.model.SequentialRecommender` says what each is)."""

    @property
    def config(self) -> Any:
        """Its configuration, with n_items and model_type."""

    @property
    def has_linear_scores(self) -> bool:
        """Whether scores are linear in the hidden state."""

    @property
    def has_usual_loss(self) -> bool:
        """Whether its forward pass minimises an `Objective`."""

    def output_weights(self) -> Tensor:
        """[v, d] how scores change with the hidden state."""

    def output_bias(self) -> Tensor | None:
        """[v] what is added to scores."""

    def score_hidden(self, hidden: Tensor) -> Tensor:
        """[n, d] hidden states to [n, v] scores."""


Objective: TypeAlias = Callable[[ItemScores, Tensor, Tensor], Tensor]
"""The mean loss of a model's hidden states [n, d] at "final" whose next items are these codes, int64 [n]."""
MOST_ITEMS = 100_000  # of a catalogue that is compared with as a whole, unless a setting says so
CHUNK_BYTES = {"cpu": 2**22, "cuda": 2**28}  # of logits at a time: 4 MiB stay in a processor's cache


def linear_cross_entropy(hidden: Tensor, weights: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """Mean cross-entropy of linear scores, as `F.cross_entropy(F.linear(hidden, weights, bias), targets)`.

    The scores are computed for some rows at a time, and so are their gradients, right after them: the scores of all
    rows are never held, and those at hand are still in the cache.

    Args:
        hidden: [n, d].
        weights: [v, d].
        bias: [v] or None.
        targets: int64 [n].

    Returns:
        The mean over rows, [].
    """
    return _LinearCrossEntropy.apply(hidden, weights, bias, targets)


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weights: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
        n, total = len(hidden), hidden.new_zeros(())
        has_gradients = any(ctx.needs_input_grad)
        of_hidden, of_weights = torch.empty_like(hidden), torch.zeros_like(weights)
        of_bias = None if bias is None else torch.zeros_like(bias)
        rows = rows_of_chunk(weights, len(weights))
        for start in range(0, n, rows):
            some, target = hidden[start : start + rows], targets[start : start + rows, None]
            logits = F.linear(some, weights, bias)
            own, largest = logits.gather(1, target), logits.amax(dim=1, keepdim=True)
            mass = logits.sub_(largest).exp_().sum(dim=1, keepdim=True)
            total += (mass.log() + largest - own).sum()
            if has_gradients:
                of_logits = logits.div_(mass * n).scatter_add_(1, target, own.new_full(own.shape, -1 / n))
                torch.mm(of_logits, weights, out=of_hidden[start : start + rows])
                of_weights.addmm_(of_logits.T, some)
                if of_bias is not None:
                    of_bias += of_logits.sum(dim=0)
        ctx.save_for_backward(of_hidden, of_weights, of_bias)
        return total / n

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        return *(None if part is None else part * scale for part in ctx.saved_tensors), None


def rows_of_chunk(like: Tensor, width: int) -> int:
    """How many rows of this many logits are computed at a time."""
    return max(1, CHUNK_BYTES.get(like.device.type, 2**28) // (width * like.element_size()))


def in_chunks(loss: Callable[..., Tensor], width: int, *rows: Tensor) -> Tensor:
    """The mean over rows of a loss of `width` logits each; they are computed again for the gradients, not held.

    Args:
        loss: the sum over rows, of the same rows of each of `rows`.
        width: logits of a row.
        rows: [n, ...] each.
    """
    size = rows_of_chunk(rows[0], width)
    parts = zip(*(tensor.split(size) for tensor in rows), strict=True)
    sums = [checkpoint(loss, *part, use_reentrant=False, preserve_rng_state=False) for part in parts]
    return torch.stack(sums).sum() / len(rows[0])


def full(model: ItemScores, hidden: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy over all items.

    Args:
        model: gives the scores of hidden states.
        hidden: [n, d] states at "final".
        targets: int64 [n] codes of the next items.
    """
    if model.has_linear_scores:
        return linear_cross_entropy(hidden, model.output_weights(), model.output_bias(), targets)
    return in_chunks(
        lambda some, target: F.cross_entropy(model.score_hidden(some), target, reduction="sum"),
        model.config.n_items,
        hidden,
        targets,
    )


@dataclass(frozen=True)
class Sample:
    """Items to compare with, drawn with replacement; all rows of a batch share them.

    Attributes:
        size: k, how many are drawn.
        probabilities: float64 [v] how likely a draw gives each item; they add up to 1.
    """

    size: int
    probabilities: Tensor

    def draw(self) -> Tensor:
        """Codes, int64 [k]. The random numbers are torch's, so that a resumed training draws the same."""
        chance = torch.rand(self.size, dtype=torch.float64)
        return torch.searchsorted(self.probabilities.cumsum(0), chance).clamp(max=len(self.probabilities) - 1)

    def scores(self, model: ItemScores, targets: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the losses below read.

        Returns:
            The sampled codes [k], the weights of the targets [n, d] and of the sample [k, d], and the bias of all [v].
        """
        sample, weights, bias = self.draw().to(targets.device), model.output_weights(), model.output_bias()
        # One look-up, because the gradient of each is as large as the whole table.
        rows = F.embedding(torch.cat([targets, sample]), weights)
        bias = weights.new_zeros(len(weights)) if bias is None else bias
        return sample, rows[: len(targets)], rows[len(targets) :], bias


@dataclass(frozen=True)
class SampledSoftmax:
    """Softmax over the target and sampled items, corrected for how often each is drawn.

    A sampled item j counts exp(score) / (k q_j), which makes the sum over the sample an unbiased estimate of that over
    all items but the target; the target itself is not sampled, so its score stays as it is, and where it is drawn by
    accident it is left out. (Bengio and Senécal 2008; for the target: Khrylchenko et al., *Correcting the LogQ
    Correction*, RecSys 2025.)
    """

    sample: Sample

    def __call__(self, model: ItemScores, hidden: Tensor, targets: Tensor) -> Tensor:
        """As `full`."""
        sample, own_weights, weights, bias = self.sample.scores(model, targets)
        expected = self.sample.size * self.sample.probabilities.to(hidden.device)[sample]
        shift = bias[sample] - expected.log().to(hidden.dtype)

        def loss(some: Tensor, target: Tensor, own_weights: Tensor) -> Tensor:
            own = (some * own_weights).sum(dim=1, keepdim=True) + bias[target, None]
            others = F.linear(some, weights, shift).masked_fill(sample == target[:, None], -math.inf)
            return (torch.cat([own, others], dim=1).logsumexp(dim=1, keepdim=True) - own).sum()

        return in_chunks(loss, len(sample), hidden, targets, own_weights)


@dataclass(frozen=True)
class GBCE:
    """Generalised binary cross-entropy: −β log σ(target) − Σ log(1 − σ(sampled)), over k + 1, for a uniform sample.

    With α = k / (v − 1), the share of the other items that is drawn, β = 1 − t (1 − α). At t = 0 this is SASRec's
    binary loss; t = 1 undoes the overconfidence that sampling brings. (Petrov and Macdonald, *gSASRec*, RecSys 2023,
    whose sample is of each row; here all rows share it.)

    Attributes:
        sample: the items to compare with.
        calibration: t.
    """

    sample: Sample
    calibration: float

    def __call__(self, model: ItemScores, hidden: Tensor, targets: Tensor) -> Tensor:
        """As `full`."""
        sample, own_weights, weights, bias = self.sample.scores(model, targets)
        share = min(1.0, len(sample) / max(1, len(bias) - 1))
        beta = 1 - self.calibration * (1 - share)

        def loss(some: Tensor, target: Tensor, own_weights: Tensor) -> Tensor:
            own = (some * own_weights).sum(dim=1) + bias[target]
            others = F.linear(some, weights, bias[sample]).masked_fill(sample == target[:, None], -math.inf)
            return F.softplus(others).sum() - beta * F.logsigmoid(own).sum()

        return in_chunks(loss, len(sample), hidden, targets, own_weights) / (len(sample) + 1)


def name_of_loss(config: TrainingConfig, n_items: int) -> str:
    """The loss that a configuration means for a catalogue of this size."""
    return config.loss or ("full" if n_items <= MOST_ITEMS else "sampled-softmax")


def objective(config: TrainingConfig, model: ItemScores, counts: np.ndarray) -> Objective:
    """The loss of a training.

    Args:
        config: which loss, and its settings.
        model: what is trained.
        counts: [v] how often each item is to be predicted.

    Raises:
        InputError: the model computes its own loss, or has scores that no sample can be taken of.
    """
    name, own = name_of_loss(config, len(counts)), model.config.model_type
    if name == "full":
        return full
    if not model.has_usual_loss:
        raise InputError(f"training.loss {name} plays no part in {own}, which computes its own loss: leave it out")
    if not model.has_linear_scores:
        raise InputError(
            f'training.loss {name} needs scores that are linear in the last hidden state: take loss "full" for {own}'
        )
    likely = counts + 1.0 if name == "sampled-softmax" and config.proposal == "popularity" else np.ones(len(counts))
    sample = Sample(config.negatives, torch.from_numpy(likely / likely.sum()))
    return SampledSoftmax(sample) if name == "sampled-softmax" else GBCE(sample, config.calibration)
