"""Other people's trained models as recommenders, one module per package.

The names below are what people use; each is imported when it is first used.
"""

from typing import TYPE_CHECKING

from recmodels.public_names import public_names

if TYPE_CHECKING:
    from recmodels.adapters.adapter import Adapter
    from recmodels.adapters.batch import Batch
    from recmodels.adapters.expected import ExpectedScores, read_expected
    from recmodels.adapters.foreign import read_item_ids, read_recommender
    from recmodels.adapters.registry import register_adapter
    from recmodels.adapters.wrapping import wrap

_HOMES = {
    "Adapter": "recmodels.adapters.adapter",
    "Batch": "recmodels.adapters.batch",
    "ExpectedScores": "recmodels.adapters.expected",
    "read_expected": "recmodels.adapters.expected",
    "read_item_ids": "recmodels.adapters.foreign",
    "read_recommender": "recmodels.adapters.foreign",
    "register_adapter": "recmodels.adapters.registry",
    "wrap": "recmodels.adapters.wrapping",
}

__all__ = [
    "Adapter",
    "Batch",
    "ExpectedScores",
    "read_expected",
    "read_item_ids",
    "read_recommender",
    "register_adapter",
    "wrap",
]

__getattr__, __dir__ = public_names(__name__, _HOMES)
