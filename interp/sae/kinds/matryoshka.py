"""Nested dictionaries, each of which holds twice the one before (Bussmann et al., arXiv 2503.17547)."""

from typing import TYPE_CHECKING

from interp.sae.kinds import arguments
from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae

if TYPE_CHECKING:
    from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE

    from interp.sae.kinds.active_trainers import ActiveMatryoshkaTrainer

GROUP_FRACTIONS = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 17 / 32]


def dictionary(config: SAEConfig, activation_dim: int) -> "MatryoshkaBatchTopKSAE":
    """An untrained dictionary, whose last group has the remaining features."""
    from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE

    sizes = [int(fraction * config.n_features) for fraction in GROUP_FRACTIONS[:-1]]
    return MatryoshkaBatchTopKSAE(activation_dim, config.n_features, config.k, [*sizes, config.n_features - sum(sizes)])


# The smallest group is a 32nd of the features.
@register_sae("matryoshka", dictionary=dictionary, sparsity="k", min_features=32, shares_batches=True)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> "ActiveMatryoshkaTrainer":
    """A fresh trainer."""
    from interp.sae.kinds.active_trainers import ActiveMatryoshkaTrainer

    return ActiveMatryoshkaTrainer(
        **arguments.shared(config, activation_dim, device),
        **arguments.top_k(config),
        group_fractions=GROUP_FRACTIONS,
    )
