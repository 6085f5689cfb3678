"""See what a sequential recommender has learnt, and turn it up or down.

The names below are what people use; the rest may change between releases. Each is imported when it is first used,
so that the command line answers at once.
"""

from typing import TYPE_CHECKING

from recmodels.public_names import public_names

if TYPE_CHECKING:
    from interp.activations.activation_store import ActivationStore
    from interp.activations.collecting import collect
    from interp.activations.feature_matrix import encode
    from interp.activations.training import train
    from interp.concepts import Concepts, concepts_of
    from interp.concepts.alignment import Alignment, align
    from interp.concepts.attributes import register_attribute
    from interp.config import GridConfig, StudyConfig
    from interp.control.doses import Dose
    from interp.control.group_lists import group_lists
    from interp.control.least_collateral import LeastCollateral
    from interp.control.mix_doses import MixDose, at_most
    from interp.control.own_mix import Calibration
    from interp.control.profiles import profile
    from interp.control.receipts import Receipt, steering_receipt
    from interp.control.user_metrics import register_metric
    from interp.deployment.service_export import export_service
    from interp.features.concept_names import attach_concepts
    from interp.model.envoys import RecommenderEnvoy
    from interp.pages.export import export
    from interp.pipeline.run import run
    from interp.pipeline.scorecard import scorecard
    from interp.sae.autoencoder import SparseAutoencoder
    from interp.sae.import_dictionary import read_dictionary
    from interp.sae_config import SAEConfig
    from interp.sae_registry import register_sae
    from interp.steering.edits import Edit, Push, Steer
    from interp.steering.serialization import load_steer, save_steer
    from interp.store.analysis import Analysis, Exhibit, Table
    from interp.store.claim import Claim
    from interp.store.registry import register_analysis
    from interp.study.carry import Carried, carry
    from interp.study.compare import Comparison, compare
    from interp.study.feature import Feature
    from interp.study.naming import Name, label_with
    from interp.study.study import Study, open
    from recmodels.config import Columns, SplitConfig, TrainingConfig
    from recmodels.datasets import register_dataset
    from recmodels.datasets.tables import from_tables
    from recmodels.errors import InputError

_HOMES = {
    # A study, from data to pages
    "open": "interp.study.study",
    "run": "interp.pipeline.run",
    "export": "interp.pages.export",
    "export_service": "interp.deployment.service_export",
    "scorecard": "interp.pipeline.scorecard",
    "from_tables": "recmodels.datasets.tables",
    "Columns": "recmodels.config",
    "SplitConfig": "recmodels.config",
    "TrainingConfig": "recmodels.config",
    "StudyConfig": "interp.config",
    "SAEConfig": "interp.sae_config",
    "GridConfig": "interp.config",
    "Study": "interp.study.study",
    "Feature": "interp.study.feature",
    # Its steps, one by one
    "RecommenderEnvoy": "interp.model.envoys",
    "ActivationStore": "interp.activations.activation_store",
    "collect": "interp.activations.collecting",
    "train": "interp.activations.training",
    "SparseAutoencoder": "interp.sae.autoencoder",
    "read_dictionary": "interp.sae.import_dictionary",
    "encode": "interp.activations.feature_matrix",
    "Concepts": "interp.concepts",
    "concepts_of": "interp.concepts",
    "Alignment": "interp.concepts.alignment",
    "align": "interp.concepts.alignment",
    "attach_concepts": "interp.features.concept_names",
    # Steering
    "Steer": "interp.steering.edits",
    "Edit": "interp.steering.edits",
    "Push": "interp.steering.edits",
    "save_steer": "interp.steering.serialization",
    "load_steer": "interp.steering.serialization",
    "Receipt": "interp.control.receipts",
    "steering_receipt": "interp.control.receipts",
    "Dose": "interp.control.doses",
    "MixDose": "interp.control.mix_doses",
    "at_most": "interp.control.mix_doses",
    "Calibration": "interp.control.own_mix",
    "LeastCollateral": "interp.control.least_collateral",
    "profile": "interp.control.profiles",
    "group_lists": "interp.control.group_lists",
    # After retraining
    "compare": "interp.study.compare",
    "Comparison": "interp.study.compare",
    "carry": "interp.study.carry",
    "Carried": "interp.study.carry",
    # What is one's own: names, analyses, dictionaries, metrics, data
    "Name": "interp.study.naming",
    "label_with": "interp.study.naming",
    "Analysis": "interp.store.analysis",
    "Table": "interp.store.analysis",
    "Exhibit": "interp.store.analysis",
    "Claim": "interp.store.claim",
    "register_analysis": "interp.store.registry",
    "register_sae": "interp.sae_registry",
    "register_metric": "interp.control.user_metrics",
    "register_attribute": "interp.concepts.attributes",
    "register_dataset": "recmodels.datasets",
    "InputError": "recmodels.errors",
}

__all__ = [  # noqa: RUF022 - in the order of the homes above
    "open",
    "run",
    "export",
    "export_service",
    "scorecard",
    "from_tables",
    "Columns",
    "SplitConfig",
    "TrainingConfig",
    "StudyConfig",
    "SAEConfig",
    "GridConfig",
    "Study",
    "Feature",
    "RecommenderEnvoy",
    "ActivationStore",
    "collect",
    "train",
    "SparseAutoencoder",
    "read_dictionary",
    "encode",
    "Concepts",
    "concepts_of",
    "Alignment",
    "align",
    "attach_concepts",
    "Steer",
    "Edit",
    "Push",
    "save_steer",
    "load_steer",
    "Receipt",
    "steering_receipt",
    "Dose",
    "MixDose",
    "at_most",
    "Calibration",
    "LeastCollateral",
    "profile",
    "group_lists",
    "compare",
    "Comparison",
    "carry",
    "Carried",
    "Name",
    "label_with",
    "Analysis",
    "Table",
    "Exhibit",
    "Claim",
    "register_analysis",
    "register_sae",
    "register_metric",
    "register_attribute",
    "register_dataset",
    "InputError",
    "__version__",
]

__getattr__, __dir__ = public_names(__name__, _HOMES)
