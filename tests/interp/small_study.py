"""The configuration of a whole study of the small planted world, in seconds."""

from interp.config import GridConfig, SAEConfig, StudyConfig
from recmodels.config import TrainingConfig

CONFIG = StudyConfig(
    dataset="planted",
    training=TrainingConfig(
        max_history=32,
        hidden_size=32,
        num_hidden_layers=2,
        windows="all",
        learning_rate=3e-3,
        batch_size=32,
        max_epochs=6,
    ),
    sae=SAEConfig(n_features=64, steps=400, batch_size=256, warmup_steps=50, sparsity_warmup_steps=100),
    grid=GridConfig(l1=(0.1, 0.3), n_features=(32,), seeds=2, trade_off=("top_k:8",), sites=("blocks.1.mlp",)),
    steered=("concept-02", "concept-05"),
    other_attributes=("title:1",),
    values=(-4.0, 0.0, 4.0),
)
