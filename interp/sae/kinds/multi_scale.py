"""Dictionaries of several sizes side by side, each very sparse (`interp.sae.multi_scale_trainer`)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae
from recmodels.errors import InputError

if TYPE_CHECKING:
    from interp.sae.multi_scale_trainer import MultiScaleSAE, MultiScaleTrainer


@dataclass(frozen=True)
class MultiScaleSettings:
    """Settings of this kind alone."""

    scales: int = 3
    """Dictionaries side by side."""
    ratio: float = 4.0
    """How many times as large each is as the one before."""
    whitening: float = 0.5
    """Power of whitening: 0 leaves activations as they are, 1 gives every direction the same variance."""
    item_part: float = 0.5
    """Share of the item's mean activation in what scales reconstruct, instead of the step's own; 0 is usual."""

    def check(self) -> None:
        """Refuse values that make no sense.

        Raises:
            InputError: such a value.
        """
        if not 1 <= self.scales <= 8 or not 1 <= self.ratio <= 64:
            raise InputError("sae.settings: multi_scale takes 1 to 8 scales with a ratio of 1 to 64")
        if not 0 <= self.whitening <= 1:
            raise InputError(f"sae.settings has whitening={self.whitening:g}: give a power from 0 to 1")
        if not 0 <= self.item_part <= 1:
            raise InputError(f"sae.settings has item_part={self.item_part:g}: give a share from 0 to 1")


def dictionary(config: SAEConfig, activation_dim: int) -> "MultiScaleSAE":
    """An untrained dictionary."""
    from interp.sae.multi_scale_trainer import MultiScaleSAE

    return MultiScaleSAE(activation_dim, config.n_features)


@register_sae("multi_scale", dictionary=dictionary, sparsity="k", settings=MultiScaleSettings, min_features=32)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> "MultiScaleTrainer":
    """A fresh trainer."""
    from interp.sae.multi_scale_trainer import MultiScaleTrainer

    return MultiScaleTrainer(config, activation_dim, device)
