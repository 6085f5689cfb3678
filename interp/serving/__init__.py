"""Saved steers in a service: a batch of histories in, ranked lists out, each user under their own steers.

Needs torch, safetensors and the standard library; no tracing, no tables, no dictionary library. The recommender comes
from a folder that `interp.export_service` wrote.

    service = interp.serving.load("service")
    service.recommend({"ann": [200, 219]}, k=10, steers=["more-horror"])
"""

from typing import TYPE_CHECKING

from recmodels.public_names import public_names

if TYPE_CHECKING:
    from interp.serving.service import Place, Service, load

_HOMES = {
    "load": "interp.serving.service",
    "Service": "interp.serving.service",
    "Place": "interp.serving.service",
}

__all__ = ["load", "Service", "Place"]  # noqa: RUF022 - in the order of the homes above

__getattr__, __dir__ = public_names(__name__, _HOMES)
