"""The kinds of recommenders that are known, by name; apart from them, so that a name is checked without torch."""

from typing import TYPE_CHECKING

from recmodels.plugins import Registry

if TYPE_CHECKING:
    from recmodels.model import SequentialRecommender

MODELS: "Registry[type[SequentialRecommender]]" = Registry(
    "unknown model",
    "recmodels.recommenders",
    "recmodels.recommender.register",
    home="recmodels.recommender",
    ours=("gptrec", "bert4rec"),
)
