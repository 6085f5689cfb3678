"""The configuration of a finished study as objects again, to read its data anew."""

from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from interp.concepts.study_data import StudyData, study_data
from interp.config import StudyConfig
from interp.study.study_parts import StudyParts
from recmodels import datasets
from recmodels.errors import InputError


def config_of(study: StudyParts) -> StudyConfig:
    """The configuration that a study was made from; settings of a later release have their defaults."""
    return _filled(StudyConfig, study.config)


def data_of(study: StudyParts) -> StudyData:
    """The data of a study, read anew.

    Raises:
        InputError: they cannot be read, or are no longer those that the study was made from.
    """
    config = config_of(study)
    if config.data is None and (config.dataset == "own" or config.dataset not in datasets.names()):
        raise InputError(
            f"the data of {study.folder} cannot be read again, as it names no file (a bundle names none, nor does a "
            f"study of tables that were given in Python): use a study made from files, or give histories in Python"
        )
    recommender = study.load_recommender() if study.provenance.is_given else None
    data = study_data(config, recommender=recommender)
    if data.dataset.fingerprint != study.record["fingerprints"].get("data"):
        raise InputError(f"{study.folder} was made from other data than its configuration names: give tables instead")
    return data


def _filled(kind: Any, values: dict[str, Any]) -> Any:
    """A dataclass of settings from its JSON; it converts lists and paths itself."""
    read = {}
    for field in (field for field in fields(kind) if field.name in values):
        usual = field.default_factory() if field.default_factory is not MISSING else field.default
        value = values[field.name]
        nested = is_dataclass(usual) and isinstance(value, dict)
        read[field.name] = _filled(type(usual), value) if nested else value
    return kind(**read)
