"""A threshold for each feature, trained towards k active ones (Rajamanoharan et al., arXiv 2407.14435)."""

from typing import TYPE_CHECKING

from interp.sae.kinds.arguments import shared
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae

if TYPE_CHECKING:
    from dictionary_learning.dictionary import JumpReluAutoEncoder
    from dictionary_learning.trainers.jumprelu import JumpReluTrainer


def dictionary(config: SAEConfig, activation_dim: int) -> "JumpReluAutoEncoder":
    """An untrained dictionary."""
    from dictionary_learning.dictionary import JumpReluAutoEncoder

    return JumpReluAutoEncoder(activation_dim, config.n_features)


@register_sae("jump_relu", dictionary=dictionary, sparsity="k", penalty=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> "JumpReluTrainer":
    """A fresh trainer.

    The library's scales suit activations of unit norm and long trainings; here entries have unit variance, so that both
    grow, and the bandwidth is five times as wide, so that thresholds arrive within thousands of steps.
    """
    from dictionary_learning.trainers.jumprelu import JumpReluTrainer

    return JumpReluTrainer(
        **shared(config, activation_dim, device),
        target_l0=config.k,
        sparsity_warmup_steps=config.sparsity_warmup_steps,
        sparsity_penalty=float(activation_dim),
        bandwidth=0.005 * activation_dim**0.5,
    )
