"""The smallest study with all stages, for kills and faults: seconds."""

from pathlib import Path

from interp.config import GridConfig, StudyConfig
from interp.sae_config import SAEConfig
from recmodels.config import TrainingConfig
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.interactions import Dataset

CONFIG = StudyConfig(
    out=Path("study"),
    training=TrainingConfig(
        max_history=12, hidden_size=16, num_hidden_layers=1, windows="all", batch_size=64, max_epochs=6
    ),
    sae=SAEConfig(n_features=32, steps=240, batch_size=64, warmup_steps=10, sparsity_warmup_steps=20),
    grid=GridConfig(l1=(0.2,), trade_off=("top_k:4",), sites=("final",)),
    values=(-2.0, 0.0, 2.0),
)


def data() -> Dataset:
    """160 users of 60 items with 4 planted concepts."""
    return load(PlantedConfig(users=160, items=60, concepts=4, mean_length=12, drift=0.05))
