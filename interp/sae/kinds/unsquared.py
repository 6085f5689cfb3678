"""An L1 penalty, and the error itself, without its square: the loss of the paper's runs."""

from typing import Any

import torch
from dictionary_learning.dictionary import AutoEncoder
from dictionary_learning.trainers.standard import StandardTrainer

from interp.sae.kinds.arguments import penalty, shared
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae


class UnsquaredTrainer(StandardTrainer):
    """StandardTrainer with the reconstruction term of the paper's runs: the norm, not its square."""

    def loss(self, x: torch.Tensor, step: int, logging: bool = False, **_: Any) -> Any:
        """Mean over rows of ‖x − x̂‖₂ + λ‖h‖₁, the penalty scaled by its warm-up."""
        reconstruction, features = self.ae(x, output_features=True)
        error = torch.linalg.norm(x - reconstruction, dim=-1).mean()
        penalty = features.sum(dim=-1).mean()  # features are never negative
        return error + self.l1_penalty * self.sparsity_warmup_fn(step) * penalty


def dictionary(config: SAEConfig, activation_dim: int) -> AutoEncoder:
    """An untrained dictionary."""
    return AutoEncoder(activation_dim, config.n_features)


@register_sae("unsquared", dictionary=dictionary, sparsity="l1", penalty=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> UnsquaredTrainer:
    """A fresh trainer."""
    return UnsquaredTrainer(**shared(config, activation_dim, device), **penalty(config))
