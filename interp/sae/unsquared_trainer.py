"""The trainer of the paper's runs."""

from typing import Any

import torch
from dictionary_learning.trainers.standard import StandardTrainer


class UnsquaredTrainer(StandardTrainer):
    """StandardTrainer with the reconstruction term of the paper's runs: the norm, not its square."""

    def loss(self, x: torch.Tensor, step: int, logging: bool = False, **_: Any) -> Any:
        """Mean over rows of ‖x − x̂‖₂ + λ‖h‖₁, the penalty scaled by its warm-up."""
        reconstruction, features = self.ae(x, output_features=True)
        error = torch.linalg.norm(x - reconstruction, dim=-1).mean()
        penalty = features.sum(dim=-1).mean()  # features are never negative
        return error + self.l1_penalty * self.sparsity_warmup_fn(step) * penalty
