"""The settings of a recommender's training, apart from what they need to run: reading them is instant."""

import math
from dataclasses import dataclass
from typing import Literal

from recmodels.errors import InputError


@dataclass(frozen=True)
class TrainingConfig:
    """How a recommender is fitted; the defaults are the paper's (docs/paper.md, 2)."""

    model: Literal["gptrec", "bert4rec"] = "gptrec"
    """Which recommender: gptrec reads a history forwards, bert4rec in both directions."""
    max_history: int = 64
    """How many of a history's last items the model reads."""
    hidden_size: int = 64
    """Width of the residual stream."""
    num_hidden_layers: int = 3
    """Transformer blocks."""
    num_attention_heads: int = 2
    """Attention heads of each block."""
    dropout: float = 0.1
    """Dropout rate everywhere."""
    windows: Literal["last", "all"] = "last"
    """Training windows: "last" takes each user's last `max_history` items, "all" cuts the whole history."""
    learning_rate: float = 1e-3
    """Adam's learning rate, constant."""
    batch_size: int = 128
    """Windows per step."""
    max_epochs: int = 200
    """Passes over the windows, at most."""
    patience: int = 10
    """Stop after this many epochs without a better NDCG@10 on the held-out users."""
    validation_items: int = 10
    """How many last items of each held-out user are predicted, each from those before it. The paper predicts
    one, which is too noisy to stop by when there are only dozens of held-out users."""
    seed: int = 0
    """Seed of the initial weights, the order of batches and dropout."""

    def check(self) -> None:
        """Refuse settings that cannot work.

        Raises:
            InputError: a number is out of its range.
        """
        for name in (
            "max_history",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "batch_size",
            "max_epochs",
            "patience",
            "validation_items",
        ):
            check_number(f"training.{name}", getattr(self, name), at_least=1)
        check_number("training.learning_rate", self.learning_rate, at_least=1e-9)
        check_number("training.dropout", self.dropout, at_least=0, below=1)
        if self.hidden_size % self.num_attention_heads:
            raise InputError(
                f"training.hidden_size {self.hidden_size} cannot be shared by {self.num_attention_heads} "
                f"attention heads: make it a multiple"
            )


def check_number(name: str, value: float, at_least: float, below: float = math.inf) -> None:
    """Refuse a setting outside its range.

    Raises:
        InputError: `value` is not a number from `at_least` up to, but not including, `below`.
    """
    if not at_least <= value < below:
        limit = f"at least {at_least:g}" + (f" and below {below:g}" if below < math.inf else "")
        raise InputError(f"{name} is {value:g}: it must be {limit}")
