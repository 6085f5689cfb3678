"""See what a sequential recommender has learnt, and turn it up or down."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interp.model.envoys import RecommenderEnvoy
    from interp.sae.autoencoder import SparseAutoencoder
    from interp.study.study import Study, open

__all__ = ["RecommenderEnvoy", "SparseAutoencoder", "Study", "open"]

_HOMES = {
    "RecommenderEnvoy": "interp.model.envoys",
    "SparseAutoencoder": "interp.sae.autoencoder",
    "Study": "interp.study.study",
    "open": "interp.study.study",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that the command line answers at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
