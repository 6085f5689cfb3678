"""The k strongest features of each activation (Gao et al., arXiv 2406.04093)."""

from typing import TYPE_CHECKING

from interp.sae.kinds import arguments
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae

if TYPE_CHECKING:
    from dictionary_learning.trainers.top_k import AutoEncoderTopK

    from interp.sae.kinds.active_trainers import ActiveTopKTrainer


def dictionary(config: SAEConfig, activation_dim: int) -> "AutoEncoderTopK":
    """An untrained dictionary."""
    from dictionary_learning.trainers.top_k import AutoEncoderTopK

    return AutoEncoderTopK(activation_dim, config.n_features, config.k)


@register_sae("top_k", dictionary=dictionary, sparsity="k", shares_batches=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> "ActiveTopKTrainer":
    """A fresh trainer."""
    from interp.sae.kinds.active_trainers import ActiveTopKTrainer

    return ActiveTopKTrainer(**arguments.shared(config, activation_dim, device), **arguments.top_k(config))
