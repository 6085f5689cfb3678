"""The top-k trainers of dictionary_learning with a loss that computes active features alone.

Each is that library's trainer in all but `loss`: its steps, its dictionary and its `config` are the library's, and
weights differ from those of its own loss by rounding. Where ranks share a batch (`recmodels.rank_tensors`), all that
depends on more than a row is of the whole batch: which features are active, thresholds, and which features are dead.

Axes: n rows, d hidden size, f features, m active entries, g groups of features.
"""

from typing import Any

import torch
from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKTrainer
from dictionary_learning.trainers.top_k import TopKTrainer
from torch import Tensor

from interp.sae.active_features import Entries, decode, encode, strongest, strongest_of_batch
from recmodels.rank_tensors import least, mean, sharing


class _ActiveLoss:
    """The loss of a dictionary that keeps the k · n largest activations of a batch, in one group."""

    ae: Any
    optimizer: Any
    k: int
    top_k_aux: int
    auxk_alpha: float
    threshold_start_step: int
    update_threshold: Any
    num_tokens_since_fired: Tensor
    dead_feature_threshold: int
    pre_norm_auxk_loss: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weights in self.ae.parameters():  # the library's are partly transposed, which a fused step cannot read
            weights.data = weights.data.contiguous()
        for group in self.optimizer.param_groups:
            group["fused"] = True  # all of Adam in one pass over the weights

    def loss(self, x: Tensor, step: int, logging: bool = False) -> Any:
        """The library's loss of rows [n, d]; with `logging`, what the library returns."""
        if logging:
            return super().loss(x, step=step, logging=True)  # type: ignore[misc]
        weight, bias, directions = self._by_feature()
        centered = x - self.ae.b_dec
        with torch.no_grad():
            scores = torch.addmm(bias, centered, weight.T)
            entries = Entries.of(self._places(scores), len(x), len(bias), self._group_ends())
        values = encode(centered, weight, bias, scores, entries)
        errors = x[:, None] - decode(values, directions, entries).cumsum(dim=1) - self.ae.b_dec  # [n, g, d]
        self._record(values.detach(), entries, step)
        loss = self._mean(errors.square().sum(dim=2).mean(dim=0))
        return loss + self._revive(errors[:, -1].detach(), centered, scores)

    def _revive(self, rest: Tensor, centered: Tensor, scores: Tensor) -> Tensor | float:
        """What dead features miss of the error `rest` [n, d]: AuxK of Gao et al., arXiv 2406.04093, A.2."""
        dead = (self.num_tokens_since_fired >= self.dead_feature_threshold).nonzero().squeeze(1)
        self.dead_features, self.pre_norm_auxk_loss = len(dead), -1
        if not len(dead) or not self.auxk_alpha:
            return 0.0
        weight, bias, directions = self._by_feature()
        with torch.no_grad():
            places = dead[strongest(scores[:, dead], min(self.top_k_aux, len(dead)))]
            entries = Entries.of(_in_batch(places, scores), *scores.shape)
        parts = decode(encode(centered, weight, bias, scores, entries), directions, entries)
        error = (rest - parts.squeeze(1)).square().sum(dim=1).mean()
        self.pre_norm_auxk_loss = error.detach()
        variance = mean((rest - mean(rest.mean(dim=0))).square().sum(dim=1).mean())
        return self.auxk_alpha * (error / variance).nan_to_num(0.0)

    def _by_feature(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weights [f, d] and biases [f] of the encoder, and the decoder's directions [f, d]."""
        encoder, decoder = self.ae.encoder, self.ae.decoder
        return encoder.weight, encoder.bias, decoder.weight.T.contiguous()

    def _places(self, scores: Tensor) -> Tensor:
        """row · f + feature of the active entries, [m], by their scores [n, f]."""
        return strongest_of_batch(scores, self.k)

    def _group_ends(self) -> Tensor | None:
        """The feature after the last of each group, [g]; None for one group."""
        return None

    def _mean(self, losses: Tensor) -> Tensor:
        """The loss from that of each group, [g]."""
        return losses.squeeze(0)

    def _record(self, values: Tensor, entries: Entries, step: int) -> None:
        """Follow the threshold of inference, and count rows since each feature was last active."""
        self.effective_l0 = self.k
        if step > self.threshold_start_step:
            smallest = least(torch.where(values > 0, values, torch.inf).min())
            self.update_threshold(smallest.nan_to_num(posinf=0.0)[None])
        self._count(entries, entries.features[values > 0])

    def _count(self, entries: Entries, fired: Tensor) -> None:
        self.num_tokens_since_fired += entries.shape[0] * sharing()[1]
        self.num_tokens_since_fired[fired] = 0
        self.num_tokens_since_fired = least(self.num_tokens_since_fired)


class ActiveBatchTopKTrainer(_ActiveLoss, BatchTopKTrainer):
    """Keeps the k · n largest activations of a batch."""


class ActiveTopKTrainer(_ActiveLoss, TopKTrainer):
    """Keeps the k largest activations of each row."""

    def _places(self, scores: Tensor) -> Tensor:
        return _in_batch(strongest(scores, self.k), scores)

    def _record(self, values: Tensor, entries: Entries, step: int) -> None:
        self.effective_l0 = self.k
        if step > self.threshold_start_step:
            self.update_threshold(values.view(-1, self.k))
            self.ae.threshold = mean(self.ae.threshold)
        self._count(entries, entries.features)  # in the library, a feature that is kept at 0 counts as active


class ActiveMatryoshkaTrainer(_ActiveLoss, MatryoshkaBatchTopKTrainer):
    """Keeps the k · n largest activations of a batch; each group reconstructs with all groups before it."""

    def _by_feature(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.ae.W_enc.T.contiguous(), self.ae.b_enc, self.ae.W_dec

    def _group_ends(self) -> Tensor:
        return self.ae.group_sizes.cumsum(dim=0)

    def _mean(self, losses: Tensor) -> Tensor:
        return (losses * losses.new_tensor(self.group_weights)).mean()


def _in_batch(features: Tensor, scores: Tensor) -> Tensor:
    """row · f + feature from features [n, k] of rows with scores [n, f]: [n · k]."""
    n, f = scores.shape
    return (features + torch.arange(0, n * f, f, device=scores.device)[:, None]).view(-1)
