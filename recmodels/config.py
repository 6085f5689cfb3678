"""The settings of a recommender's training, apart from what they need to run: reading them is instant."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingConfig:
    """How a recommender is fitted; the defaults are the paper's (NOTES, definition 2)."""

    model: str = "gptrec"
    """Which recommender: gptrec."""
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
    windows: str = "last"
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
