"""The trainer of p_anneal."""

import torch
from dictionary_learning.trainers.p_anneal import PAnnealTrainer

from recmodels.rank_tensors import with_mean


class AnnealedTrainer(PAnnealTrainer):
    """PAnnealTrainer, whose coefficient follows from the penalties of whole batches where ranks share them."""

    def lp_norm(self, f: torch.Tensor, p: float) -> torch.Tensor:
        """Mean over rows of the features [n, f] in the p-norm, as the library has it."""
        return with_mean(super().lp_norm(f, p))
