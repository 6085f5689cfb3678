"""Sequential recommenders: data in, ranked lists out. Knows nothing of interpretation.

The names below are what people use; each is imported when it is first used.
"""

from typing import TYPE_CHECKING

from recmodels.public_names import public_names

if TYPE_CHECKING:
    from recmodels.config import Columns, SplitConfig, TrainingConfig
    from recmodels.datasets import load, register_dataset
    from recmodels.datasets.tables import from_tables
    from recmodels.errors import InputError
    from recmodels.interactions import Dataset
    from recmodels.model import SequentialRecommender
    from recmodels.model_parts import RecommenderConfig
    from recmodels.ranking import evaluate
    from recmodels.recommender import Recommender, register
    from recmodels.sequences import Histories, as_histories
    from recmodels.splits import Split, paper_split
    from recmodels.training import fit
    from recmodels.vocabulary import Vocabulary

_HOMES = {
    "load": "recmodels.datasets",
    "register_dataset": "recmodels.datasets",
    "from_tables": "recmodels.datasets.tables",
    "Columns": "recmodels.config",
    "Dataset": "recmodels.interactions",
    "SplitConfig": "recmodels.config",
    "Split": "recmodels.splits",
    "paper_split": "recmodels.splits",
    "TrainingConfig": "recmodels.config",
    "fit": "recmodels.training",
    "Recommender": "recmodels.recommender",
    "register": "recmodels.recommender",
    "SequentialRecommender": "recmodels.model",
    "RecommenderConfig": "recmodels.model_parts",
    "Histories": "recmodels.sequences",
    "Vocabulary": "recmodels.vocabulary",
    "as_histories": "recmodels.sequences",
    "evaluate": "recmodels.ranking",
    "InputError": "recmodels.errors",
}

__all__ = [  # noqa: RUF022 - in the order of the homes above
    "load",
    "register_dataset",
    "from_tables",
    "Columns",
    "Dataset",
    "SplitConfig",
    "Split",
    "paper_split",
    "TrainingConfig",
    "fit",
    "Recommender",
    "register",
    "SequentialRecommender",
    "RecommenderConfig",
    "Histories",
    "Vocabulary",
    "as_histories",
    "evaluate",
    "InputError",
    "__version__",
]

__getattr__, __dir__ = public_names(__name__, _HOMES)
