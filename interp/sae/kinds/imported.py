"""A dictionary of another library (`interp.sae.exchange`), which is read and never trained."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from interp.sae_config import SAEConfig
from interp.sae_registry import register_sae
from recmodels.errors import InputError, quote

if TYPE_CHECKING:
    from interp.sae.exchange.plain import PlainSAE


@dataclass(frozen=True)
class ImportedSettings:
    """Settings of this kind alone."""

    rule: str = "relu"
    """What is active: one of `interp.sae.exchange.plain.RULES`."""
    limit: int = 0
    """Features that are active at a step, at most; 0 for no limit, as in all but top-k."""

    def check(self) -> None:
        """Refuse values that make no sense.

        Raises:
            InputError: such a value.
        """
        from interp.sae.exchange.plain import RULES

        if self.rule not in RULES:
            raise InputError(f"sae.settings has rule={quote(self.rule)}: choose one of {', '.join(RULES)}")
        if (self.limit > 0) != (self.rule == "top_k"):
            raise InputError(f"sae.settings has limit={self.limit} with rule={self.rule}: top_k alone has a limit")


def dictionary(config: SAEConfig, activation_dim: int) -> "PlainSAE":
    """An empty dictionary."""
    from interp.sae.exchange.plain import PlainSAE

    settings = config.complete().settings
    return PlainSAE(activation_dim, config.n_features, settings.rule, settings.limit)


@register_sae("imported", dictionary=dictionary, sparsity="limit", settings=ImportedSettings, trained=False)
def trainer(config: SAEConfig, activation_dim: int, device: str) -> NoReturn:
    """Refuses: there is nothing to train."""
    raise InputError("sae.trainer is 'imported', which is not trained: name a folder with --dictionary")


def imported_config(plain: Any) -> SAEConfig:
    """The configuration of an imported dictionary; what it says of training does not apply."""
    settings = ImportedSettings(plain.rule, plain.k if plain.rule == "top_k" else 0)
    return SAEConfig(trainer="imported", n_features=plain.n_features, settings=settings)
