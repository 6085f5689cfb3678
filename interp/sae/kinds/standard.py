"""An L1 penalty, and the squared error: the loss that the paper prints."""

from typing import TYPE_CHECKING

from interp.sae.kinds.arguments import penalty, shared
from interp.sae.kinds.unsquared import dictionary
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae

if TYPE_CHECKING:
    from dictionary_learning.trainers.standard import StandardTrainer


@register_sae("standard", dictionary=dictionary, sparsity="l1", penalty=True, shares_batches=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> "StandardTrainer":
    """A fresh trainer."""
    from dictionary_learning.trainers.standard import StandardTrainer

    return StandardTrainer(**shared(config, activation_dim, device), **penalty(config))
