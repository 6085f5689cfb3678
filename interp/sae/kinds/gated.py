"""Gates decide which features are active, apart from how active they are (Rajamanoharan et al., arXiv 2404.16014)."""

from dictionary_learning.dictionary import GatedAutoEncoder
from dictionary_learning.trainers.gdm import GatedSAETrainer

from interp.sae.kinds.arguments import penalty, shared
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae


def dictionary(config: SAEConfig, activation_dim: int) -> GatedAutoEncoder:
    """An untrained dictionary."""
    return GatedAutoEncoder(activation_dim, config.n_features)


@register_sae("gated", dictionary=dictionary, sparsity="l1", penalty=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> GatedSAETrainer:
    """A fresh trainer."""
    return GatedSAETrainer(**shared(config, activation_dim, device), **penalty(config))
