"""How one sparse autoencoder is trained."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from interp.sae_registry import sae_kind
from recmodels.config import Seed
from recmodels.errors import InputError
from recmodels.settings import Between, Settings, Unread

# The settings of one kind of dictionary: in Python its dataclass, on the command line texts.
if TYPE_CHECKING:
    KindSettings: TypeAlias = Any
else:
    KindSettings = tuple[str, ...]

MOST_STEPS = 100_000_000
MOST_FEATURES = 2**20
Steps = Annotated[int, Between(0, MOST_STEPS)]
Features = Annotated[int, Between(1, MOST_FEATURES)]
L1 = Annotated[float, Between(0, 1e6)]


@dataclass(frozen=True)
class SAEConfig(Settings, prefix="sae."):
    """How one sparse autoencoder is trained; the defaults are the paper's (docs/paper.md, 4)."""

    trainer: str = "unsquared"
    """How: "unsquared" is the loss of the paper's runs, ‖x − x̂‖₂ + λ‖h‖₁, "standard" has the square, as printed;
    gated, p_anneal, top_k, batch_top_k, matryoshka and jump_relu are those of dictionary_learning
    (interp/sae/kinds); multi_scale has several sizes side by side (docs/concepts/dictionaries.md); or one that is
    registered (docs/plugins/dictionary.md)."""
    n_features: Features = 2048
    """Size of the dictionary."""
    l1: L1 = 0.1
    """Weight λ of the penalty of unsquared, standard, gated and p_anneal; its scale differs between them."""
    k: Features = 16
    """Active features per activation that top_k, batch_top_k, matryoshka, jump_relu and multi_scale aim at."""
    learning_rate: Annotated[float, Between(1e-9, 1e30)] = 1e-3
    """Adam's learning rate after warm-up."""
    steps: Annotated[int, Between(1, MOST_STEPS)] = 6000
    """Optimiser steps."""
    batch_size: Annotated[int, Between(2, MOST_FEATURES)] = 1024
    """Activations per step, drawn with replacement."""
    warmup_steps: Steps = 1000
    """Steps over which the learning rate rises."""
    sparsity_warmup_steps: Steps = 2000
    """Steps over which the penalty rises."""
    seed: Seed = 0
    """Seed of the initial weights and of the draws."""

    settings: Annotated[KindSettings, Unread()] = ()
    """Settings that only this kind of dictionary has, such as "target=8"; in Python, the kind's dataclass."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.settings is None or (isinstance(self.settings, tuple | list) and not self.settings):
            object.__setattr__(self, "settings", ())
            return
        with suppress(InputError):  # `check` tells what is wrong
            object.__setattr__(self, "settings", sae_kind(self.trainer).read_settings(self.settings))

    def complete(self) -> "SAEConfig":
        """The same configuration with the settings of its kind as their dataclass, if the kind has any.

        Raises:
            InputError: an unknown trainer.
        """
        settings = sae_kind(self.trainer).settings
        return self if settings is None or self.settings != () else replace(self, settings=settings())

    @property
    def name(self) -> str:
        """The name of such a dictionary, for example "top_k-1024-k-16"; with the seed if that is not 0."""
        seed = f"-seed-{self.seed}" if self.seed else ""
        return f"{self.trainer}-{self.n_features}-{sae_kind(self.trainer).sparsity}-{self.sparsity:.9g}{seed}"

    @property
    def sparsity(self) -> float:
        """The setting that decides how sparse its dictionaries are: `l1`, `k` or one of `settings`."""
        return getattr(self._with_sparsity, sae_kind(self.trainer).sparsity)

    @property
    def _with_sparsity(self) -> Any:
        return self if sae_kind(self.trainer).sparsity in ("l1", "k") else self.complete().settings

    def with_sparsity(self, value: float) -> "SAEConfig":
        """The same with another value of the trainer's sparsity setting, such as `l1` or `k`.

        Raises:
            InputError: an unknown trainer, or a fraction where a whole number is needed, such as for k.
        """
        kind, owner = sae_kind(self.trainer), self._with_sparsity
        if isinstance(getattr(type(owner)(), kind.sparsity), int):
            if value % 1:
                raise InputError(f"sae.{kind.sparsity} is {value:g}: {self.trainer} takes a whole number of features")
            value = int(value)
        config = replace(owner, **{kind.sparsity: value})
        return config if owner is self else replace(self, settings=config)

    def with_trainer(self, trainer: str) -> "SAEConfig":
        """The same for another trainer, with that trainer's own settings at their defaults."""
        return self if trainer == self.trainer else replace(self, trainer=trainer, settings=())

    @property
    def warmup(self) -> int:
        """Steps until the learning rate and the penalty, if this trainer has one, stop rising."""
        penalty = self.sparsity_warmup_steps if sae_kind(self.trainer).penalty else 0
        return max(self.warmup_steps, penalty)

    def _check_together(self) -> None:
        kind = sae_kind(self.trainer)
        if not (isinstance(self.settings, tuple) and not self.settings):
            kind.read_settings(self.settings)
        Between(kind.min_features, MOST_FEATURES).check("sae.n_features", self.n_features)
        if kind.sparsity == "k":
            Between(1, self.n_features + 1, "left").check("sae.k", self.k)
        if hasattr(settings := self.complete().settings, "check"):
            settings.check()
        if self.steps <= self.warmup:
            raise InputError(
                f"sae.steps is {self.steps}, but its warm-up alone takes {self.warmup}: "
                f"lower sae.warmup_steps and sae.sparsity_warmup_steps, or train for longer"
            )
