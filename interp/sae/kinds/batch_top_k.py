"""The strongest features of a batch, k for each activation on average (Bussmann et al., arXiv 2412.06410)."""

from typing import TYPE_CHECKING

from interp.sae.kinds import arguments
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae

if TYPE_CHECKING:
    from dictionary_learning.trainers.batch_top_k import BatchTopKSAE

    from interp.sae.kinds.active_trainers import ActiveBatchTopKTrainer


def dictionary(config: SAEConfig, activation_dim: int) -> "BatchTopKSAE":
    """An untrained dictionary."""
    from dictionary_learning.trainers.batch_top_k import BatchTopKSAE

    return BatchTopKSAE(activation_dim, config.n_features, config.k)


@register_sae("batch_top_k", dictionary=dictionary, sparsity="k", shares_batches=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> "ActiveBatchTopKTrainer":
    """A fresh trainer."""
    from interp.sae.kinds.active_trainers import ActiveBatchTopKTrainer

    return ActiveBatchTopKTrainer(**arguments.shared(config, activation_dim, device), **arguments.top_k(config))
