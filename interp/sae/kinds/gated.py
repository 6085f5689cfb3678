"""Gates decide which features are active, apart from how active they are (Rajamanoharan et al., arXiv 2404.16014)."""

from typing import TYPE_CHECKING

from interp.sae.kinds.arguments import penalty, shared
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae

if TYPE_CHECKING:
    from dictionary_learning.dictionary import GatedAutoEncoder
    from dictionary_learning.trainers.gdm import GatedSAETrainer


def dictionary(config: SAEConfig, activation_dim: int) -> "GatedAutoEncoder":
    """An untrained dictionary."""
    from dictionary_learning.dictionary import GatedAutoEncoder

    return GatedAutoEncoder(activation_dim, config.n_features)


@register_sae("gated", dictionary=dictionary, sparsity="l1", penalty=True, shares_batches=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> "GatedSAETrainer":
    """A fresh trainer."""
    from dictionary_learning.trainers.gdm import GatedSAETrainer

    return GatedSAETrainer(**shared(config, activation_dim, device), **penalty(config))
