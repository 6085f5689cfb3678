"""From L1 towards L0.2 over the second half of the steps after warm-up (Karvonen et al., arXiv 2408.00113)."""

from typing import TYPE_CHECKING

from interp.sae.kinds.arguments import shared
from interp.sae.kinds.unsquared import dictionary
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae

if TYPE_CHECKING:
    from interp.sae.annealed_trainer import AnnealedTrainer


@register_sae("p_anneal", dictionary=dictionary, sparsity="l1", penalty=True, shares_batches=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> "AnnealedTrainer":
    """A fresh trainer."""
    from interp.sae.annealed_trainer import AnnealedTrainer

    start = (config.warmup + config.steps) // 2
    return AnnealedTrainer(
        **shared(config, activation_dim, device),
        initial_sparsity_penalty=config.l1,
        sparsity_warmup_steps=config.sparsity_warmup_steps,
        sparsity_function="Lp^p",
        anneal_start=start,
        p_end=0.2,
        n_sparsity_updates=min(10, config.steps - start),
    )
