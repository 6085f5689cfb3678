"""The trainers of dictionary_learning that the toolkit knows, under one configuration."""

from collections.abc import Callable
from typing import Any

import torch

from interp.config import SAEConfig

try:
    from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
    from dictionary_learning.trainers.gdm import GatedSAETrainer
    from dictionary_learning.trainers.jumprelu import JumpReluTrainer
    from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKTrainer
    from dictionary_learning.trainers.p_anneal import PAnnealTrainer
    from dictionary_learning.trainers.standard import StandardTrainer
    from dictionary_learning.trainers.top_k import TopKTrainer
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "dictionary-learning is not installed. It pins an old nnsight, so it has to be installed by itself: "
        "pip install --no-deps dictionary-learning==0.1.0"
    ) from missing

# Matryoshka's nested dictionaries as in its paper (Bussmann et al., arXiv 2503.17547): each holds twice the one before.
GROUP_FRACTIONS = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 17 / 32]


class UnsquaredTrainer(StandardTrainer):
    """StandardTrainer with the reconstruction term of the paper's runs: the norm, not its square."""

    def loss(self, x: torch.Tensor, step: int, logging: bool = False, **_: Any) -> Any:
        """Mean over rows of ‖x − x̂‖₂ + λ‖h‖₁, the penalty scaled by its warm-up."""
        reconstruction, features = self.ae(x, output_features=True)
        error = torch.linalg.norm(x - reconstruction, dim=-1).mean()
        penalty = features.sum(dim=-1).mean()  # features are never negative
        return error + self.l1_penalty * self.sparsity_warmup_fn(step) * penalty


def _penalised(config: SAEConfig, dim: int) -> dict[str, Any]:
    return {"l1_penalty": config.l1, "sparsity_warmup_steps": config.sparsity_warmup_steps}


def _p_anneal(config: SAEConfig, dim: int) -> dict[str, Any]:
    """From L1 towards L0.2 over the second half of the steps after warm-up (Karvonen et al., arXiv 2408.00113)."""
    start = (config.warmup + config.steps) // 2
    return {
        "initial_sparsity_penalty": config.l1,
        "sparsity_warmup_steps": config.sparsity_warmup_steps,
        "sparsity_function": "Lp^p",
        "anneal_start": start,
        "p_end": 0.2,
        "n_sparsity_updates": min(10, config.steps - start),
    }


def _top_k(config: SAEConfig, dim: int) -> dict[str, Any]:
    """The threshold of inference is a moving average over the last steps, however short the training."""
    return {
        "k": config.k,
        "threshold_start_step": config.steps // 2 - 1,
        "threshold_beta": max(0.0, 1 - 10 / config.steps),
    }


def _jump_relu(config: SAEConfig, dim: int) -> dict[str, Any]:
    """The library's scales suit activations of unit norm and long trainings; here entries have unit variance, so that
    both grow, and the bandwidth is five times as wide, so that thresholds arrive within thousands of steps."""
    return {
        "target_l0": config.k,
        "sparsity_warmup_steps": config.sparsity_warmup_steps,
        "sparsity_penalty": float(dim),
        "bandwidth": 0.005 * dim**0.5,
    }


TRAINERS: dict[str, tuple[type, Callable[[SAEConfig, int], dict[str, Any]]]] = {
    "unsquared": (UnsquaredTrainer, _penalised),
    "standard": (StandardTrainer, _penalised),
    "gated": (GatedSAETrainer, _penalised),
    "p_anneal": (PAnnealTrainer, _p_anneal),
    "top_k": (TopKTrainer, _top_k),
    "batch_top_k": (BatchTopKTrainer, _top_k),
    "matryoshka": (MatryoshkaBatchTopKTrainer, lambda *given: _top_k(*given) | {"group_fractions": GROUP_FRACTIONS}),
    "jump_relu": (JumpReluTrainer, _jump_relu),
}


def build_trainer(config: SAEConfig, activation_dim: int, device: str = "cpu") -> Any:
    """A fresh trainer; its random weights come from the configuration's seed, and no other random state is touched.

    Raises:
        InputError: a setting makes no sense.
    """
    config.check()
    trainer, arguments = TRAINERS[config.trainer]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)  # JumpReluTrainer does not do so itself
        return trainer(
            steps=config.steps,
            activation_dim=activation_dim,
            dict_size=config.n_features,
            lr=config.learning_rate,
            warmup_steps=config.warmup_steps,
            layer="",
            lm_name="",
            seed=config.seed,
            device=device,
            **arguments(config, activation_dim),
        )
