"""An L1 penalty, and the error itself, without its square: the loss of the paper's runs."""

from typing import TYPE_CHECKING

from interp.sae.kinds.arguments import penalty, shared
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae

if TYPE_CHECKING:
    from dictionary_learning.dictionary import AutoEncoder

    from interp.sae.unsquared_trainer import UnsquaredTrainer


def dictionary(config: SAEConfig, activation_dim: int) -> "AutoEncoder":
    """An untrained dictionary."""
    from dictionary_learning.dictionary import AutoEncoder

    return AutoEncoder(activation_dim, config.n_features)


@register_sae("unsquared", dictionary=dictionary, sparsity="l1", penalty=True, shares_batches=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> "UnsquaredTrainer":
    """A fresh trainer."""
    from interp.sae.unsquared_trainer import UnsquaredTrainer

    return UnsquaredTrainer(**shared(config, activation_dim, device), **penalty(config))
