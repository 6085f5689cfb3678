"""The size at which recommenders of the planted world are trained by tests."""

from recmodels.config import TrainingConfig

TRAINING = TrainingConfig(
    max_history=32,
    hidden_size=32,
    num_hidden_layers=2,
    windows="all",
    learning_rate=3e-3,
    batch_size=32,
    max_epochs=6,
)
