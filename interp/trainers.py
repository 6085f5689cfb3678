"""The trainers of dictionary_learning that the toolkit knows, under one configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from interp.config import SAEConfig
from recmodels.errors import InputError

try:
    from dictionary_learning.dictionary import AutoEncoder
    from dictionary_learning.trainers.standard import StandardTrainer
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "dictionary-learning is not installed. It pins an old nnsight, so it has to be installed by itself: "
        "pip install --no-deps dictionary-learning==0.1.0"
    ) from missing


class UnsquaredTrainer(StandardTrainer):
    """StandardTrainer with the reconstruction term of the paper's runs: the norm, not its square."""

    def loss(self, x: torch.Tensor, step: int, logging: bool = False, **_: Any) -> Any:
        """Mean over rows of ‖x − x̂‖₂ + λ‖h‖₁, the penalty scaled by its warm-up."""
        reconstruction, features = self.ae(x, output_features=True)
        error = torch.linalg.norm(x - reconstruction, dim=-1).mean()
        penalty = features.norm(p=1, dim=-1).mean()
        return error + self.l1_penalty * self.sparsity_warmup_fn(step) * penalty


@dataclass(frozen=True)
class TrainerKind:
    """A trainer, the dictionary that it trains, and its own arguments from a configuration."""

    trainer: type
    dictionary: Callable[[int, int], torch.nn.Module]
    arguments: Callable[[SAEConfig], dict[str, Any]]


def _standard_arguments(config: SAEConfig) -> dict[str, Any]:
    return {
        "lr": config.learning_rate,
        "l1_penalty": config.l1,
        "warmup_steps": config.warmup_steps,
        "sparsity_warmup_steps": config.sparsity_warmup_steps,
    }


TRAINERS: dict[str, TrainerKind] = {
    "standard": TrainerKind(StandardTrainer, AutoEncoder, _standard_arguments),
    "unsquared": TrainerKind(UnsquaredTrainer, AutoEncoder, _standard_arguments),
}


def build_trainer(config: SAEConfig, activation_dim: int, site: str, device: str) -> Any:
    """A fresh trainer; its random weights come from the configuration's seed.

    Raises:
        InputError: an unknown trainer, or a warm-up that is not shorter than the training.
    """
    if config.trainer not in TRAINERS:
        raise InputError(f"unknown trainer {config.trainer!r}: choose one of {', '.join(TRAINERS)}")
    longest = max(config.warmup_steps, config.sparsity_warmup_steps)
    if longest >= config.steps:
        raise InputError(f"warm-up takes {longest} of {config.steps} steps: make it shorter than the training")
    kind = TRAINERS[config.trainer]
    torch.manual_seed(config.seed)
    return kind.trainer(
        steps=config.steps,
        activation_dim=activation_dim,
        dict_size=config.n_features,
        layer=site,
        lm_name="recommender",
        seed=config.seed,
        device=device,
        **kind.arguments(config),
    )
