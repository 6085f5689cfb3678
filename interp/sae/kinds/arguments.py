"""Arguments of the trainers of dictionary_learning."""

from typing import Any

from interp.sae_config import SAEConfig


def shared(config: SAEConfig, activation_dim: int, device: str) -> dict[str, Any]:
    """The arguments of all trainers."""
    return {
        "steps": config.steps,
        "activation_dim": activation_dim,
        "dict_size": config.n_features,
        "lr": config.learning_rate,
        "warmup_steps": config.warmup_steps,
        "layer": "",
        "lm_name": "",
        "seed": config.seed,
        "device": device,
    }


def penalty(config: SAEConfig) -> dict[str, Any]:
    """The arguments of trainers with an L1 penalty."""
    return {"l1_penalty": config.l1, "sparsity_warmup_steps": config.sparsity_warmup_steps}


def top_k(config: SAEConfig) -> dict[str, Any]:
    """The arguments of trainers with a k.

    The threshold of inference is a moving average over the last steps, however short the training.
    """
    return {
        "k": config.k,
        "threshold_start_step": config.steps // 2 - 1,
        "threshold_beta": max(0.0, 1 - 10 / config.steps),
    }
