"""The configuration from which a whole run follows, and the ready-made ones."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from recmodels.config import TrainingConfig, check_number
from recmodels.errors import InputError
from recmodels.splits import SplitConfig


@dataclass(frozen=True)
class SAEConfig:
    """How one sparse autoencoder is trained; the defaults are the paper's (docs/paper.md, 4)."""

    trainer: Literal["unsquared", "standard"] = "unsquared"
    """The loss: "unsquared" is that of the paper's runs, ‖x − x̂‖₂ + λ‖h‖₁; "standard" has the square, as printed."""
    n_features: int = 2048
    """Size of the dictionary."""
    l1: float = 0.1
    """Weight λ of the L1 penalty. Its scale differs between the two losses."""
    learning_rate: float = 1e-3
    """Adam's learning rate after warm-up."""
    steps: int = 6000
    """Optimiser steps."""
    batch_size: int = 1024
    """Activations per step, drawn with replacement."""
    warmup_steps: int = 1000
    """Steps over which the learning rate rises."""
    sparsity_warmup_steps: int = 2000
    """Steps over which the penalty rises."""
    seed: int = 0
    """Seed of the initial weights and of the draws."""


@dataclass(frozen=True)
class StudyConfig:
    """Everything that decides a run's numbers. The same configuration on the same machine gives the same ones."""

    dataset: str = "ml-100k"
    """Which data: ml-100k, ml-1m or planted."""
    data: Path | None = None
    """A folder or archive with your copy of the data; without it the data set is downloaded and cached."""
    out: Path | None = None
    """Where the run is written; by default artifacts/<dataset>."""
    attribute: str | None = None
    """Column of the item table whose values are the concepts; by default the data set's own (genres)."""
    min_support: int = 5
    """Concepts of fewer items than this are left out."""
    split: SplitConfig = field(default_factory=SplitConfig)
    """Who trains the recommender, who trains the dictionary, who tests both."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """How the recommender is fitted."""
    site: str = "blocks.0"
    """Where the dictionary reads the recommender."""
    sae_windows: Literal["last", "all"] = "last"
    """Which steps of the SAE part train dictionaries: each user's "last" ones, as in the paper, or "all"."""
    sae: SAEConfig = field(default_factory=SAEConfig)
    """How dictionaries are trained."""
    l1_grid: tuple[float, ...] = ()
    """Several L1 weights to train dictionaries with, in one pass; empty takes the one of `sae`."""
    n_features_grid: tuple[int, ...] = ()
    """Several dictionary sizes to train; empty takes the one of `sae`."""
    max_l0: float = 110.0
    """Of the trained dictionaries, take the best aligned with at most this many active features per step,
    measured on held-out users of the SAE part."""
    steered_concepts: int = 5
    """How many of the best-aligned concepts are steered."""
    values: tuple[float, ...] = tuple(float(value) for value in range(-10, 11))
    """Activations that a steered feature is set to."""
    reconstruct: Literal["none", "all"] = "none"
    """While steering, keep the reconstruction error ("none") or replace the layer as the paper does ("all")."""

    @property
    def folder(self) -> Path:
        """Where the run is written."""
        return self.out or Path("artifacts") / self.dataset

    def check(self) -> None:
        """Refuse settings that cannot work, before any work is done.

        Raises:
            InputError: a number is out of its range, or there is no such site.
        """
        self.training.check()
        for sae in self.dictionaries().values():
            for name in ("n_features", "steps", "batch_size"):
                check_number(f"sae.{name}", getattr(sae, name), at_least=1)
            check_number("sae.l1", sae.l1, at_least=0)
            check_number("sae.learning_rate", sae.learning_rate, at_least=1e-9)
            longest = max(sae.warmup_steps, sae.sparsity_warmup_steps)
            check_number("sae.steps", sae.steps, at_least=longest + 1)
        check_number("steered_concepts", self.steered_concepts, at_least=1)
        if len(set(self.values)) < 2 or not all(math.isfinite(value) for value in self.values):
            raise InputError("values must be at least two different finite numbers to steer with")
        sites = [f"blocks.{block}" for block in range(self.training.num_hidden_layers)]
        if self.site not in sites:
            raise InputError(f"there is no site {self.site!r}: choose one of {', '.join(sites)}")

    def dictionaries(self) -> dict[str, SAEConfig]:
        """The grid of dictionaries, by name."""
        return {
            f"{self.sae.trainer}-{n_features}-l1-{l1:g}": replace(self.sae, n_features=n_features, l1=l1)
            for n_features in self.n_features_grid or (self.sae.n_features,)
            for l1 in self.l1_grid or (self.sae.l1,)
        }


PRESETS: dict[str, tuple[str, StudyConfig]] = {
    "ml-100k": (
        "MovieLens-100K, in minutes: 943 users, 1,682 films",
        StudyConfig(
            training=TrainingConfig(windows="all", patience=6),
            sae_windows="all",
            sae=SAEConfig(n_features=1024, l1=0.2, steps=3000, batch_size=512, sparsity_warmup_steps=1000),
        ),
    ),
    "ml-1m": (
        "MovieLens-1M: 6,040 users, 3,706 films",
        StudyConfig(dataset="ml-1m", sae=SAEConfig(n_features=512)),
    ),
    "planted": (
        "synthetic data with known concepts, to check the method itself",
        StudyConfig(
            dataset="planted",
            training=TrainingConfig(learning_rate=3e-3, validation_items=3, patience=5),
            sae=SAEConfig(n_features=256, steps=4000),
        ),
    ),
}
