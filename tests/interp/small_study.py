"""The configuration of a whole study of the small planted world, in seconds."""

from small import TRAINING

from interp.config import GridConfig, StudyConfig
from interp.sae_config import SAEConfig

CONFIG = StudyConfig(
    dataset="planted",
    training=TRAINING,
    sae=SAEConfig(n_features=64, steps=400, batch_size=256, warmup_steps=50, sparsity_warmup_steps=100),
    grid=GridConfig(l1=(0.1, 0.3), n_features=(32,), seeds=2, trade_off=("top_k:8",), sites=("blocks.1.mlp",)),
    steered=("concept-02", "concept-05"),
    other_attributes=("title:1",),
    values=(-4.0, 0.0, 4.0),
)
