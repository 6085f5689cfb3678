"""Trainers and untrained dictionaries of any kind, from a configuration."""

from typing import Any

import torch

from interp.sae_config import SAEConfig
from interp.sae_registry import sae_kind


def build_trainer(config: SAEConfig, activation_dim: int, device: str = "cpu") -> Any:
    """A fresh trainer; its random weights come from the configuration's seed, and no other random state is touched.

    Raises:
        InputError: a setting makes no sense.
    """
    config.check()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)  # not every trainer does so itself
        return sae_kind(config.trainer).trainer(config.complete(), activation_dim, device)


def build_dictionary(config: SAEConfig, activation_dim: int) -> Any:
    """An untrained dictionary, to load weights into; no random state is touched.

    Raises:
        InputError: the kind of dictionary is not known.
    """
    with torch.random.fork_rng(devices=[]):
        return sae_kind(config.trainer).dictionary(config.complete(), activation_dim)
